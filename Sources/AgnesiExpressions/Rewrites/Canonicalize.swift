import AgnesiArrays

// One form for what can be written in several, so that the other tables need one pattern each:
//
//   signs move outwards and meet additions:  (−x)·y → −(x·y),  a + (−b) → a − b
//   a number is added rather than subtracted: x − 3 → x + (−3)
//   numbers meet in one place:                (x·2)·3 → x·6

extension Rewrites {
  package static let canonicalize = signs + numbers

  private static let signs = rules {
    let (x, y, c) = (Tensor.any("x"), Tensor.any("y"), Tensor.number("c"))
    rule("negative of a negative", -(-x), x)
    rule("plus a negative", x + -y, x - y)
    rule("minus a negative", x - -y, x + y)
    rule("negative of a difference", -(x - y), y - x, because: zeroSign)
    rule("negative of a sum", -(x + c)) { match in
      match.root.isSigned ? match.number(-match.value(c)) - match[x] : nil
    }
    rule("minus from zero", 0 - x, -x, because: zeroSign) { $0.root.dtype != .bool }
    rule("minus one times", x * -1, -x)
    rule("sign of a scaled value", -(x * c)) { match in
      match.root.isSigned ? match[x] * match.number(-match.value(c)) : nil
    }
    rule("sign of a factor", -x * y, -(x * y))
    rule("sign of a dividend", -x / y, -(x / y))
    rule("sign of a divisor", x / -y, -(x / y))
    let negatives = -x
    let sum = Tensor.node("sum", negatives)
    rule("sum of negatives", sum) { match in -match[x].sum(axes: match[sum].reduction?.axes) }
  }

  private static let zeroSign = "a zero may change its sign"

  private static let numbers = rules {
    let (x, a, b) = (Tensor.any("x"), Tensor.number("a"), Tensor.number("b"))
    rule("minus a number", x - a) { match in
      // A sum of two numbers is folded, not turned.
      guard match.root.isSigned, match[x].scalarConstant == nil else { return nil }
      return match[x] + match.number(-match.value(a))
    }
    rule("over a power of two", x / a, because: "exact, and faster") { match in
      let factor = 1 / match.value(a)
      guard match.value(a).significand == 1, factor.isNormal else { return nil }
      return match[x] * match.number(factor)
    }
    rule("sum of numbers", (x + a) + b, because: rounding) { match in
      match.gathered(match.value(a), match.value(b)).map { match[x] + $0 }
    }
    rule("numbers around a difference", (a - x) + b, because: rounding) { match in
      match.gathered(match.value(a), match.value(b)).map { $0 - match[x] }
    }
    rule("number minus a sum", a - (x + b), because: rounding) { match in
      match.root.isSigned
        ? match.gathered(match.value(a), -match.value(b)).map { $0 - match[x] } : nil
    }
    rule("number minus a difference", a - (b - x), because: rounding) { match in
      match.root.isSigned
        ? match.gathered(match.value(a), -match.value(b)).map { match[x] + $0 } : nil
    }
    rule("product of numbers", (x * a) * b, because: rounding) { match in
      match.factor(match.value(a) * match.value(b)).map { match[x] * $0 }
    }
    rule("scaled and divided", (x * a) / b, because: rounding) { match in
      match.factor(match.value(a) / match.value(b)).map { match[x] * $0 }
    }
    rule("divided and scaled", (x / a) * b, because: rounding) { match in
      match.factor(match.value(b) / match.value(a)).map { match[x] * $0 }
    }
    rule("divided twice", (x / a) / b, because: rounding) { match in
      match.factor(match.value(a) * match.value(b)).map { match[x] / $0 }
    }
  }

  private static let rounding = "rounds once instead of twice"
}

extension Tensor {
  /// Whether a number can change its sign in this dtype.
  var isSigned: Bool { dtype.isFloating || (dtype.isInteger && dtype.isSigned) }
}

extension Match {
  /// A number of the dtype of what is replaced.
  package func number(_ value: Double) -> Tensor { .constant(value, root.dtype) }

  /// The sum of two addends. Declines where they nearly cancel: `(x + big) − big` rounds `x`, and
  /// may be meant to.
  fileprivate func gathered(_ a: Double, _ b: Double) -> Tensor? {
    let sum = a + b
    // Beyond 2⁵³ a double does not hold every whole number.
    guard root.dtype.isFloating else { return sum.magnitude < 0x1p53 ? number(sum) : nil }
    let isSafe = sum.magnitude * 1024 >= Swift.max(a.magnitude, b.magnitude)
    return sum.isFinite && isSafe ? number(sum) : nil
  }

  /// A product or quotient of two factors, where the dtype holds it. With `x·1e30·1e−30` the
  /// gathered factor is right where the two steps overflow.
  fileprivate func factor(_ value: Double) -> Tensor? {
    root.dtype.holdsNormally(value) ? number(value) : nil
  }
}

extension DType {
  /// Whether `value` is neither 0, nor infinite, nor so small that it loses digits here. For
  /// integers, whether it is one of them and small.
  fileprivate func holdsNormally(_ value: Double) -> Bool {
    let magnitude = value.magnitude
    switch self {
    case .float16: return (0x1p-14...65504).contains(magnitude)
    case .float32, .bfloat16: return (0x1p-126...0x1p127).contains(magnitude)
    case .float64: return value.isNormal
    default: return value.rounded() == value && magnitude < 0x1p31
    }
  }
}
