import AgnesiExpressions

/// A description of a map from tensor to tensor: a small value without parameters inside.
///
/// Calling a layer builds its expression and, with it, new parameters; calling it twice makes two
/// sets. Their names begin with the layer's name, or with its kind and a number: the first dense
/// layer makes `dense1.weight`. Sharing is explicit (``ParameterSource/shared(_:)``).
///
/// A layer of one's own is a struct with a `build`:
///
///     struct Maxout: Layer {
///       var pieces = 2
///       func build(_ input: Tensor) -> Tensor {
///         let size = input.size(-1) / Size(pieces)
///         return input.reshaped(input.shape.dropLast() + [size, Size(pieces)]).max(axes: [-1])
///       }
///     }
public protocol Layer: Codable, Sendable, Hashable {
  /// The word for such layers in descriptions and in names of parameters. By default the type's
  /// name, beginning in lower case.
  static var kind: String { get }

  /// What parameters' names begin with, in the place of kind and number.
  var name: String? { get }

  /// The expression of the layer. Parameters made here are named inside of the layer's scope, so
  /// short names such as `weight` do.
  func build(_ input: Tensor) -> Tensor

  /// What a summary says beside the name: `20 of 5×5, relu`.
  var details: String { get }
}

extension Layer {
  /// The type's name, beginning in lower case.
  public static var kind: String {
    let typeName = String(describing: Self.self)
    return typeName.prefix(1).lowercased() + typeName.dropFirst()
  }

  /// None: kind and number.
  public var name: String? { nil }
  /// Nothing.
  public var details: String { "" }

  /// The layer applied to `input`, with new parameters.
  ///
  /// Where the layer has no name it is numbered after those layers of its kind that `input` was made
  /// by.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    if input.failure != nil { return input }
    // A whole network adds nothing to the names of its layers.
    if self is Chain, name == nil { return build(input) }
    var numbers = LayerNumbers(in: input)
    return applied(to: input, &numbers)
  }

  /// The layer inside of its own scope, as a part of a chain.
  func applied(to input: Tensor, _ numbers: inout LayerNumbers) -> Tensor {
    let scope = name ?? numbers.next(Self.kind)
    return input.failure != nil ? input : Scope.named(scope) { build(input) }
  }

  /// A tensor that stands for a mistake in how the layer is used.
  func mistake(_ message: String, _ input: Tensor, hint: String? = nil) -> Tensor {
    let scope = Scope.current
    let operand = GraphError.Operand(
      role: "input", name: input.name, type: input.type, location: input.node.location)
    return .failed(
      GraphError(scope.isEmpty ? Self.kind : scope, message, operands: [operand], hint: hint))
  }
}

extension Tensor {
  /// This tensor through a layer: `image.through(Dense(units: 10))`.
  public func through(_ layer: some Layer) -> Tensor { layer(self) }
}
