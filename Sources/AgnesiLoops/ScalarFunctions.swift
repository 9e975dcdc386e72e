#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// What the functions of the loop form mean, on doubles. Executors that compute in float32 agree
// with these within rounding.

extension UnaryFunction {
  /// The value at `x`, to within a few units in the last place of a double.
  ///
  /// `round` takes ties to the even neighbour. `sign` keeps zeros (with their sign) and NaN.
  /// `isNaN` is 1 or 0, `not` is 1 at 0 and 0 elsewhere.
  public func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .negate: -x
    case .abs: Swift.abs(x)
    case .sign: x > 0 ? 1 : (x < 0 ? -1 : x)
    case .not: x == 0 ? 1 : 0
    case .sqrt: x.squareRoot()
    case .floor: x.rounded(.down)
    case .ceil: x.rounded(.up)
    case .trunc: x.rounded(.towardZero)
    case .round: x.rounded(.toNearestOrEven)
    case .isNaN: x.isNaN ? 1 : 0
    default: transcendental(self, x)
    }
  }
}

/// Outside of the enumeration, whose cases hide C's functions.
private func transcendental(_ function: UnaryFunction, _ x: Double) -> Double {
  switch function {
  case .exp: exp(x)
  case .exp2: exp2(x)
  case .expm1: expm1(x)
  case .log: log(x)
  case .log2: log2(x)
  case .log10: log10(x)
  case .log1p: log1p(x)
  case .sin: sin(x)
  case .cos: cos(x)
  case .tan: tan(x)
  case .asin: asin(x)
  case .acos: acos(x)
  case .atan: atan(x)
  case .sinh: sinh(x)
  case .cosh: cosh(x)
  case .tanh: tanh(x)
  case .asinh: asinh(x)
  case .acosh: acosh(x)
  case .atanh: atanh(x)
  case .erf: erf(x)
  case .erfc: erfc(x)
  case .lgamma: logGamma(x)
  case .digamma: Digamma.value(x)
  // Both forms keep exp from overflowing and small results exact.
  case .sigmoid: x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
  case .softplus: x.isNaN ? x : Swift.max(x, 0) + log1p(exp(-Swift.abs(x)))
  case .negate, .abs, .sign, .not, .sqrt, .floor, .ceil, .trunc, .round, .isNaN: x
  }
}

/// log |Γ(x)|, without the global variable that C's `lgamma` writes the sign to.
private func logGamma(_ x: Double) -> Double {
  var sign: Int32 = 0
  return lgamma_r(x, &sign)
}

extension BinaryFunction {
  /// The value at floats `x` and `y`; bools are 1 and 0.
  ///
  /// `floorDivide` is ⌊x / y⌋. `modulo` has the divisor's sign: C's remainder, plus `y` where the
  /// signs differ. Maximum and minimum are NaN where either is, and `x` where both are equal.
  public func callAsFunction(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .add: return x + y
    case .subtract: return x - y
    case .multiply: return x * y
    case .divide: return x / y
    case .floorDivide: return (x / y).rounded(.down)
    case .modulo:
      let remainder = fmod(x, y)
      if remainder == 0 { return Double(signOf: y, magnitudeOf: 0) }
      return (remainder < 0) != (y < 0) ? remainder + y : remainder
    case .maximum: return y.isNaN || y > x ? y : x
    case .minimum: return y.isNaN || y < x ? y : x
    case .power: return pow(x, y)
    case .atan2: return angle(x, y)
    case .and: return x != 0 && y != 0 ? 1 : 0
    case .or: return x != 0 || y != 0 ? 1 : 0
    case .xor: return (x != 0) != (y != 0) ? 1 : 0
    case .equal: return x == y ? 1 : 0
    case .notEqual: return x != y ? 1 : 0
    case .less: return x < y ? 1 : 0
    case .lessOrEqual: return x <= y ? 1 : 0
    }
  }
}

private func angle(_ y: Double, _ x: Double) -> Double { atan2(y, x) }

/// ψ(x) = Γ′(x) / Γ(x).
///
/// Moved up by the recurrence ψ(x + 1) = ψ(x) + 1/x until the asymptotic series is exact to a
/// double, reflected for negative x, and by its Taylor series near its positive zero, where the
/// other way would cancel. −∞ at 0 (∞ at −0), NaN at −1, −2, …
///
/// - Source: Abramowitz & Stegun, *Handbook of Mathematical Functions*, 6.3.5, 6.3.7 and 6.3.18.
package enum Digamma {
  package static func value(_ x: Double) -> Double {
    if x <= 0 {
      if x == 0 { return x.sign == .minus ? .infinity : -.infinity }
      if x == x.rounded(.down) { return .nan }
      // ψ(x) = ψ(1 − x) − π / tan(πx); the tangent's period makes the argument small first.
      let fraction = x - x.rounded()
      return value(1 - x) - .pi / tan(.pi * fraction)
    }
    let distance = (x - zero) - zeroRest
    if Swift.abs(distance) < 0.25 { return nearZero(distance) }
    var (shifted, sum) = (x, 0.0)
    while shifted < 10 {
      sum -= 1 / shifted
      shifted += 1
    }
    let inverse = 1 / (shifted * shifted)
    let series = tail.reversed().reduce(0) { $0 * inverse + $1 }
    return sum + log(shifted) - 0.5 / shifted - series * inverse
  }

  private static func nearZero(_ distance: Double) -> Double {
    taylor.reversed().reduce(0) { $0 * distance + $1 } * distance
  }

  /// The only positive zero, as a double and the rest.
  package static let zero = 0x1.762d86356be3fp+0
  package static let zeroRest = 9.549995429965697e-17

  /// B₂ₖ / 2k for k = 1, 2, …
  package static let tail: [Double] = [
    0.08333333333333333, -0.008333333333333333, 0.003968253968253968, -0.004166666666666667,
    0.007575757575757576, -0.021092796092796094, 0.08333333333333333, -0.4432598039215686,
  ]

  /// ψ⁽ᵏ⁾(zero) / k! for k = 1, 2, …
  package static let taylor: [Double] = [
    0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652,
    0.10782405069126237, -0.07219956125645471, 0.04880428816414311, -0.03316112647484736,
    0.022597648232218104, -0.01542476590494896, 0.010538791616612175, -0.007204534386356869,
    0.004926781395729853, -0.003369801655439328, 0.002305126326734928, -0.0015769367714301972,
    0.0010788252019162967, -0.0007380709389960052, 0.000504953265834602,
    -0.0003454680251063077, 0.00023635601564027053, -0.00016170622091974803,
  ]
}
