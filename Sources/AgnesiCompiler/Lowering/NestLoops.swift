import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Chooses the loops of a nest: which axes become one, what runs in parallel, where the vectors lie.
struct NestLoops {
  private let nest: Nest
  private let buffers: [BufferInfo]
  private let position: Scalar
  private let foldValue: Scalar?
  private let outer: Axes
  private let inner: Axes

  /// Columns that are folded side by side: 64 floats are four vectors of AVX-512.
  private static let tile = 64

  init(_ nest: Nest, buffers: [BufferInfo]) {
    self.nest = nest
    self.buffers = buffers
    let position = Nest.position(in: nest.domain)
    let foldValues = nest.foldValues
    var formulas: Set<Size> = []
    for scalar in (nest.stores.map(\.value) + foldValues + [position]).reachable() {
      if case .index(let size) = scalar.kind { formulas.insert(size) }
    }
    outer = Axes("_i", nest.domain, formulas: formulas)
    inner = Axes("_r", nest.fold?.domain ?? [], formulas: formulas)
    let replacements = outer.replacements.merging(inner.replacements) { first, _ in first }
    self.position = position.substituting(replacements)
    foldValue = foldValues.first?.substituting(replacements)
  }

  func step() -> Step {
    let body = nest.fold.map(foldBody) ?? loops(outer.axes, body: stores(firstLocal: 1))
    var arguments: [BufferID] = []
    var numbers: [Int: Int] = [:]
    let numbered = body.map { statement in
      statement.renumbering { id in
        if let number = numbers[id] { return number }
        numbers[id] = arguments.count
        arguments.append(BufferID(index: id))
        return arguments.count - 1
      }
    }
    let written = Set(nest.stores.map(\.buffer))
    let kinds = arguments.map {
      Kernel.Argument(buffers[$0.index].dtype, isWritten: written.contains($0))
    }
    let kernel = Kernel(name: "", arguments: kinds, body: numbered)
    var step = Step(
      work: .kernel(kernel, cost: cost(kernel)), arguments: arguments, written: written,
      label: nest.label, site: nest.site)
    step.identityReads = identityReads()
    return step
  }

  private func cost(_ kernel: Kernel) -> Size {
    let folded = (nest.fold?.domain ?? []).reduce(Size(1)) { $0 * $1 } * Size(nest.fold?.cost ?? 0)
    let all = nest.domain.reduce(Size(1)) { $0 * $1 } * (Size(nest.cost + 1) + folded)
    return kernel.parallelExtent.map { all / $0 } ?? all
  }

  // MARK: Bodies

  private func stores(firstLocal: Int) -> [Statement] {
    let replacements = outer.replacements
    let values = nest.stores.map { $0.value.substituting(replacements) }
    let sharing = Sharing(values, firstLocal: firstLocal)
    // All values are computed before any is stored: a store may overwrite what another reads.
    var statements = sharing.statements
    var results = sharing.values
    if results.count > 1 {
      for index in results.indices {
        let local = firstLocal + sharing.statements.count + index
        statements.append(.define(local, results[index]))
        results[index] = .local(local, results[index].dtype)
      }
    }
    for (store, value) in zip(nest.stores, results) {
      statements.append(.store(.argument(store.buffer.index), index: position, value: value))
    }
    return statements
  }

  private func foldBody(_ fold: Value.Fold) -> [Statement] {
    guard let value = foldValue else { internalError("a fold without a value") }
    return readsColumns(value) ? columns(fold, value) : rows(fold, value)
  }

  /// Whether neighbouring results read neighbouring memory while the fold jumps.
  private func readsColumns(_ value: Scalar) -> Bool {
    guard let last = outer.last, let innermost = inner.last else { return false }
    var alongRow = false
    var alongColumn = false
    for scalar in [value].reachable() {
      guard case .load(_, let at) = scalar.kind, case .index(let formula) = at.kind else {
        continue
      }
      if formula.coefficient(of: innermost.variable)?.isOne ?? false { alongRow = true }
      if formula.coefficient(of: last.variable)?.isOne ?? false { alongColumn = true }
    }
    return alongColumn && !alongRow
  }

  /// One result after the other, each folded along memory in vectors.
  private func rows(_ fold: Value.Fold, _ value: Scalar) -> [Statement] {
    let start = Scalar.constant(fold.combiner.identity(fold.dtype), fold.dtype)
    var folding: [Statement]
    if let last = inner.last {
      folding = [
        .reduce(
          .init(
            last.variable, last.extent,
            folds: [.init(local: 0, combiner: fold.combiner, value: value)]))
      ]
      for axis in inner.axes.dropLast().reversed() {
        folding = [.loop(.init(axis.variable, axis.extent, body: folding))]
      }
    } else {
      // A domain of sizes 1 only: the one value is the result.
      folding = [.assign(0, .binary(fold.combiner.function, .local(0, fold.dtype), value))]
    }
    return loops(
      outer.axes, body: [.define(0, start)] + folding + stores(firstLocal: 1), vector: false)
  }

  /// A tile of neighbouring results at once: the fold runs outside, the tile is its vector.
  private func columns(_ fold: Value.Fold, _ value: Scalar) -> [Statement] {
    guard let last = outer.last else { internalError("columns without an axis") }
    let width = Size(Self.tile)
    let tileVariable = "_tile"
    let tiles = (last.extent + Size(Self.tile - 1)) / width
    func body(_ extent: Size) -> [Statement] {
      tile(fold, value, last.variable, start: .symbol(tileVariable) * width, extent: extent)
    }
    let remainder = last.extent % width
    var statements: [Statement] = []
    let isFull = Scalar.index(.symbol(tileVariable)) .< .index(last.extent / width)
    if !(last.extent / width).isZero { statements.append(.when(isFull, body(width))) }
    if !remainder.isZero {
      let isRest = Scalar.index(last.extent / width) .<= .index(.symbol(tileVariable))
      statements.append(.when(isRest, body(remainder)))
    }
    var axes = Array(outer.axes.dropLast())
    axes.append(.init(variable: tileVariable, extent: tiles))
    return loops(axes, body: statements, vector: false)
  }

  private func tile(
    _ fold: Value.Fold, _ value: Scalar, _ variable: String, start: Size, extent: Size
  ) -> [Statement] {
    let column = "_column"
    let shift = [variable: start + .symbol(column)]
    let at = Scalar.index(.symbol(column))
    let scratch = Buffer.scratch(0)
    let held = Scalar.load(scratch, at, fold.dtype)
    func overColumns(_ body: [Statement]) -> Statement {
      .loop(.init(column, extent, isVector: true, body: body))
    }
    let identity = Scalar.constant(fold.combiner.identity(fold.dtype), fold.dtype)
    let combined = Scalar.binary(fold.combiner.function, held, value.substituting(shift))
    var folding = overColumns([.store(scratch, index: at, value: combined)])
    for axis in inner.axes.reversed() {
      folding = .loop(.init(axis.variable, axis.extent, body: [folding]))
    }
    let results = stores(firstLocal: 1).map { $0.substituting(shift) }
    return [
      .scratch(0, fold.dtype, count: Self.tile),
      overColumns([.store(scratch, index: at, value: identity)]),
      folding,
      overColumns([.define(0, held)] + results),
    ]
  }

  /// Nested loops, the outermost parallel, the innermost in vectors.
  private func loops(_ axes: [Axes.Axis], body: [Statement], vector: Bool = true) -> [Statement] {
    var statements = body
    for (depth, axis) in axes.enumerated().reversed() {
      let isLast = depth == axes.count - 1
      statements = [
        .loop(
          .init(
            axis.variable, axis.extent, isParallel: depth == 0, isVector: vector && isLast,
            body: statements))
      ]
    }
    return statements
  }

  /// Buffers that are read only at the index that is stored: a store may go over them.
  private func identityReads() -> Set<BufferID> {
    guard nest.fold == nil else { return [] }
    var good: Set<BufferID> = []
    var bad: Set<BufferID> = []
    let own = Nest.position(in: nest.domain)
    for scalar in nest.stores.map(\.value).reachable() {
      guard case .load(.argument(let index), let at) = scalar.kind else { continue }
      if at == own {
        good.insert(BufferID(index: index))
      } else {
        bad.insert(BufferID(index: index))
      }
    }
    return good.subtracting(bad)
  }
}
