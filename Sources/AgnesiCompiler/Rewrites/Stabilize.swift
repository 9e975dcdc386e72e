import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

// Formulas that overflow, cancel or make NaN on the way, put into forms that do not. They are the
// user's formulas as they stand in books, so they are rewritten rather than forbidden.
//
// Operands are in the form of the canonical table: `exp(x) − 1` is `exp(x) + (−1)`.

extension Rewrites {
  package static let stabilize = logarithms + sigmoids + losses + slopes

  private static let logarithms = rules {
    let (x, y) = (Tensor.any("x"), Tensor.any("y"))
    rule("log of one plus", log(1 + x), log1p(x), because: "digits of a small x survive")
    rule("log of one minus", log(1 - x), log1p(-x), because: "digits of a small x survive")
    rule("exponential minus one", exp(x) + -1, expm1(x), because: "digits of a small x survive")
    rule("one minus exponential", 1 - exp(x), -expm1(x), because: "digits of a small x survive")
    rule("log of one plus exponential", log1p(exp(x)), softplus(x), because: overflow)
    rule("log of a sum of two exponentials", log(exp(x) + exp(y)), because: overflow) { match in
      let (a, b) = (match[x], match[y])
      // Equal infinities have no difference.
      let difference = select(a .== b, .constant(0, a.dtype), abs(a - b))
      return maximum(a, b) + softplus(-difference)
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

  /// A number times a choice of 0 is 0, also where the number is infinite or NaN: this keeps the
  /// slopes of what was not chosen out of the gradient.
  private static let slopes = rules {
    let (condition, x, y) = (Tensor.any("condition"), Tensor.any("x"), Tensor.any("y"))
    let whereTrue = Tensor.node("select", condition, x, .constant(0))
    let whereFalse = Tensor.node("select", condition, .constant(0), x)
    rule("product of a choice or 0", whereTrue * y) { match in
      select(match[condition], match[x] * match[y], match.number(0))
    }
    rule("product of 0 or a choice", whereFalse * y) { match in
      select(match[condition], match.number(0), match[x] * match[y])
    }
    rule("quotient of a choice or 0", whereTrue / y) { match in
      select(match[condition], match[x] / match[y], match.number(0))
    }
    rule("quotient of 0 or a choice", whereFalse / y) { match in
      select(match[condition], match.number(0), match[x] / match[y])
    }
  }
}
