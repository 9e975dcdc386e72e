import AgnesiArrays
import AgnesiExpressions

/// Where a layer's parameter comes from.
public enum ParameterSource: Hashable, Sendable {
  /// A new parameter with an initializer that fits the layer's nonlinearity (He's for those of the
  /// rectifier's kind, Glorot's for others, with a gain of 4 for a sigmoid behind a sigmoid).
  case automatic
  /// A new parameter.
  case initial(Initializer)
  /// A tensor that exists: another layer's parameter, or an expression of it, such as a transposed
  /// weight. A description with a shared tensor cannot be encoded, since it would not say which.
  case shared(Tensor)

  /// Another layer's parameter.
  public static func shared(_ parameter: Parameter) -> ParameterSource {
    .shared(.parameter(parameter))
  }

  /// A new parameter of zeros.
  public static let zeros = ParameterSource.initial(.zeros)
  /// A new parameter of ones.
  public static let ones = ParameterSource.initial(.ones)
  /// See ``Initializer/glorotUniform``.
  public static let glorotUniform = ParameterSource.initial(.glorotUniform)
  /// See ``Initializer/glorotNormal``.
  public static let glorotNormal = ParameterSource.initial(.glorotNormal)
  /// See ``Initializer/heUniform``.
  public static let heUniform = ParameterSource.initial(.heUniform)
  /// See ``Initializer/heNormal``.
  public static let heNormal = ParameterSource.initial(.heNormal)
  /// See ``Initializer/orthogonal``.
  public static let orthogonal = ParameterSource.initial(.orthogonal)

  /// A new parameter of equal numbers.
  public static func constant(_ value: Double) -> ParameterSource { .initial(.constant(value)) }
  /// Normal with mean 0.
  public static func normal(deviation: Double) -> ParameterSource {
    .initial(.normal(mean: 0, deviation: deviation))
  }
  /// Uniform in `±range`.
  public static func uniform(range: Double) -> ParameterSource {
    .initial(.uniform(range: range))
  }
}

extension ParameterSource {
  /// The parameter called `name` in the enclosing scope.
  func tensor(
    _ name: String, _ shape: Shape, _ dtype: DType, _ tags: ParameterTags,
    automatic: Initializer = .zeros
  ) -> Tensor {
    switch self {
    case .automatic: return .parameter(name, shape, automatic, tags, dtype: dtype)
    case .initial(let initializer): return .parameter(name, shape, initializer, tags, dtype: dtype)
    case .shared(let tensor):
      let expected = TensorType(dtype, shape)
      if tensor.failure != nil || tensor.type.mayEqual(expected) { return tensor }
      let operand = GraphError.Operand(
        role: "shared", name: tensor.name, type: tensor.type, location: tensor.node.location)
      return .failed(
        GraphError(Scope.qualified(name), "must be \(expected) here", operands: [operand]))
    }
  }
}

extension ParameterSource: Codable {
  /// `"automatic"`, or the initializer.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .automatic: try container.encode("automatic")
    case .initial(let initializer): try container.encode(initializer)
    case .shared(let tensor):
      let name = tensor.name.isEmpty ? "an expression" : "\"\(tensor.name)\""
      throw EncodingError.invalidValue(
        tensor,
        .init(
          codingPath: encoder.codingPath,
          debugDescription: "a description of layers cannot say that a layer shares \(name)"))
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let word = try? container.decode(String.self) {
      guard word == "automatic" else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "\"\(word)\" is neither automatic nor an initializer")
      }
      self = .automatic
    } else {
      self = .initial(try container.decode(Initializer.self))
    }
  }
}
