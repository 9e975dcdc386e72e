import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Joins nests over one domain into one pass over memory.
///
/// A nest moves up to an earlier one when it reads that one's results, at its own index only, or
/// shares other memory with it, and nothing that it needs is computed in between.
enum NestFusion {
  /// More stores in one loop cost registers and streams.
  private static let storeLimit = 12

  static func fuse(_ drafts: [Lowerer.Draft]) -> [Lowerer.Draft] {
    var kept: [Lowerer.Draft?] = []
    var producer: [BufferID: Int] = [:]
    for draft in drafts {
      guard case .nest(let nest) = draft else {
        if case .step(let step) = draft { for id in step.written { producer[id] = kept.count } }
        kept.append(draft)
        continue
      }
      if let (position, joined) = host(for: nest, in: kept, producer: producer) {
        kept[position] = .nest(joined)
        for store in nest.stores { producer[store.buffer] = position }
      } else {
        for store in nest.stores { producer[store.buffer] = kept.count }
        kept.append(draft)
      }
    }
    return kept.compactMap { $0 }
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
      case .nest(var nest):
        nest.stores.removeAll { !read.contains($0.buffer) && !isKept($0.buffer) }
        if nest.stores.isEmpty { continue }
        read.formUnion(nest.reads)
        result.append(.nest(nest))
      }
    }
    return result.reversed()
  }

  /// The latest earlier nest that `nest` can join, with `nest` joined.
  private static func host(
    for nest: Nest, in drafts: [Lowerer.Draft?], producer: [BufferID: Int]
  ) -> (Int, Nest)? {
    guard nest.fold == nil, !nest.domain.isEmpty else { return nil }
    let reads = nest.reads
    let earliest = reads.compactMap { producer[$0] }.max() ?? -1
    // Looking far back would make lowering quadratic.
    for position in drafts.indices.reversed().prefix(64) where position >= earliest {
      guard case .nest(let candidate)? = drafts[position], candidate.fold == nil,
        candidate.domain == nest.domain,
        candidate.stores.count + nest.stores.count <= storeLimit
      else { continue }
      let made = Set(candidate.stores.map(\.buffer))
      let shares = !reads.isDisjoint(with: made) || !reads.isDisjoint(with: candidate.reads)
      guard shares, let joined = candidate.joined(with: nest) else { continue }
      return (position, joined)
    }
    return nil
  }
}

extension Nest {
  /// Buffers that are read.
  var reads: Set<BufferID> {
    var result: Set<BufferID> = []
    for scalar in stores.map(\.value).reachable() + foldValues.reachable() {
      if case .load(.argument(let index), _) = scalar.kind { result.insert(BufferID(index: index)) }
    }
    return result
  }

  /// The folded value in terms of the domain's variables and the fold's.
  var foldValues: [Scalar] {
    guard let fold else { return [] }
    return [fold.element(Nest.variables(domain), Nest.foldVariables(fold.domain))]
  }

  static func foldVariables(_ shape: Shape) -> [Scalar] {
    shape.indices.map { .index(.symbol("_r\($0)")) }
  }

  /// Where the element of the domain's index is stored.
  static func position(in domain: Shape) -> Scalar {
    StridedView(contiguous: domain).position(variables(domain))
  }

  /// This nest with the stores of another behind its own; nil where the other reads this one's
  /// results at another index than its own.
  func joined(with other: Nest) -> Nest? {
    let position = Nest.position(in: domain)
    var values: [Int: Scalar] = [:]
    for store in stores {
      values[store.buffer.index] = store.value.cast(throughStorage: store.dtype)
    }
    var isPossible = true
    let newStores = other.stores.map { store in
      var store = store
      store.value = store.value.rewritten { scalar in
        guard case .load(.argument(let index), let at) = scalar.kind, let value = values[index]
        else { return nil }
        if at != position { isPossible = false }
        return value
      }
      return store
    }
    guard isPossible else { return nil }
    var result = self
    result.stores += newStores
    result.cost += other.cost
    result.label = label == other.label ? label : "\(label)+\(other.label)"
    return result
  }
}

extension Scalar {
  /// What is read back after a store: rounded to a 16-bit storage type.
  fileprivate func cast(throughStorage dtype: DType) -> Scalar {
    dtype == dtype.computed ? self : cast(to: dtype).cast(to: dtype.computed)
  }
}
