import AgnesiArrays
import AgnesiExpressions

// Powers with known exponents, and functions of functions.

extension Rewrites {
  static let functions = rules {
    let x = Tensor.any("x")
    rule("power 0", power(x, 0), .constant(1), because: "IEEE 754 says 1, for NaN too")
    rule("power 1", power(x, 1), x)
    rule("power 2", power(x, 2), square(x))
    rule("power 3", power(x, 3), square(x) * x)
    rule("power −1", power(x, -1), 1 / x) { $0.root.dtype.isFloating }
    rule("power −2", power(x, -2), 1 / square(x)) { $0.root.dtype.isFloating }
    rule("power ½", power(x, 0.5), sqrt(x), because: "differs at −∞ only, which becomes NaN")
    rule("power −½", power(x, -0.5), 1 / sqrt(x), because: "differs at −∞ and −0 only")
    rule("square of a magnitude", square(abs(x)), square(x))
    rule("magnitude of a negative", abs(-x), abs(x))
    rule("magnitude of a magnitude", abs(abs(x)), abs(x))
    rule("log1p of expm1", log1p(expm1(x)), x, because: "cannot overflow")
    rule("the larger of the same", maximum(x, x), x)
    rule("the smaller of the same", minimum(x, x), x)
  }
}
