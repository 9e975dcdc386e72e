import AgnesiArrays
import AgnesiLoops

/// The product of upstream gradients with the Jacobian: what arrives at each
/// variable when `upstream` arrives at `outputs`; nil where nothing does.
///
/// With `stopping`, the walk does not look behind the variables, which makes it local: composites
/// use it on their bodies.
///
/// - Parameter unread: whether elements of the outputs may have been left out already.
package func pullback(
  of outputs: [Tensor], upstream: [Tensor?], withRespectTo variables: [Tensor],
  constants: Set<Tensor> = [], stopping: Bool = false, unread: UnreadElements = .none
) -> [Tensor?] {
  let order = outputs.topologicalNodes(stoppingAt: stopping ? Set(variables) : [])
  var walk = Pullback(order: order, variables: variables, constants: constants, unread: unread)
  for (output, gradient) in zip(outputs, upstream) {
    walk.add(gradient, to: output, isPartial: unread == .some)
  }
  walk.run()
  return variables.map { walk.arrived[$0] }
}

/// What a walk knows of elements that nothing reads.
package enum UnreadElements: Sendable {
  /// Every element of the outputs is read.
  case none
  /// Some elements of the outputs may not be read: their gradients are 0.
  case some
  /// No matter: the formula is one of this library's, which is finite where its operands are.
  case ignored
}

/// One walk from outputs to variables.
///
/// An operation that leaves elements out (a slice) gives them the gradient 0, and 0 they must stay:
/// times an infinite derivative (that of a square root at 0) it would be NaN. So where such zeros
/// may be, functions whose derivatives may be infinite keep them. Elsewhere nothing is added, and
/// zeros that were computed mean what they mean in a product.
private struct Pullback {
  let order: [Node]
  let variables: [Tensor]
  let constants: Set<Tensor>
  let unread: UnreadElements
  let needed: Set<Node>
  private(set) var arrived: [Tensor: Tensor] = [:]
  /// Where a gradient arrived that has a value for each element.
  private var complete: Set<Tensor> = []
  /// The tensors of `order` that may hold NaN or infinity where leaves are finite.
  private var risky: Set<Tensor> = []

  init(
    order: [Node], variables: [Tensor], constants: Set<Tensor>, unread: UnreadElements
  ) {
    self.order = order
    self.variables = variables
    self.constants = constants
    self.unread = unread
    needed = dependents(of: Set(variables.map(\.node)), in: order)
    // What a user's formula is given is not known here.
    if unread == .some { risky = Set(variables) }
    if unread != .ignored { findRisks() }
  }

  mutating func add(_ gradient: Tensor?, to tensor: Tensor, isPartial: Bool) {
    guard let gradient, !constants.contains(tensor) else { return }
    arrived[tensor] = arrived[tensor].map { $0 + gradient } ?? gradient
    if !isPartial { complete.insert(tensor) }
  }

  mutating func run() {
    for node in order.reversed() where needed.contains(node) && !node.operands.isEmpty {
      let results = node.results
      let incoming = results.map { arrived[$0] }
      guard incoming.contains(where: { $0 != nil }) else { continue }
      let isPartial = results.allSatisfy { arrived[$0] == nil || !complete.contains($0) }
      // What was consumed is kept only for variables, so that a long graph holds few gradients.
      let outgoing = SourceLocation.$inherited.withValue(node.location) {
        gradients(of: node, incoming, isPartial: isPartial)
      }
      let leavesOut = isPartial || (unread != .ignored && node.operation.leavesElementsOut)
      for (operand, gradient) in zip(node.operands, outgoing)
      where needed.contains(operand.node) || variables.contains(operand) {
        add(gradient, to: operand, isPartial: leavesOut)
      }
    }
  }

  private func gradients(of node: Node, _ incoming: [Tensor?], isPartial: Bool) -> [Tensor?] {
    if let composite = node.operation as? Composite {
      return composite.gradient(
        incoming, operands: node.operands, results: node.results,
        unread: unread == .ignored ? .ignored : isPartial ? .some : .none)
    }
    let outgoing = node.operation.gradient(
      incoming, operands: node.operands, results: node.results)
    guard isPartial, unread != .ignored, let gradient = incoming[0], multiplies(node) else {
      return outgoing
    }
    return outgoing.map { $0.map { $0.keepingZeros(of: gradient) } }
  }

  /// Whether gradients are multiplied by something that may be infinite.
  private func multiplies(_ node: Node) -> Bool {
    guard let isBounded = node.operation.elementwiseBound else { return false }
    return !isBounded || node.operands.contains(where: risky.contains)
  }

  /// Data may hold anything, and so may what functions make of it that have poles; what sums and
  /// products of matrices make is taken for finite, as parameters are.
  private mutating func findRisks() {
    for node in order {
      if node.operation.mayBeInfinite
        || (node.operation.hasRisksOfOperands && node.operands.contains(where: risky.contains))
      {
        risky.formUnion(node.results)
      }
    }
  }
}

extension Tensor {
  /// This product of each element with `upstream`, but 0 where `upstream` is 0 and the other factor
  /// is not finite.
  func keepingZeros(of upstream: Tensor) -> Tensor {
    guard self != upstream, dtype == upstream.dtype, scalarConstant == nil, !isChoice(of: upstream)
    else {
      return self
    }
    return select((upstream .== 0) .& isNaN(self), Tensor.constant(0, dtype), self)
  }

  /// Whether each element is that of `upstream` or 0: nothing was multiplied.
  private func isChoice(of upstream: Tensor) -> Bool {
    guard node.operation is Select else { return false }
    return node.operands.dropFirst().allSatisfy { $0 == upstream || $0.scalarConstant == 0 }
  }
}

extension Operation {
  /// Of a function of each element, whether its derivative is finite where the elements are; nil for
  /// other operations.
  fileprivate var elementwiseBound: Bool? {
    if let function = self as? any UnaryElementwise { return function.hasBoundedDerivative }
    return (self as? any BinaryElementwise)?.hasBoundedDerivative
  }

  /// Whether results may be infinite or NaN though the operands are finite.
  fileprivate var mayBeInfinite: Bool {
    switch self {
    case is Input: true
    case let constant as Constant: !constant.isFinite
    case let composite as Composite: !composite.isBuiltIn
    default: elementwiseBound == false
    }
  }

  /// Whether an infinite operand can show in the results: not in those of matrix products and
  /// convolutions, whose operands are taken for finite.
  fileprivate var hasRisksOfOperands: Bool {
    switch self {
    case is MatMul, is any ConvolutionPass, is Composite: false
    default: true
    }
  }
}

extension Constant {
  /// Whether all values are finite; of many values it is not found out.
  fileprivate var isFinite: Bool {
    !array.dtype.isFloating || (array.count <= 4096 && array.doubles.allSatisfy(\.isFinite))
  }
}

/// The nodes of `order` that are made of any of `sources`, sources included.
private func dependents(of sources: Set<Node>, in order: [Node]) -> Set<Node> {
  var result = sources
  for node in order where node.operands.contains(where: { result.contains($0.node) }) {
    result.insert(node)
  }
  return result
}
