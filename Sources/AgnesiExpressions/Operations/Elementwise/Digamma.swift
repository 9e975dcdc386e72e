import AgnesiLoops
import Foundation

/// ψ, the derivative of ``lgamma(_:)``.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; NaN at the negative whole numbers, ∓∞ at ±0.
/// - Source: Abramowitz & Stegun, *Handbook of Mathematical Functions*, 6.3.
public func digamma(_ x: Tensor) -> Tensor { Tensor(Digamma(), x) }

/// ψ′, the derivative of ``digamma(_:)``.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`.
/// - Source: Abramowitz & Stegun, *Handbook of Mathematical Functions*, 6.4.6 (recurrence), 6.4.7
///   (reflection) and 6.4.12 (series).
public func trigamma(_ x: Tensor) -> Tensor {
  .builtIn(
    "trigamma", [x],
    gradient: { upstream, operands, _ in
      // It has poles, so what is not read must not reach them.
      pullback(
        of: [trigammaFormula(operands[0])], upstream: upstream, withRespectTo: operands,
        stopping: true, unread: .some)
    },
    body: { trigammaFormula($0[0]) })
}

private func trigammaFormula(_ x: Tensor) -> Tensor {
  let isLeft = x .< 0.5
  let right = select(isLeft, 1 - x, x)
  // Ten steps to the right of which the series is exact to 1e-14.
  let recurrence = (0..<10).map { square(reciprocal(right + Double($0))) }
  let series = trigammaSeries(right + 10.0)
  let value = recurrence.reversed().reduce(series, +)
  // The branch that is not taken must not divide by 0, or its NaN reaches the gradient.
  let sine = sin(select(isLeft, x, Tensor.filled(0.25, x.shape, x.dtype)) * Double.pi)
  return select(isLeft, square(Double.pi / sine) - value, value)
}

/// 1/z + 1/(2z²) + Σ B₂ₖ / z²ᵏ⁺¹, by Horner's rule.
private func trigammaSeries(_ z: Tensor) -> Tensor {
  let bernoulli = [1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66]
  let inverse = reciprocal(z)
  let squared = square(inverse)
  let zero = Tensor.zeros(like: z)
  let sum = bernoulli.reversed().reduce(zero) { ($0 + $1) * squared }
  return inverse * (sum + inverse * 0.5 + 1)
}

struct Digamma: UnaryElementwise {
  static let name = "digamma"
  var elementCost: Int { 16 }

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? { upstream * trigamma(x) }

  /// Reflection to the right half, ten steps of recurrence, and the asymptotic series.
  func value(_ x: Double) -> Double {
    if x == 0 { return x.sign == .minus ? .infinity : -.infinity }
    if x < 0 {
      if x.rounded() == x { return .nan }
      return value(1 - x) - Double.pi / Foundation.tan(Double.pi * x)
    }
    let steps = (0..<10).reversed().reduce(0.0) { $0 + 1 / (x + Double($1)) }
    let z = x + 10
    let s = 1 / (z * z)
    // 2k / B₂ₖ
    let denominators: [Double] = [12, -120, 252, -240, 132, -32_760 / 691.0, 12]
    let series = denominators.reversed().reduce(0) { ($0 + 1 / $1) * s }
    return Foundation.log(z) - 0.5 / z - series - steps
  }
  func scalar(_ x: Scalar) -> Scalar { x(.digamma) }

  static let examples = [
    Example("a matrix", [.init([3, 5], .uniform(0.3...6))], tolerance: 32) { digamma($0[0]) },
    Example("negative", [.init([4], .given([-0.5, -1.3, -2.7, -4.4]))], tolerance: 64) {
      digamma($0[0])
    },
    Example(
      "special values", [.init([4], .given([0, .infinity, .nan, 100]))], differentiable: false
    ) {
      digamma($0[0])
    },
    Example("trigamma", [.init([3, 5], .uniform(0.3...6))], tolerance: 64) { trigamma($0[0]) },
    Example("trigamma of negatives", [.init([3], .given([-0.5, -1.3, -2.7]))], tolerance: 256) {
      trigamma($0[0])
    },
  ]
}
