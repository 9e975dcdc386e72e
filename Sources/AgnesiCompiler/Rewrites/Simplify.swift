import AgnesiArrays
import AgnesiExpressions

// What does nothing, or the same with less.
//
// NaN and infinity keep their meaning: 0·x is 0 and x − x is 0 for integers only, since a float x
// may be NaN.

extension Rewrites {
  package static let simplify =
    arithmetic + functions + selection + views + convolutions + moves + reductions + pulls

  private static let arithmetic = rules {
    let x = Tensor.any("x")
    rule("plus zero", x + 0, x, because: "−0 stays −0, where the sum would be 0")
    rule("minus zero", x - 0, x)
    rule("times one", x * 1, x)
    rule("over one", x / 1, x)
    rule("times zero", x * 0, .constant(0)) { !$0.root.dtype.isFloating }
    rule("minus itself", x - x, .constant(0)) { !$0.root.dtype.isFloating }
  }

  private static let selection = rules {
    let (condition, x, y) = (Tensor.any("condition"), Tensor.any("x"), Tensor.any("y"))
    rule("select the same", Tensor.node("select", condition, x, x)) { $0[x] }
    let known = Tensor.number("known")
    rule("select by a known condition", Tensor.node("select", known, x, y)) { match in
      match.value(known) != 0 ? match[x] : match[y]
    }
  }
}
