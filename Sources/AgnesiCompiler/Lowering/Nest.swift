import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Elements computed over a domain and stored: one loop nest before its loops are chosen.
///
/// For each index of the domain the reductions run first, side by side, and then the values are
/// stored.
struct Nest {
  var domain: Shape
  /// All over one domain; the result of reduction number k is local k.
  private(set) var reductions: [Value.Reduction]
  /// Values in terms of the domain's variables, of buffers named by their ids, and of the
  /// reductions' results.
  private(set) var stores: [Store]
  /// Operations for each element of the domain, without the reductions.
  private(set) var cost: Int
  private(set) var label: String
  var location: SourceLocation?
  /// Buffers that are read.
  private(set) var reads: Set<BufferID>
  /// Buffers that are written.
  private(set) var made: Set<BufferID>

  struct Store {
    var buffer: BufferID
    var dtype: DType
    var value: Scalar
  }

  init(
    domain: Shape, reductions: [Value.Reduction], stores: [Store], cost: Int, label: String,
    location: SourceLocation?
  ) {
    self.domain = domain
    self.reductions = reductions
    self.stores = stores
    self.cost = cost
    self.label = label
    self.location = location
    reads = Self.reads(reductions, stores)
    made = Set(stores.map(\.buffer))
  }

  static func reads(_ reductions: [Value.Reduction], _ stores: [Store]) -> Set<BufferID> {
    Set((reductions.map(\.value) + stores.map(\.value)).reachable().compactMap(\.loadedBuffer))
  }

  /// What the reductions run over.
  var reductionDomain: Shape { reductions.first?.domain ?? [] }

  /// The variables of the domain.
  static func variables(_ shape: Shape) -> [Scalar] {
    shape.indices.map { .index(.symbol("_i\($0)")) }
  }

  static func reductionVariables(_ shape: Shape) -> [Scalar] {
    shape.indices.map { .index(.symbol("_r\($0)")) }
  }

  /// Where the element of the domain's index is stored.
  static func position(in domain: Shape) -> Scalar {
    StridedView(contiguous: domain).position(variables(domain))
  }

  /// Buffers that are read at the index that is stored and nowhere else: a store may go over them.
  var identityReads: Set<BufferID> {
    var good: Set<BufferID> = []
    // A reduction reads at other indices than the one whose result is stored after it.
    var bad = Self.reads(reductions, [])
    let own = Self.position(in: domain)
    for scalar in stores.map(\.value).reachable() {
      guard case .load(_, let at) = scalar.kind, let buffer = scalar.loadedBuffer else { continue }
      if at == own { good.insert(buffer) } else { bad.insert(buffer) }
    }
    return good.subtracting(bad)
  }

  /// Without the stores that `isWanted` declines, and without the reductions that no store needs
  /// then; nil where nothing is left.
  func keeping(_ isWanted: (Store) -> Bool) -> Nest? {
    let kept = stores.filter(isWanted)
    if kept.count == stores.count { return self }
    if kept.isEmpty { return nil }
    var used: Set<Int> = []
    for scalar in kept.map(\.value).reachable() {
      if case .local(let id) = scalar.kind { used.insert(id) }
    }
    let order = reductions.indices.filter(used.contains)
    let numbers = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    let renumbered = kept.map { store in
      var store = store
      store.value = store.value.renumberingLocals { numbers[$0] ?? $0 }
      return store
    }
    return Nest(
      domain: domain, reductions: order.map { reductions[$0] }, stores: renumbered, cost: cost,
      label: label, location: location)
  }
}

// MARK: - Joining

extension Nest {
  /// More stores in one loop cost registers and streams.
  private static let storeLimit = 12
  /// The running values of eight reductions are eight vectors.
  private static let reductionLimit = 8
  /// C compilers take more than linear time for one long function, and run out of registers.
  static let costLimit = 600

  /// This nest with what another does behind its own, as one pass over memory; nil where that is
  /// impossible or saves nothing.
  ///
  /// The other may read this one's results at its own index, but not inside of its reductions:
  /// those run before anything is stored.
  ///
  /// - Parameter origin: one buffer for all those that are as good as one memory.
  func joined(with other: Nest, origin: (BufferID) -> BufferID) -> Nest? {
    guard domain == other.domain, stores.count + other.stores.count <= Self.storeLimit,
      cost + other.cost <= Self.costLimit, isWorthJoining(other, origin),
      let (reductions, locals) = joinedReductions(other)
    else { return nil }
    let position = Nest.position(in: domain)
    var values: [BufferID: Scalar] = [:]
    for store in stores { values[store.buffer] = store.value.cast(throughStorage: store.dtype) }
    var isPossible = true
    let added = other.stores.map { store in
      var store = store
      store.value = store.value.rewritten { scalar in
        if case .local(let id) = scalar.kind { return .local(locals[id], scalar.dtype) }
        guard case .load(_, let at) = scalar.kind,
          let value = scalar.loadedBuffer.flatMap({ values[$0] })
        else { return nil }
        if at != position { isPossible = false }
        return value
      }
      return store
    }
    guard isPossible else { return nil }
    var result = self
    result.reductions = reductions
    result.stores += added
    result.cost += other.cost
    result.label = label == other.label ? label : "\(label)+\(other.label)"
    result.reads.formUnion(Self.reads(other.reductions, added))
    result.made.formUnion(other.made)
    return result
  }

  private func isWorthJoining(_ other: Nest, _ origin: (BufferID) -> BufferID) -> Bool {
    let readsResults = !other.reads.isDisjoint(with: made)
    switch (reductions.isEmpty, other.reductions.isEmpty) {
    case (true, true):
      return readsResults || (!domain.isEmpty && !reads.isDisjoint(with: other.reads))
    case (false, true): return readsResults
    case (true, false): return false
    case (false, false):
      let memory = Set(reads.map(origin))
      return other.reads.contains { memory.contains(origin($0)) }
        && !passes(origin).isDisjoint(with: other.passes(origin))
    }
  }

  /// The reductions of both, equal ones once, and the local of each of the other's; nil where they
  /// cannot run side by side.
  private func joinedReductions(_ other: Nest) -> ([Value.Reduction], locals: [Int])? {
    if other.reductions.isEmpty { return (reductions, []) }
    guard reductionDomain == other.reductionDomain,
      made.isDisjoint(with: Self.reads(other.reductions, []))
    else { return nil }
    let merged = (reductions + other.reductions).map(\.value).merged()
    var all = reductions
    for index in reductions.indices { all[index].value = merged[index] }
    var locals: [Int] = []
    for (reduction, value) in zip(other.reductions, merged[reductions.count...]) {
      if let equal = all.firstIndex(where: {
        $0.combiner == reduction.combiner && $0.value === value
      }) {
        locals.append(equal)
        continue
      }
      var reduction = reduction
      reduction.value = value
      locals.append(all.count)
      all.append(reduction)
    }
    return all.count <= Self.reductionLimit ? (all, locals) : nil
  }

  /// Memory that the reductions pass through once, with the index: no element is read for two
  /// indices of the domain or of the reductions. Factors of products are none, since those are
  /// tiled otherwise.
  private func passes(_ origin: (BufferID) -> BufferID) -> Set<Pass> {
    let names = zip(
      Nest.variables(domain) + Nest.reductionVariables(reductionDomain), domain + reductionDomain
    )
    .filter { !$1.isOne }.map { $0.0.symbols }
    let passes = reductions.map(\.value).reachable().compactMap { scalar -> Pass? in
      guard case .load(_, let index) = scalar.kind, let buffer = scalar.loadedBuffer else {
        return nil
      }
      let symbols = index.symbols
      guard names.allSatisfy(symbols.isSuperset) else { return nil }
      return Pass(origin: origin(buffer), index: index)
    }
    return Set(passes)
  }

  private struct Pass: Hashable {
    var origin: BufferID
    var index: Scalar
  }
}

extension Scalar {
  /// The buffer that is read, where this is a load from one of the program's.
  var loadedBuffer: BufferID? {
    guard case .load(.argument(let index), _) = kind else { return nil }
    return BufferID(index: index)
  }

  /// What is read back after a store: rounded to a 16-bit storage type.
  func cast(throughStorage dtype: DType) -> Scalar {
    dtype == dtype.computed ? self : cast(to: dtype).cast(to: dtype.computed)
  }

  fileprivate func renumberingLocals(_ number: (Int) -> Int) -> Scalar {
    rewritten { scalar in
      guard case .local(let id) = scalar.kind, number(id) != id else { return nil }
      return .local(number(id), scalar.dtype)
    }
  }
}
