import Synchronization

/// One application of an operation: the operation with its attributes, the operands, and the types
/// of the results. Immutable, shared, and compared by identity.
public final class Node: Sendable {
  package let operation: any Operation
  /// Changed only while the node is being released; see `deinit`.
  private nonisolated(unsafe) var storedOperands: [Tensor]
  package let types: [TensorType]
  /// The mistake that was found here or in an operand.
  package let failure: GraphError?
  /// Where the user wrote it.
  package let location: SourceLocation
  /// Grows with each node of the process: an order in which operands come first.
  package let serial: Int

  private static let counter = Atomic<Int>(0)

  package init(
    _ operation: any Operation, _ operands: [Tensor], types: [TensorType],
    failure: GraphError? = nil, location: SourceLocation
  ) {
    self.operation = operation
    self.storedOperands = operands
    self.types = types
    self.failure = failure
    self.location = location
    serial = Self.counter.add(1, ordering: .relaxed).newValue
  }

  package var operands: [Tensor] { storedOperands }

  /// Releases a long chain link by link: the compiler's own release recurses once for each node, and
  /// 40,000 of them overflow the stack.
  deinit {
    var pending = storedOperands.map(\.node)
    storedOperands = []
    while var node = pending.popLast() {
      guard isKnownUniquelyReferenced(&node) else { continue }
      pending += node.storedOperands.map(\.node)
      node.storedOperands = []
    }
  }

  /// All results, in order.
  package var results: [Tensor] { types.indices.map { Tensor(node: self, result: $0) } }
}

extension Node: Hashable {
  public static func == (a: Node, b: Node) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
