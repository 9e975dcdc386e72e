import AgnesiExpressions
import AgnesiLoops

// Long reductions with few results run in two stages: every chunk of the reduced domain is reduced
// by itself, in parallel, then the chunks' results are. How many chunks there are follows from the
// sizes alone, so the result does not depend on the threads; and a sum of sums of chunks is closer
// than one long sum.

extension Nest {
  /// Elements that one chunk reads, about: 64 KiB of float32.
  private static let chunkWork = 16_384
  /// Fewer independent loops than this leave threads idle.
  private static let parallelLimit = 16
  /// Terms that are added one after the other, lane by lane, without a loss of accuracy that matters.
  private static let chainLimit = 8192
  /// Elements side by side that are read about as fast as a long stream: a page.
  private static let pieceLength = 1024
  /// Terms of a chunk, at least: its results go through memory once more, which costs about as much
  /// as that many terms of a sum; and for a product, where a term is read from a register.
  private static let chunkTerms = (sum: 16, product: 1024)
  /// What a size with a name is guessed to be.
  private static let guess = 64

  /// This nest, or the two that do the same in stages where that pays.
  ///
  /// - Parameter temporary: allocates a buffer for the results of `count` reductions.
  /// - Parameter tile: how many results of a product are one piece of work.
  func stages(
    tile: TileShape, temporary: (_ reduction: Value.Reduction, _ count: Size) -> BufferID
  ) -> [Nest] {
    guard isWorthStages(tile), let cut = Cut(self, tile) else { return [self] }
    let count = cut.count * domain.product
    let partial = reductions.map { temporary($0, count) }
    return [chunks(cut, into: partial), whole(cut, from: partial)]
  }

  private func isWorthStages(_ tile: TileShape) -> Bool {
    guard let results = domain.product.known, results > 0, !reductions.isEmpty else { return false }
    let terms = reductionDomain.product
    let columns = isProduct(tile) || readsColumns
    let area = isProduct(tile) ? tile.rows * tile.columns : 16
    let loops = columns ? (results + area - 1) / area : results
    let length = terms.guessed(Self.guess)
    if columns ? length >= Self.chainLimit : length / 64 >= Self.chainLimit { return true }
    if loops >= Self.parallelLimit { return false }
    let isOpen = terms.known == nil && results < 16
    return isOpen || length.multipliedClamped(by: results) >= 4 * Self.chunkWork
  }

  /// Whether what is summed is a product of matrices, whose results are made in tiles.
  private func isProduct(_ tile: TileShape) -> Bool {
    let axes = domain.indices.filter { !domain[$0].isOne }.suffix(2)
    guard axes.count == 2, reductions.count == 1, reductions[0].combiner == .sum else {
      return false
    }
    let names = axes.map { "_i\($0)" }
    return TileProduct(reductions[0].value, row: names[0], column: names[1], width: tile.columns)
      != nil
  }

  /// Whether neighbouring results read neighbouring memory while the reductions jump.
  var readsColumns: Bool {
    guard let column = Self.innermost(domain, "_i"), let row = Self.innermost(reductionDomain, "_r")
    else { return false }
    var alongRow = false
    var alongColumn = false
    for scalar in reductions.map(\.value).reachable() {
      guard case .load(_, let at) = scalar.kind, case .index(let formula) = at.kind else {
        continue
      }
      if formula.coefficient(of: row)?.isOne ?? false { alongRow = true }
      if formula.coefficient(of: column)?.isOne ?? false { alongColumn = true }
    }
    return alongColumn && !alongRow
  }

  private static func innermost(_ shape: Shape, _ prefix: String) -> String? {
    shape.lastIndex { !$0.isOne }.map { "\(prefix)\($0)" }
  }

  /// Where a reduced domain is cut.
  private struct Cut {
    var axis: Int
    /// Steps along the axis in each chunk but the last.
    var length: Int
    /// The number of chunks.
    var count: Size
    /// Steps along the axis in chunk `_i0`.
    var extent: Size

    /// Nil where one chunk would be all.
    init?(_ nest: Nest, _ tile: TileShape) {
      let shape = nest.reductionDomain
      guard let results = nest.domain.product.known, let axis = Self.axis(of: shape) else {
        return nil
      }
      let steps = shape[axis]
      var others = shape
      others.remove(at: axis)
      let each = results.multipliedClamped(by: others.product.guessed(Nest.guess))
      let piece = shape[(axis + 1)...].product.known.map { Nest.pieceLength / max(1, $0) } ?? 1
      let isOutermost = shape[..<axis].allSatisfy(\.isOne)
      self.axis = axis
      let terms = nest.isProduct(tile) ? Nest.chunkTerms.product : Nest.chunkTerms.sum
      let least = terms / max(1, others.product.guessed(Nest.guess))
      length = max(1, Nest.chunkWork / max(1, each), isOutermost ? 1 : piece, least)
      count = (steps + Size(length - 1)) / Size(length)
      if let known = count.known, known < 2 { return nil }
      // The last chunk is shorter by what all chunks have too much. The quotient is 1 there only.
      let isLast = (Size.symbol("_i0") + 1) / count
      extent = Size(length) - isLast * (count * Size(length) - steps)
    }

    /// The outermost axis that gives enough long pieces whatever the sizes are; else the outermost
    /// that has a name, or is not short.
    private static func axis(of shape: Shape) -> Int? {
      let good = shape.indices.first { axis in
        let length = shape[axis...].product.known ?? 0
        return length >= 16 * Nest.pieceLength && (shape[axis].known ?? 0) >= 16
      }
      return good ?? shape.firstIndex { $0.known == nil }
        ?? shape.firstIndex { ($0.known ?? 0) >= 4 }
    }
  }

  /// The first stage: the results of each chunk.
  private func chunks(_ cut: Cut, into partial: [BufferID]) -> Nest {
    var names: [String: Size] = [:]
    for axis in domain.indices { names["_i\(axis)"] = .symbol("_i\(axis + 1)") }
    let step = "_r\(cut.axis)"
    names[step] = .symbol("_i0") * Size(cut.length) + .symbol(step)
    let parts = reductions.map { reduction in
      var part = reduction
      part.domain[cut.axis] = cut.extent
      part.value = reduction.value.substituting(names)
      return part
    }
    let stores = zip(reductions, partial).enumerated().map { index, pair in
      Store(buffer: pair.1, dtype: pair.0.dtype, value: .local(index, pair.0.dtype))
    }
    return Nest(
      domain: [cut.count] + domain, reductions: parts, stores: stores, cost: 1, label: label,
      location: location)
  }

  /// The second stage: the chunks reduced, and everything that is done with the results.
  private func whole(_ cut: Cut, from partial: [BufferID]) -> Nest {
    let offset = Nest.position(in: domain)
    let chunk = Scalar.index(.symbol("_r0") * domain.product)
    let parts = zip(reductions, partial).map { reduction, buffer in
      Value.Reduction(
        combiner: reduction.combiner, domain: [cut.count],
        value: .load(.argument(buffer.index), chunk + offset, reduction.dtype), cost: 1)
    }
    return Nest(
      domain: domain, reductions: parts, stores: stores, cost: cost, label: label,
      location: location)
  }
}

extension Sequence<Size> {
  /// All sizes multiplied.
  var product: Size { reduce(Size(1)) { $0 * $1 } }
}

extension Size {
  /// The value with `guess` for each name.
  fileprivate func guessed(_ guess: Int) -> Int {
    evaluated(Dictionary(uniqueKeysWithValues: symbols.map { ($0, guess) })) ?? 0
  }
}

extension Int {
  fileprivate func multipliedClamped(by other: Int) -> Int {
    let (product, overflows) = multipliedReportingOverflow(by: other)
    return overflows ? .max : product
  }
}
