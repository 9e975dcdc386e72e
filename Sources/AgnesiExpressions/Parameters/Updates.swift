/// New values for parameters, which a compiled function stores after it has computed its outputs.
///
/// Ordered pairs of a parameter and an expression, plus the values that the layers behind them bring
/// along (``init(_:bringing:)``). All values are computed from the parameters as they were before the
/// call. A mistake is recorded in ``failure`` and thrown by `compile`.
///
///     let descent = Updates([(w, w - 0.1 * gradient)])
public struct Updates: Sendable {
  /// One parameter and its new value, of the same dtype and shape.
  public struct Pair: Hashable, Sendable {
    public let parameter: Tensor
    public let value: Tensor
  }

  /// In the order in which they were given; what was brought along comes last.
  public private(set) var pairs: [Pair] = []

  /// The first mistake: a target that is no parameter, a value of another dtype or shape, a target
  /// given twice, or a mistake inside a value.
  public private(set) var failure: GraphError?

  private var positions: [Parameter: Int] = [:]

  /// No updates.
  public init() {}

  /// - Parameters:
  ///   - pairs: parameters and their new values.
  ///   - outputs: expressions (usually the cost) whose composites bring their own updates along, such
  ///     as the running averages of a batch normalisation. A composite's updates are taken where
  ///     `pairs` changes a trainable parameter among its operands; where it has none, where `pairs`
  ///     changes one of those that lead to it from the composite of that kind before it, or where
  ///     there are none at all. So the step of a discriminator leaves the generator's averages alone.
  public init(_ pairs: [(Tensor, Tensor)], bringing outputs: [Tensor] = []) {
    for (parameter, value) in pairs { set(parameter, to: value) }
    if failure == nil { bringAlong(outputs) }
  }

  /// Adds a pair.
  public mutating func set(_ parameter: Tensor, to value: Tensor) {
    guard failure == nil else { return }
    if let mistake = mistake(parameter, value) {
      failure = mistake
      return
    }
    guard let target = parameter.parameter else { return }
    positions[target] = pairs.count
    pairs.append(Pair(parameter: parameter, value: value))
  }

  /// The new value of a parameter; nil where it keeps its value.
  public subscript(parameter: Tensor) -> Tensor? {
    parameter.parameter.flatMap { positions[$0] }.map { pairs[$0].value }
  }

  /// The same parameters with other new values: how constraints wrap any update rule.
  public func mapValues(
    _ transform: (_ parameter: Tensor, _ value: Tensor) -> Tensor
  ) -> Updates {
    var result = Updates()
    for pair in pairs { result.set(pair.parameter, to: transform(pair.parameter, pair.value)) }
    if result.failure == nil { result.failure = failure }
    return result
  }

  /// Both; a parameter in both is a mistake.
  public static func + (a: Updates, b: Updates) -> Updates {
    var result = a
    for pair in b.pairs { result.set(pair.parameter, to: pair.value) }
    if result.failure == nil { result.failure = b.failure }
    return result
  }

  public static func += (a: inout Updates, b: Updates) { a = a + b }
}

// MARK: - Mistakes

extension Updates {
  private func mistake(_ parameter: Tensor, _ value: Tensor) -> GraphError? {
    if let inside = parameter.failure ?? value.failure { return inside }
    guard let target = parameter.parameter else {
      return error(
        "the target is no parameter", [operand("target", parameter)],
        hint: "targets are made by Tensor.parameter")
    }
    let both = [operand("parameter", parameter), operand("new value", value)]
    let name = "\"\(target.name)\""
    if positions[target] != nil { return error("parameter \(name) is updated twice", both) }
    guard value.dtype == parameter.dtype else {
      return error(
        "the new value of \(name) is \(value.dtype), not \(parameter.dtype)", both,
        hint: "convert it with cast(to: .\(parameter.dtype))")
    }
    guard value.type.mayEqual(parameter.type) else {
      return error("the shape of the new value differs from that of \(name)", both)
    }
    return nil
  }

  private func operand(_ role: String, _ tensor: Tensor) -> GraphError.Operand {
    GraphError.Operand(
      role: role, name: tensor.name, type: tensor.type, location: tensor.node.location)
  }

  private func error(
    _ message: String, _ operands: [GraphError.Operand], hint: String? = nil
  ) -> GraphError {
    GraphError(
      "updates", message, operands: operands, hint: hint, location: SourceLocation.capture())
  }
}

// MARK: - What comes along

extension Updates {
  /// Adds what the composites in `outputs` carry; a value given by hand wins.
  private mutating func bringAlong(_ outputs: [Tensor]) {
    let given = Set(positions.keys)
    // Where one layer is used twice, its second use starts from the result of the first.
    var latest: [Parameter: Tensor] = [:]
    var order: [Tensor] = []
    for node in outputs.topologicalNodes() {
      guard let composite = node.operation as? Composite, !composite.updates.isEmpty,
        belongs(node, to: given)
      else { continue }
      let operands = node.operands.map { operand in
        operand.parameter.flatMap { latest[$0] } ?? operand
      }
      let isRepeated = operands != node.operands
      let results = isRepeated ? Tensor.make(composite, operands) : node.results
      for update in composite.updates {
        let target = node.operands[update.operand]
        guard let parameter = target.parameter, !given.contains(parameter) else { continue }
        if latest[parameter] == nil { order.append(target) }
        latest[parameter] = results[update.result]
      }
    }
    for target in order {
      if let value = target.parameter.flatMap({ latest[$0] }) { set(target, to: value) }
    }
  }

  /// Whether the updates of a composite come along when the parameters `given` are changed.
  private func belongs(_ node: Node, to given: Set<Parameter>) -> Bool {
    let own = node.operands.compactMap(\.parameter).filter { $0.tags.contains(.trainable) }
    if !own.isEmpty { return own.contains { given.contains($0) } }
    let before = trainables(leadingTo: node)
    return before.isEmpty || before.contains { given.contains($0) }
  }

  /// The trainable parameters between a composite and those of its kind before it.
  private func trainables(leadingTo node: Node) -> [Parameter] {
    var seen: Set<Node> = [node]
    var stack = node.operands.map(\.node)
    var result: [Parameter] = []
    while let next = stack.popLast() {
      guard seen.insert(next).inserted else { continue }
      if let leaf = next.operation as? ParameterLeaf, leaf.parameter.tags.contains(.trainable) {
        result.append(leaf.parameter)
      }
      let carries = (next.operation as? Composite).map { !$0.updates.isEmpty } ?? false
      if !carries { stack += next.operands.map(\.node) }
    }
    return result
  }
}
