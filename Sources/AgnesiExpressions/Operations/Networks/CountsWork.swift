import AgnesiLoops

/// An operation whose work is known in advance: what summaries print and cost models weigh.
package protocol CountsWork {
  /// The number of multiplications with an addition, for operands of these types. Products with
  /// padding count.
  func multiplyAdds(of operands: [TensorType]) -> Size
}

/// An operation each of whose results is made of many elements, without being a product.
package protocol LooksAtMany {
  /// How many elements are looked at for each element of the results.
  func looks(at operands: [TensorType]) -> Int
}

extension TopK: LooksAtMany {
  /// Each place is searched for in the whole row.
  package func looks(at operands: [TensorType]) -> Int {
    operands[0].shape[axis].leastValue ?? .max
  }
}

extension MatMul: CountsWork {
  package func multiplyAdds(of operands: [TensorType]) -> Size {
    guard let columns = operands[1].shape.last else { return 0 }
    return operands[0].count * columns
  }
}
