import AgnesiExpressions

/// How much boxes overlap: the area that two have in common, divided by the area that they cover
/// together.
///
/// - Parameters:
///   - a: floating, `[…, 4]`: left, top, width and height of each box, in any unit. A negative width
///     or height counts as 0.
///   - b: likewise, of the same shape.
/// - Returns: `[…]`, in 0...1: 1 for equal boxes, 0 where they do not meet or both are empty.
/// - Source: Everingham et al., *The Pascal Visual Object Classes Challenge*, 2010, §4.2.
public func intersectionOverUnion(_ a: Tensor, _ b: Tensor) -> Tensor {
  if let failed = [a, b].first(where: { $0.failure != nil }) { return failed }
  guard haveEqualShapes(a, b), a.rank >= 1, a.size(-1).known == 4 else {
    return disagreement("intersectionOverUnion", "boxes", a, "other boxes", b)
  }
  let (first, second) = (Box(a), Box(b))
  func common(_ low: (Tensor, Tensor), _ high: (Tensor, Tensor)) -> Tensor {
    relu(minimum(high.0, high.1) - maximum(low.0, low.1))
  }
  let width = common((first.left, second.left), (first.right, second.right))
  let height = common((first.top, second.top), (first.bottom, second.bottom))
  let shared = width * height
  let covered = first.area + second.area - shared
  // Two empty boxes cover nothing, and nothing is divided by that.
  let isEmpty = covered .<= 0
  let divisor = select(isEmpty, .ones(like: covered), covered)
  return select(isEmpty, .zeros(like: covered), shared / divisor)
}

private struct Box {
  let left: Tensor
  let top: Tensor
  let width: Tensor
  let height: Tensor

  init(_ values: Tensor) {
    left = values[.rest, 0]
    top = values[.rest, 1]
    width = relu(values[.rest, 2])
    height = relu(values[.rest, 3])
  }

  var right: Tensor { left + width }
  var bottom: Tensor { top + height }
  var area: Tensor { width * height }
}
