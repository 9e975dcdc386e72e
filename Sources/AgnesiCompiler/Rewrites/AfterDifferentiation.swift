import AgnesiArrays
import AgnesiExpressions

// What is right only when all gradients are taken.

extension Rewrites {
  /// What only speaks of gradients is nothing more once they are taken.
  package static let gradientMarks = rules {
    for label in ["stopGradient", "gradientScale", "gradientClip"] {
      let x = Tensor.any("x")
      rule("\(label) after differentiation", Tensor.node(label, x)) { match in match[x] }
    }
  }

  /// A value times a choice of 0 is 0, also where the value is infinite or NaN: this keeps the
  /// NaN of what was not chosen out of the gradient.
  package static let choices = rules {
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
