import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Joins nests over one domain into one pass over memory.
///
/// A nest moves up to an earlier one when it reads that one's results, at its own index only, or
/// shares other memory with it, and nothing that it needs is computed in between. So elementwise
/// nests become one, a reduction takes over what is done with its results, and reductions over the
/// same memory run side by side.
enum NestFusion {
  static func fuse(_ drafts: [Lowerer.Draft]) -> [Lowerer.Draft] {
    var kept: [Lowerer.Draft] = []
    var producer: [BufferID: Int] = [:]
    // What one nest makes counts as one memory: reductions that read it can take its work over.
    var origins: [BufferID: BufferID] = [:]
    for draft in drafts {
      switch draft {
      case .step(let step):
        for id in step.written { producer[id] = kept.count }
        kept.append(draft)
      case .nest(let nest):
        let (position, joined) = host(for: nest, in: kept, producer, origins) ?? (kept.count, nest)
        for store in nest.stores { producer[store.buffer] = position }
        if position == kept.count { kept.append(draft) } else { kept[position] = .nest(joined) }
        if joined.reductions.isEmpty {
          for store in nest.stores { origins[store.buffer] = joined.stores[0].buffer }
        }
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
      case .step:
        read.formUnion(draft.reads)
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

  /// The drafts with elements computed inside of the reductions that alone read them.
  ///
  /// - Parameter isKept: as in ``withoutUnread(_:isKept:)``.
  static func absorbing(
    _ drafts: [Lowerer.Draft], isKept: (BufferID) -> Bool
  ) -> [Lowerer.Draft] {
    var readers: [BufferID: Set<Int>] = [:]
    var makers: [BufferID: Int] = [:]
    for (position, draft) in drafts.enumerated() {
      for id in draft.reads { readers[id, default: []].insert(position) }
      if case .nest(let nest) = draft { for id in nest.made { makers[id] = position } }
    }
    var result: [Lowerer.Draft?] = drafts
    for position in drafts.indices.reversed() {
      guard case .nest(var nest)? = result[position], !nest.reductions.isEmpty else { continue }
      var pending = nest.reads.sorted { $0.index > $1.index }
      while let id = pending.popLast() {
        guard let maker = makers[id], case .nest(let source)? = result[maker],
          source.made.allSatisfy({ readers[$0] == [position] && !isKept($0) }),
          let absorbed = nest.absorbing(source)
        else { continue }
        for id in source.reads {
          readers[id]?.remove(maker)
          readers[id, default: []].insert(position)
        }
        pending += source.reads.sorted { $0.index > $1.index }
        result[maker] = nil
        nest = absorbed
      }
      result[position] = .nest(nest)
    }
    return result.compactMap { $0 }
  }

  /// The earlier nest that `nest` can join, with `nest` joined: the one that makes what it reads,
  /// or else the latest.
  private static func host(
    for nest: Nest, in drafts: [Lowerer.Draft], _ producer: [BufferID: Int],
    _ origins: [BufferID: BufferID]
  ) -> (Int, Nest)? {
    let earliest = nest.reads.compactMap { producer[$0] }.max() ?? -1
    // Looking far back would make lowering quadratic.
    let others = drafts.indices.reversed().prefix(64).filter { $0 > earliest }
    for position in [earliest] + others where position >= 0 {
      guard case .nest(let candidate) = drafts[position],
        let joined = candidate.joined(with: nest, origin: { origins[$0] ?? $0 })
      else { continue }
      return (position, joined)
    }
    return nil
  }
}

extension Lowerer.Draft {
  /// Buffers that are read.
  var reads: Set<BufferID> {
    switch self {
    case .nest(let nest): nest.reads
    case .step(let step): step.reads
    }
  }
}
