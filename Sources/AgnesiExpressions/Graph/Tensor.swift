import AgnesiArrays
import AgnesiLoops

/// A value that a program will compute: one result of a node of the expression graph.
///
/// Building a tensor computes nothing. `compile` turns a graph of them into a function, and
/// `evaluate` does so for a single use. Two tensors are equal (`==`) when they are the same result of
/// the same node; `.==` compares elements.
///
/// A mistake, such as shapes that do not fit, is recorded in the tensor and thrown by `compile` with
/// the place where it was made.
public struct Tensor: Hashable, Sendable {
  package let node: Node
  package let result: Int

  package init(node: Node, result: Int) {
    self.node = node
    self.result = result
  }

  /// The results of `operation` on `operands`.
  ///
  /// The one place where nodes are made: types are checked, and a mistake is recorded with the
  /// operands' names, types and source locations.
  package static func make(_ operation: any Operation, _ operands: [Tensor]) -> [Tensor] {
    let location = SourceLocation.capture()
    let unknown = [TensorType](repeating: .unknown, count: operation.resultCount)
    if let failure = operands.lazy.compactMap(\.node.failure).first {
      return Node(operation, operands, types: unknown, failure: failure, location: location).results
    }
    if operands.contains(where: { !$0.type.isKnown }) {
      return Node(operation, operands, types: unknown, location: location).results
    }
    do {
      let types = try operation.types(of: operands.map(\.type))
      return Node(operation, operands, types: types, location: location).results
    } catch {
      let failure = GraphError(
        operation.label, error.message, operands: operation.described(operands),
        hint: error.hint, location: location)
      return Node(operation, operands, types: unknown, failure: failure, location: location).results
    }
  }

  /// The single result of `operation`.
  package init(_ operation: any Operation, _ operands: Tensor...) {
    self = Self.make(operation, operands)[0]
  }

  /// A tensor that stands for a mistake found outside an operation's own type rule.
  package static func failed(_ error: GraphError) -> Tensor {
    var error = error
    let location = error.location ?? SourceLocation.capture()
    error.location = location
    return Node(Wildcard("failed"), [], types: [.unknown], failure: error, location: location)
      .results[0]
  }

  public var type: TensorType { node.types[result] }
  public var dtype: DType { type.dtype }

  /// The sizes of the axes; empty for a failed tensor, so index with ``size(_:)`` in code that
  /// must not trap on a user's mistake.
  public var shape: Shape { type.shape }
  public var rank: Int { type.rank }

  /// The mistake recorded here or in what this is built from.
  public var failure: GraphError? { node.failure }

  /// The size of an axis; negative axes count from the end. An axis that does not exist has an
  /// unknown size, and the operation that uses it reports the mistake.
  public func size(_ axis: Int) -> Size {
    let position = axis < 0 ? axis + rank : axis
    return shape.indices.contains(position) ? shape[position] : .symbol("?")
  }

  /// The name of an input or parameter, or of the operation that makes it.
  public var name: String { node.operation.instanceName ?? "" }
}

extension Tensor: CustomStringConvertible {
  public var description: String {
    if let failure { return "failed: \(failure.text(withLocations: false))" }
    return name.isEmpty ? "\(node.operation.label) \(type)" : "\(name) \(type)"
  }
}

extension Operation {
  /// The operands as errors show them.
  fileprivate func described(_ operands: [Tensor]) -> [GraphError.Operand] {
    operands.enumerated().map { position, operand in
      let role = position < roles.count ? roles[position] : "operand \(position + 1)"
      return GraphError.Operand(
        role: role, name: operand.name, type: operand.type, location: operand.node.location)
    }
  }
}
