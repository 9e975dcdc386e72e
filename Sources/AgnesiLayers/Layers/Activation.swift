import AgnesiArrays
import AgnesiExpressions

/// A nonlinearity: a function of each element, or of each row for the two softmaxes.
public enum Activation: Hashable, Sendable {
  /// None.
  case identity
  case relu
  /// `x` from 0 to 6, and those bounds outside. Source: Howard et al. 2017.
  case relu6
  /// `x` above 0, `slope · x` below.
  case leakyReLU(slope: Double = 0.01)
  /// `x` above 0, `alpha · (eˣ − 1)` below. Source: Clevert et al. 2016.
  case elu(alpha: Double = 1)
  /// Source: Klambauer et al. 2017.
  case selu
  /// Source: Hendrycks & Gimpel 2016.
  case gelu
  case sigmoid
  case tanh
  /// `output · tanh(input · x)`; the defaults are LeCun's. Source: LeCun et al. 1998, §4.4.
  case scaledTanh(input: Double = 2.0 / 3.0, output: Double = 1.7159)
  case softplus
  case softsign
  case hardSigmoid
  /// Over the last axis. Networks for classification usually end without it, since
  /// `softmaxCrossEntropy` takes logits.
  case softmax
  case logSoftmax

  /// The function applied to `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor { value(of: self, at: x) }
}

// Outside of the enumeration, whose cases hide the functions of the same names.
private func value(of activation: Activation, at x: Tensor) -> Tensor {
  switch activation {
  case .identity: x
  case .relu: relu(x)
  case .relu6: relu6(x)
  case .leakyReLU(let slope): leakyReLU(x, slope: slope)
  case .elu(let alpha): elu(x, alpha: alpha)
  case .selu: selu(x)
  case .gelu: gelu(x)
  case .sigmoid: sigmoid(x)
  case .tanh: tanh(x)
  case .scaledTanh(let input, let output): output * tanh(input * x)
  case .softplus: softplus(x)
  case .softsign: softsign(x)
  case .hardSigmoid: hardSigmoid(x)
  case .softmax: softmax(x, axis: -1)
  case .logSoftmax: logSoftmax(x, axis: -1)
  }
}

extension Activation {
  /// The parts that descriptions and the notation are made of.
  struct Parts: Hashable {
    var name: String
    /// Label and value; the label is the key in descriptions.
    var parameters: [Parameter] = []

    struct Parameter: Hashable {
      var label: String
      var value: Double
    }
  }

  var parts: Parts {
    switch self {
    case .identity: Parts(name: "identity")
    case .relu: Parts(name: "relu")
    case .relu6: Parts(name: "relu6")
    case .leakyReLU(let slope): Parts(name: "leakyReLU", parameters: [.init("slope", slope)])
    case .elu(let alpha): Parts(name: "elu", parameters: [.init("alpha", alpha)])
    case .selu: Parts(name: "selu")
    case .gelu: Parts(name: "gelu")
    case .sigmoid: Parts(name: "sigmoid")
    case .tanh: Parts(name: "tanh")
    case .scaledTanh(let input, let output):
      Parts(name: "scaledTanh", parameters: [.init("input", input), .init("output", output)])
    case .softplus: Parts(name: "softplus")
    case .softsign: Parts(name: "softsign")
    case .hardSigmoid: Parts(name: "hardSigmoid")
    case .softmax: Parts(name: "softmax")
    case .logSoftmax: Parts(name: "logSoftmax")
    }
  }

  /// Every nonlinearity, with usual parameters.
  package static let all: [Activation] = [
    .identity, .relu, .relu6, .leakyReLU(), .elu(), .selu, .gelu, .sigmoid, .tanh,
    .scaledTanh(), .softplus, .softsign, .hardSigmoid, .softmax, .logSoftmax,
  ]

  /// This one with other parameters; those without parameters stay as they are.
  func with(_ values: [Double]) -> Activation {
    switch (self, values.count) {
    case (.leakyReLU, 1): .leakyReLU(slope: values[0])
    case (.elu, 1): .elu(alpha: values[0])
    case (.scaledTanh, 2): .scaledTanh(input: values[0], output: values[1])
    default: self
    }
  }
}

extension Activation.Parts.Parameter {
  init(_ label: String, _ value: Double) { self.init(label: label, value: value) }
}

extension Activation: CustomStringConvertible {
  /// `relu`, `leakyReLU(slope: 0.1)`
  public var description: String {
    let parts = parts
    if parts.parameters.isEmpty || Activation.all.contains(self) { return parts.name }
    let list = parts.parameters.map { "\($0.label): \($0.value)" }.joined(separator: ", ")
    return "\(parts.name)(\(list))"
  }
}

extension Activation: Codable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }

  /// The name, or an object with the name as `kind` where parameters are not the usual ones.
  public func encode(to encoder: any Encoder) throws {
    let parts = parts
    if Activation.all.contains(self) {
      var container = encoder.singleValueContainer()
      try container.encode(parts.name)
      return
    }
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(parts.name, forKey: Key("kind"))
    for parameter in parts.parameters {
      try container.encode(parameter.value, forKey: Key(parameter.label))
    }
  }

  public init(from decoder: any Decoder) throws {
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      self = try Self.named(name, decoder)
      return
    }
    let container = try decoder.container(keyedBy: Key.self)
    let usual = try Self.named(try container.decode(String.self, forKey: Key("kind")), decoder)
    let values = try usual.parts.parameters.map { parameter in
      try container.decodeIfPresent(Double.self, forKey: Key(parameter.label)) ?? parameter.value
    }
    self = usual.with(values)
  }

  private static func named(_ name: String, _ decoder: any Decoder) throws -> Activation {
    if let found = all.first(where: { $0.parts.name == name }) { return found }
    let names = all.map(\.parts.name)
    let hint = NearestNames.question(
      name, in: names, otherwise: "there are \(names.joined(separator: ", "))")
    throw DecodingError.dataCorrupted(
      .init(
        codingPath: decoder.codingPath,
        debugDescription: "no nonlinearity is called \"\(name)\"; \(hint)"))
  }
}
