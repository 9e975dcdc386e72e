/// A nonlinearity that stands in a graph: a function of each element, apart from what it is applied to.
public struct Nonlinearity: Sendable {
  /// `relu`, `leakyReLU`, `sigmoid`, …; `clippedReLU` for a rectifier with an upper bound, however it
  /// was written.
  public let name: String
  /// Whether it lets large positive values through and holds negative ones back.
  public let isRectifier: Bool
  private let apply: @Sendable (Tensor) -> Tensor

  private init(_ name: String, apply: @escaping @Sendable (Tensor) -> Tensor) {
    self.name = name
    self.apply = apply
    isRectifier = Self.rectifiers.contains(name)
  }

  /// The function itself, of another operand.
  public func callAsFunction(_ x: Tensor) -> Tensor { apply(x) }

  /// The same function with a gradient of its own: what `rule` makes of the upstream
  /// gradient, which arrives at `y = f(x)`, is the gradient of `x`.
  ///
  /// - Parameter name: of the function in printed graphs.
  public func overriding(
    gradient rule: @escaping @Sendable (_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor,
    name: String
  ) -> @Sendable (Tensor) -> Tensor {
    { x in
      .composite(
        name, [x],
        gradient: { upstream, operands, results in
          [upstream[0].map { rule($0, operands[0], results[0]) }]
        },
        isOwnKind: true, body: { apply($0[0]) })
    }
  }

  /// The function's own gradient: that of `x` where `upstream` arrives at `f(x)`.
  public func gradient(_ upstream: Tensor, at x: Tensor) -> Tensor {
    pullback(of: [apply(x)], upstream: [upstream], withRespectTo: [x], stopping: true)[0]
      ?? .zeros(like: x)
  }
}

// MARK: - Finding

extension Nonlinearity {
  private static let rectifiers: Set<String> = [
    "relu", "relu6", "clippedReLU", "leakyReLU", "elu", "selu", "gelu", "silu", "swish",
    "hardSwish", "softplus",
  ]
  private static let others: Set<String> = [
    "sigmoid", "tanh", "softsign", "hardSigmoid",
  ]

  /// The nonlinearity whose result this is, and what it is applied to; nil where it is something
  /// else.
  ///
  /// Known are functions by their names, and the formulas that rectifiers are written as:
  /// `maximum(x, 0)`, `clip(x, 0, c)` and `minimum(maximum(x, 0), c)`.
  static func found(at tensor: Tensor) -> (nonlinearity: Nonlinearity, operand: Tensor)? {
    let node = tensor.node
    guard tensor.failure == nil, node.types.count == 1 else { return nil }
    let label = node.operation.label
    if node.operands.count == 1, rectifiers.union(others).contains(label) {
      let operation = node.operation
      return (Nonlinearity(label) { Tensor.make(operation, [$0])[0] }, node.operands[0])
    }
    return clipped(tensor) ?? rectified(tensor)
  }

  private static func rectified(
    _ tensor: Tensor
  ) -> (nonlinearity: Nonlinearity, operand: Tensor)? {
    guard let (x, bound) = tensor.operandAndNumber(of: "maximum"), bound == 0 else { return nil }
    return (Nonlinearity("relu") { maximum($0, 0) }, x)
  }

  private static func clipped(
    _ tensor: Tensor
  ) -> (nonlinearity: Nonlinearity, operand: Tensor)? {
    if let (inner, low) = tensor.operandAndNumber(of: "maximum"),
      let (x, high) = inner.operandAndNumber(of: "minimum"), low == 0, high > 0
    {
      return (Nonlinearity("clippedReLU") { clip($0, 0, high) }, x)
    }
    if let (inner, high) = tensor.operandAndNumber(of: "minimum"),
      let (x, low) = inner.operandAndNumber(of: "maximum"), low == 0, high > 0
    {
      return (Nonlinearity("clippedReLU") { minimum(maximum($0, 0), high) }, x)
    }
    return nil
  }
}

extension Tensor {
  /// The two operands of an operation of that name, where one is the same number everywhere.
  fileprivate func operandAndNumber(of label: String) -> (operand: Tensor, number: Double)? {
    guard node.operation.label == label, node.operands.count == 2 else { return nil }
    let (left, right) = (node.operands[0], node.operands[1])
    if let number = right.repeatedNumber { return (left, number) }
    if let number = left.repeatedNumber { return (right, number) }
    return nil
  }

  /// The number that all elements are known to be.
  private var repeatedNumber: Double? {
    if node.operation.label == "broadcast" { return node.operands[0].repeatedNumber }
    guard let constant = node.operation as? Constant, constant.array.count == 1 else { return nil }
    return constant.array.scalar
  }
}

// MARK: - Replacing

extension [Tensor] {
  /// These expressions with other functions in the place of nonlinearities, for each of which
  /// `replacement` is asked: what becomes of `f(x)`, or nil to leave it. What the expressions share
  /// stays shared, and so do the parameters.
  ///
  /// This works on any graph, one that was read from a file too. Composites that have nonlinearities
  /// inside are opened.
  ///
  /// ```swift
  /// let smooth = [logits].replacingNonlinearities { f, x in f.name == "relu" ? softplus(x) : nil }
  /// ```
  ///
  /// - Complexity: linear in the nodes.
  public func replacingNonlinearities(
    _ replacement: (_ nonlinearity: Nonlinearity, _ x: Tensor) -> Tensor?
  ) -> [Tensor] {
    rebuilt { node, new in node.replaced(new, replacement) }
  }
}

extension Node {
  /// What takes the place of the results; nil where the operation stays.
  fileprivate func replaced(
    _ replacements: Replacements,
    _ replacement: (_ nonlinearity: Nonlinearity, _ x: Tensor) -> Tensor?
  ) -> [Tensor]? {
    if let (nonlinearity, operand) = Nonlinearity.found(at: results[0]) {
      if let new = replacement(nonlinearity, replacements[operand]) { return [new] }
    } else if let composite = operation as? Composite {
      let inner = composite.body.outputs.replacingNonlinearities(replacement)
      if inner != composite.body.outputs {
        return Graph(inputs: composite.body.inputs, outputs: inner)
          .applied(to: replacements.operands(of: self))
      }
    }
    return nil
  }
}
