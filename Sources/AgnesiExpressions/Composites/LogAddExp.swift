import AgnesiArrays
import AgnesiLoops

/// `ln(eᵃ + eᵇ)` of each element, without overflow; operands broadcast.
///
/// - Parameters:
///   - a: floating.
///   - b: floating.
/// - Returns: `max(a, b) + ln(1 + e^−|a − b|)`, of the common shape and dtype; −∞ where both are.
public func logAddExp(_ a: Tensor, _ b: Tensor) -> Tensor {
  let operands = Tensor.aligned([a, b])
  do throws(TypeError) {
    try Tensor.requireFloating(operands)
    if operands[0].type.isKnown, operands[1].type.isKnown {
      _ = try Shape.equal(operands[0].shape, operands[1].shape)
    }
  } catch {
    return .mistake("logAddExp", error, [("left", a), ("right", b)])
  }
  return .builtIn(
    "logAddExp", operands,
    gradient: { upstream, operands, _ in
      guard let upstream = upstream[0] else { return [nil, nil] }
      // ∂/∂a = eᵃ / (eᵃ + eᵇ)
      let distance = difference(operands[0], operands[1])
      return [upstream * sigmoid(distance), upstream * sigmoid(-distance)]
    },
    body: { operands in
      let distance = abs(difference(operands[0], operands[1]))
      return maximum(operands[0], operands[1]) + softplus(-distance)
    })
}

/// `a − b`, where equal infinities have no difference.
@Sendable private func difference(_ a: Tensor, _ b: Tensor) -> Tensor {
  select(a .== b, .zeros(like: a), a - b)
}
