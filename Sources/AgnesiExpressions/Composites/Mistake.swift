import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// A tensor that stands for a mistake in a call of the function `name`; the mistake of an operand
  /// comes first.
  static func mistake(
    _ name: String, _ error: TypeError, _ operands: [(role: String, tensor: Tensor)]
  ) -> Tensor {
    if let failed = operands.first(where: { $0.tensor.failure != nil }) { return failed.tensor }
    let described = operands.map { operand in
      GraphError.Operand(
        role: operand.role, name: operand.tensor.name, type: operand.tensor.type,
        location: operand.tensor.node.location)
    }
    return .failed(GraphError(name, error.message, operands: described, hint: error.hint))
  }
}

extension Tensor {
  /// The single result of `operation`; a mistake is thrown instead of recorded, for the caller to
  /// record it under the name that the user wrote.
  static func checked(
    _ operation: some Operation, _ operands: Tensor...
  ) throws(TypeError) -> Tensor {
    if operands.allSatisfy(\.type.isKnown) { _ = try operation.types(of: operands.map(\.type)) }
    return make(operation, operands)[0]
  }
}
