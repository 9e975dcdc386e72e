import AgnesiArrays
import AgnesiLoops

/// Probabilities from scores: `exp(xᵢ) / Σⱼ exp(xⱼ)` along an axis.
///
/// - Parameters:
///   - x: floating scores (logits), of any size: the largest is subtracted first.
///   - axis: the axis of the alternatives; negative axes count from the end.
/// - Returns: the shape and dtype of `x`, with sums of 1 along `axis`. A row whose largest score is
///   infinite or NaN gives NaN.
/// - Source: Goodfellow, Bengio & Courville, *Deep Learning*, eq. 4.1 and 6.29.
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  alongAxis(
    "softmax", x, axis,
    gradient: { y, upstream, axis in
      // dxᵢ = yᵢ·(sᵢ − Σⱼ sⱼ·yⱼ)
      y * (upstream - (upstream * y).sum(axes: [axis], keepingAxes: true))
    },
    body: { x, axis in
      let powers = exp(x - x.max(axes: [axis], keepingAxes: true))
      return powers / powers.sum(axes: [axis], keepingAxes: true)
    })
}

/// The logarithm of ``softmax(_:axis:)``, exact where a probability rounds to 0.
///
/// - Parameters:
///   - x: floating scores (logits), of any size.
///   - axis: the axis of the alternatives; negative axes count from the end.
/// - Returns: the shape and dtype of `x`.
public func logSoftmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  alongAxis(
    "logSoftmax", x, axis,
    gradient: { y, upstream, axis in
      // dxᵢ = sᵢ − softmax(x)ᵢ·Σⱼ sⱼ
      upstream - exp(y) * upstream.sum(axes: [axis], keepingAxes: true)
    },
    body: { x, axis in
      let shifted = x - x.max(axes: [axis], keepingAxes: true)
      return shifted - log(exp(shifted).sum(axes: [axis], keepingAxes: true))
    })
}

private func alongAxis(
  _ name: String, _ x: Tensor, _ axis: Int,
  gradient: @escaping @Sendable (_ y: Tensor, _ upstream: Tensor, _ axis: Int) -> Tensor,
  body: (_ x: Tensor, _ axis: Int) -> Tensor
) -> Tensor {
  let position: Int
  do throws(TypeError) {
    try Tensor.requireFloating([x])
    position = try x.normalized(axes: [axis]).first ?? axis
  } catch {
    return .mistake(name, error, [("operand", x)])
  }
  return .builtIn(
    name, [x], attributes: ["axis": .integers([position])],
    gradient: { upstream, _, results in
      [upstream[0].map { gradient(results[0], $0, position) }]
    },
    body: { body($0[0], position) })
}

/// `ln Σ exp(x)` over `axes`, without overflow.
///
/// - Parameters:
///   - x: floating.
///   - axes: negative axes count from the end; all of them where nil.
///   - keepingAxes: whether the axes stay, with size 1.
/// - Returns: the dtype of `x`. −∞ where all elements are, and of nothing.
/// - Source: Goodfellow, Bengio & Courville, *Deep Learning*, §4.1.
public func logSumExp(_ x: Tensor, axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
  let positions: [Int]
  do throws(TypeError) {
    try Tensor.requireFloating([x])
    positions = try x.normalized(axes: axes)
  } catch {
    return .mistake("logSumExp", error, [("operand", x)])
  }
  let result = Tensor.builtIn(
    "logSumExp", [x], attributes: ["axes": .integers(positions)],
    gradient: { upstream, operands, results in
      guard let upstream = upstream[0] else { return [nil] }
      let x = operands[0]
      let shift = results[0].orZeroWhereInfinite.spread(along: positions, of: x)
      return [upstream.spread(along: positions, of: x) * exp(x - shift)]
    },
    body: { operands in
      let x = operands[0]
      let shift = x.max(axes: positions).orZeroWhereInfinite
      return log(exp(x - shift.spread(along: positions, of: x)).sum(axes: positions)) + shift
    })
  guard keepingAxes, x.type.isKnown, result.type.isKnown else { return result }
  return result.reshaped(x.shape.indices.map { positions.contains($0) ? 1 : x.shape[$0] })
}

extension Tensor {
  /// What may be subtracted from anything: ∞ − ∞ would be NaN.
  fileprivate var orZeroWhereInfinite: Tensor {
    select(isInfinite(self), .zeros(like: self), self)
  }
}
