import AgnesiArrays
import AgnesiExpressions

// ReLU and its gradient, whatever way they are written, become one operation each, which passes and
// libraries know.

extension Rewrites {
  package static let rectifiers = rules {
    let (x, y, gradient) = (Tensor.any("x"), Tensor.any("y"), Tensor.any("slope"))
    let zero = Tensor.constant(0)
    let isNegative = Tensor.node("lessOrEqual", x, zero)
    rule("ReLU as a choice", Tensor.node("select", isNegative, zero, x)) { match in
      Tensor(Rectify(), match[x])
    }
    rule("ReLU as a maximum", maximum(x, 0), because: "−0 may become 0") { match in
      match.root.dtype.isFloating ? Tensor(Rectify(), match[x]) : nil
    }
    let isPositive = Tensor.node("less", zero, y)
    rule("gradient of ReLU", Tensor.node("select", isPositive, gradient, zero)) { match in
      match[y].dtype == match[gradient].dtype
        ? Tensor(RectifyGradient(), match[y], match[gradient]) : nil
    }
  }
}
