import AgnesiCompiler
import AgnesiExpressions

/// Pooling before ReLU instead of after it: the same numbers from a quarter of the work, and the
/// image between the two is never written.
///
/// A maximum and ReLU commute, NaN included. The slope of a window goes to its first largest element
/// if that is positive; then it is the same element with and without ReLU, and otherwise the slope
/// is 0.
enum PoolingRules {
  static let all = rules {
    let y = Tensor.any("y")
    rule("maximum of ReLU", Tensor.node("maxPool", y)) { match in
      guard match.root.result == 0, let pool = match.root.node.operation as? MaxPool,
        let x = match[y].rectified
      else { return nil }
      return Tensor.make(pool, [x])[0].rectifiedLike(match[y])
    }
    let (mask, slopes) = (Tensor.any("mask"), Tensor.any("slopes"))
    rule("slopes of ReLU and maximum", Tensor.node("select", mask, slopes, .constant(0))) { match in
      guard let adjoint = match[slopes].node.operation as? MaxPoolToInput,
        let y = match[mask].positive, let x = y.rectified
      else { return nil }
      let (slope, places) = (match[slopes].node.operands[0], match[slopes].node.operands[1])
      guard let pool = places.node.operation as? MaxPool, places.result == 1,
        places.node.operands[0] == y
      else { return nil }
      let pooled = Tensor.make(pool, [x])
      let zero = Tensor.constant(0, slope.dtype).broadcast(to: slope.shape)
      let chosen = select(zero .< pooled[0].rectifiedLike(y), slope, zero)
      return Tensor.make(adjoint, [chosen, pooled[1]])[0]
    }
  }
}

extension Tensor {
  private var isZero: Bool { scalarConstant == 0 }

  /// `x` where this is ReLU of it, as the pipeline leaves it: `x <= 0 ? 0 : x`.
  fileprivate var rectified: Tensor? {
    guard node.operation.label == "select", node.operands.count == 3 else { return nil }
    let (condition, zero, x) = (node.operands[0], node.operands[1], node.operands[2])
    guard zero.isZero, condition.node.operation.label == "lessOrEqual",
      condition.node.operands[0] == x, condition.node.operands[1].isZero
    else { return nil }
    return x
  }

  /// `y` where this is `0 < y`.
  fileprivate var positive: Tensor? {
    guard node.operation.label == "less", node.operands[0].isZero else { return nil }
    return node.operands[1]
  }

  /// ReLU, in the form of ``rectified``.
  fileprivate func rectifiedLike(_ other: Tensor) -> Tensor {
    let zero = Tensor.constant(0, dtype).broadcast(to: shape)
    return select(self .<= zero, zero, self)
  }
}
