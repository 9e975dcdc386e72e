import AgnesiLoops

/// An operation whose work is known in advance: what summaries print and cost models weigh.
package protocol CountsWork {
  /// The number of multiplications with an addition, for operands of these types. Products with
  /// padding count.
  func multiplyAdds(of operands: [TensorType]) -> Size
}

extension MatMul: CountsWork {
  package func multiplyAdds(of operands: [TensorType]) -> Size {
    guard let columns = operands[1].shape.last else { return 0 }
    return operands[0].count * columns
  }
}
