// Formulas that overflow, cancel or make NaN on the way, put into forms that do not. They are the
// user's formulas as they stand in books, so they are rewritten rather than forbidden. A formula is
// made stable before it is differentiated, too: the gradient of an unstable one is as unstable.
//
// Operands are in the form of the canonical table: `exp(x) − 1` is `exp(x) + (−1)`.

extension Rewrites {
  package static let stabilize = logarithms + sigmoids + losses

  private static let logarithms = rules {
    let (x, y) = (Tensor.any("x"), Tensor.any("y"))
    rule("log of one plus", log(1 + x), log1p(x), because: "digits of a small x survive")
    rule("log of one minus", log(1 - x), log1p(-x), because: "digits of a small x survive")
    rule("exponential minus one", exp(x) + -1, expm1(x), because: "digits of a small x survive")
    rule("one minus exponential", 1 - exp(x), -expm1(x), because: "digits of a small x survive")
    rule("log of one plus exponential", log1p(exp(x)), softplus(x), because: overflow)
    rule("log of a sum of two exponentials", log(exp(x) + exp(y)), because: overflow) { match in
      logAddExp(match[x], match[y])
    }
    let sum = Tensor.node("sum", exp(x))
    rule("log of a sum of exponentials", log(sum), because: overflow) { match in
      match.logSumExp(sum, of: x)
    }
    let kept = Tensor.node("reshape", sum)
    rule("log of a sum of exponentials, kept axes", log(kept), because: overflow) { match in
      match.logSumExp(sum, of: x)?.reshaped(match.root.shape)
    }
    rule("logarithm of an exponential", log(exp(x)), x, because: overflow)
    rule("root of a square", sqrt(square(x)), abs(x), because: "the square overflows")
  }

  private static let overflow = "the exponential overflows long before the result does"

  private static let sigmoids = rules {
    let x = Tensor.any("x")
    rule("log of sigmoid", log(sigmoid(x)), -softplus(-x), because: "sigmoid(−104) is 0 in float32")
    rule("one minus sigmoid", 1 - sigmoid(x), sigmoid(-x), because: "sigmoid(17) is 1 in float32")
    rule("sigmoid written out", 1 / (1 + exp(x)), sigmoid(-x))
    rule("sigmoid as a fraction", exp(x) / (1 + exp(x)), sigmoid(x), because: "∞ / ∞ is NaN")
    rule("log of one minus sigmoid", log1p(-sigmoid(x)), -softplus(x))
  }
}

extension Match {
  /// The stable form, unless the largest is subtracted already.
  fileprivate func logSumExp(_ sum: Tensor, of part: Tensor) -> Tensor? {
    let x = self[part]
    guard let axes = self[sum].reduction?.axes, !x.isShiftedByLargest else { return nil }
    return AgnesiExpressions.logSumExp(x, axes: axes)
  }
}

extension Tensor {
  /// Whether this is `x − max(x)`, seen through broadcasts and choices.
  var isShiftedByLargest: Bool {
    guard label == "subtract" else { return false }
    let (x, shift) = (node.operands[0], node.operands[1])
    return [shift].topologicalNodes(stoppingAt: [x]).contains { node in
      node.operation.isMaximum && node.operands == [x]
    }
  }
}

extension Operation {
  fileprivate var isMaximum: Bool { (self as? Reduce)?.combiner == .maximum }
}
