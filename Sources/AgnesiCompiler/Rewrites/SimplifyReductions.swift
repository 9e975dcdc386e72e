import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

// Sums and their like.

extension Rewrites {
  static let reductions = rules {
    let (x, c) = (Tensor.any("x"), Tensor.number("c"))
    for combiner in Combiner.allCases {
      let label = combiner.rawValue
      let whole = Tensor.node(label, x)
      rule("\(label) over axes of size 1", whole) { match in
        match.root.droppingSingleAxes(of: match[x])
      }
      let inner = Tensor.node(label, x)
      rule("\(label) of a \(label)", Tensor.node(label, inner)) { match in
        match.root.reducingAtOnce(inner: match[inner], source: match[x])
      }
      let (reshaped, transposed) = (Tensor.node("reshape", x), Tensor.node("transpose", x))
      rule("\(label) of all of a transpose", Tensor.node(label, transposed)) { match in
        match.root.rank == 0 ? match[x].reduced(combiner) : nil
      }
      rule("\(label) of all of a reshape", Tensor.node(label, reshaped)) { match in
        // Axes of size 1 stay away, as another rule wants them to.
        let narrow = match[x].reshaped(match[x].shape.filter { !$0.isOne })
        guard match.root.rank == 0, match[reshaped].shape != narrow.shape else { return nil }
        return narrow.reduced(combiner)
      }
      let repeated = Tensor.node("broadcast", x)
      if combiner != .product {
        rule("\(label) of the same", Tensor.node(label, repeated)) { match in
          match.root.reducingRepeated(match[repeated], combiner)
        }
      }
    }
    let scaled = x * c
    let sum = Tensor.node("sum", scaled)
    rule("sum of scaled values", sum, because: "one product instead of many") { match in
      // A sum of float16 may overflow where the sum of smaller values does not.
      guard match.root.dtype != .float16 else { return nil }
      return match[x].sum(axes: match[sum].reduction?.axes) * match.number(match.value(c))
    }
  }
}

extension Tensor {
  fileprivate func reduced(_ combiner: Combiner, axes: [Int]? = nil) -> Tensor {
    switch combiner {
    case .sum: sum(axes: axes)
    case .product: product(axes: axes)
    case .maximum: max(axes: axes)
    case .minimum: min(axes: axes)
    case .all: all(axes: axes)
    case .any: any(axes: axes)
    }
  }

  /// This reduction of `source` over those of its axes that have more than one element.
  fileprivate func droppingSingleAxes(of source: Tensor) -> Tensor? {
    guard let (combiner, axes) = reduction else { return nil }
    let dropped = axes.filter { source.shape[$0].isOne }
    guard !dropped.isEmpty else { return nil }
    let kept = source.shape.indices.filter { !dropped.contains($0) }
    let remaining = kept.indices.filter { axes.contains(kept[$0]) }
    return source.reshaped(kept.map { source.shape[$0] }).reduced(combiner, axes: remaining)
  }

  /// This reduction of `inner`, itself one of `source`, as a single one.
  fileprivate func reducingAtOnce(inner: Tensor, source: Tensor) -> Tensor? {
    guard let (combiner, outer) = reduction, let first = inner.reduction?.axes else { return nil }
    let kept = source.shape.indices.filter { !first.contains($0) }
    return source.reduced(combiner, axes: (first + outer.map { kept[$0] }).sorted())
  }

  /// This reduction of `broadcast` where it runs over known numbers of equal elements only.
  fileprivate func reducingRepeated(_ broadcast: Tensor, _ combiner: Combiner) -> Tensor? {
    guard let axes = reduction?.axes, let repeated = broadcast.repeatedAxes,
      axes.allSatisfy(repeated.contains)
    else { return nil }
    let counts = axes.compactMap { broadcast.shape[$0].known }
    let count = counts.product
    // The reduction of nothing is the combiner's identity.
    guard counts.count == axes.count, count > 0 else { return nil }
    let source = broadcast.node.operands[0]
    let missing = broadcast.rank - source.rank
    let dropped = Set(axes.map { $0 - missing })
    let kept = source.shape.indices.filter { !dropped.contains($0) }
    let narrow = source.reshaped(kept.map { source.shape[$0] })
    switch combiner {
    case .sum:
      let factor = Tensor.constant(Double(count), source.dtype)
      return (narrow * factor).broadcast(to: shape)
    case .maximum, .minimum, .all, .any: return narrow.broadcast(to: shape)
    case .product: return nil
    }
  }
}
