import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Joins nests over one domain into one pass over memory.
///
/// A nest moves up to an earlier one when it reads that one's results, at its own index only, or
/// shares other memory with it, and nothing that it needs is computed in between. So elementwise
/// nests become one, a fold takes over what is done with its results, and folds over the same
/// memory run side by side.
enum NestFusion {
  static func fuse(_ drafts: [Lowerer.Draft]) -> [Lowerer.Draft] {
    var kept: [Lowerer.Draft] = []
    var producer: [BufferID: Int] = [:]
    for draft in drafts {
      switch draft {
      case .step(let step):
        for id in step.written { producer[id] = kept.count }
        kept.append(draft)
      case .nest(let nest):
        let (position, joined) = host(for: nest, in: kept, producer) ?? (kept.count, nest)
        for store in nest.stores { producer[store.buffer] = position }
        if position == kept.count { kept.append(draft) } else { kept[position] = .nest(joined) }
      }
    }
    return kept
  }

  /// The drafts without stores that nobody reads: what was shared by nests that are one now.
  ///
  /// - Parameter isKept: whether a buffer is wanted beside the drafts, as outputs are.
  static func withoutUnread(
    _ drafts: [Lowerer.Draft], isKept: (BufferID) -> Bool
  ) -> [Lowerer.Draft] {
    var read: Set<BufferID> = []
    var result: [Lowerer.Draft] = []
    for draft in drafts.reversed() {
      switch draft {
      case .step(let step):
        read.formUnion(step.reads)
        result.append(draft)
      case .nest(let nest):
        let kept = nest.keeping { read.contains($0.buffer) || isKept($0.buffer) }
        guard let kept else { continue }
        read.formUnion(kept.reads)
        result.append(.nest(kept))
      }
    }
    return result.reversed()
  }

  /// The earlier nest that `nest` can join, with `nest` joined: the one that makes what it reads,
  /// or else the latest.
  private static func host(
    for nest: Nest, in drafts: [Lowerer.Draft], _ producer: [BufferID: Int]
  ) -> (Int, Nest)? {
    let earliest = nest.reads.compactMap { producer[$0] }.max() ?? -1
    // Looking far back would make lowering quadratic.
    let others = drafts.indices.reversed().prefix(64).filter { $0 > earliest }
    for position in [earliest] + others where position >= 0 {
      guard case .nest(let candidate) = drafts[position],
        let joined = candidate.joined(with: nest)
      else { continue }
      return (position, joined)
    }
    return nil
  }
}
