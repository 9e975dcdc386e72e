import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Chooses the loops of a nest: which axes become one, what runs in parallel, where the vectors lie.
struct NestLoops {
  let nest: Nest
  let buffers: [BufferInfo]
  let library: any LibraryTable
  private let position: Scalar
  let reductionValues: [Scalar]
  let outer: Axes
  let inner: Axes

  init(_ nest: Nest, buffers: [BufferInfo], library: any LibraryTable) {
    self.library = library
    self.nest = nest
    self.buffers = buffers
    let position = Nest.position(in: nest.domain)
    let reductionValues = nest.reductions.map(\.value)
    var formulas: Set<Size> = []
    for scalar in (nest.stores.map(\.value) + reductionValues + [position]).reachable() {
      if case .index(let size) = scalar.kind { formulas.insert(size) }
    }
    // How far a reduction runs may depend on the index whose value it is.
    formulas.formUnion(nest.reductionDomain)
    outer = Axes("_i", nest.domain, formulas: formulas)
    inner = Axes("_r", nest.reductionDomain, formulas: formulas)
    let replacements = outer.replacements.merging(inner.replacements) { first, _ in first }
    self.position = position.substituting(replacements)
    self.reductionValues = reductionValues.map { $0.substituting(replacements) }
  }

  func step() -> Step {
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
    let written = nest.made
    let kinds = arguments.map {
      Kernel.Argument(buffers[$0.index].dtype, isWritten: written.contains($0))
    }
    let kernel = Kernel(name: "", arguments: kinds, body: numbered)
    var step = Step(
      work: .kernel(kernel, cost: cost(kernel)), arguments: arguments, written: written,
      label: nest.label, location: nest.location)
    step.identityReads = nest.identityReads
    return step
  }

  private func cost(_ kernel: Kernel) -> Size {
    let each = nest.reductions.reduce(0) { $0 + $1.cost }
    let names = Dictionary(uniqueKeysWithValues: outer.axes.map { ($0.variable, Size(0)) })
    let reduced = nest.reductionDomain.product.substituting(names) * Size(each)
    let all = nest.domain.product * (Size(nest.cost + 1) + reduced)
    return kernel.parallelExtent.map { all / $0 } ?? all
  }

  var tile: TileShape { library.tile }

  // MARK: Bodies

  private var body: [Statement] {
    if let tiles = productTiles ?? transposingTiles { return tiles }
    return loops(
      outer.axes, body: starts + reducing + stores,
      isVector: nest.reductions.isEmpty || nest.readsColumns
    )
  }

  /// The reductions' results before anything is reduced.
  var starts: [Statement] {
    nest.reductions.enumerated().map { .define($0, $1.identity) }
  }

  /// The loops that reduce; one result after the other along memory, or, where the loop around them
  /// is a vector's, neighbouring results side by side.
  var reducing: [Statement] {
    let accumulators = zip(nest.reductions, reductionValues).enumerated().map { index, reduction in
      Statement.Reduction.Fold(local: index, combiner: reduction.0.combiner, value: reduction.1)
    }
    if accumulators.isEmpty { return [] }
    guard let last = inner.last else {
      // A domain of sizes 1 only: there is one value to combine with.
      return accumulators.map { accumulator in
        let running = Scalar.local(accumulator.local, accumulator.value.dtype)
        return .assign(
          accumulator.local,
          .binary(accumulator.combiner.function, running, accumulator.value))
      }
    }
    let innermost = Statement.reduce(.init(last.variable, last.extent, folds: accumulators))
    return inner.axes.dropLast().reversed().reduce([innermost]) { body, axis in
      [.loop(.init(axis.variable, axis.extent, body: body))]
    }
  }

  var stores: [Statement] {
    let replacements = outer.replacements
    let values = nest.stores.map { $0.value.substituting(replacements) }.merged()
    let firstLocal = nest.reductions.count
    let sharing = Sharing(values, firstLocal: firstLocal)
    // All values are computed before any is stored: a store may overwrite what another reads.
    var statements = sharing.statements
    var results = sharing.values
    if results.count > 1 {
      for (index, value) in results.enumerated() {
        if case .local = value.kind { continue }
        let local = firstLocal + statements.count
        statements.append(.define(local, value))
        results[index] = .local(local, value.dtype)
      }
    }
    for (store, value) in zip(nest.stores, results) {
      statements.append(.store(.argument(store.buffer.index), index: position, value: value))
    }
    return statements
  }

  /// Nested loops over axes of the domain, the outermost parallel, the innermost in vectors.
  ///
  /// - Parameter areParallel: whether all are parallel, since what they hold is.
  func loops(
    _ axes: [Axes.Axis], body: [Statement], isVector: Bool, areParallel: Bool = false
  ) -> [Statement] {
    axes.enumerated().reversed().reduce(body) { body, axis in
      let isLast = axis.offset == axes.count - 1
      return [
        .loop(
          .init(
            axis.element.variable, axis.element.extent, isParallel: areParallel || axis.offset == 0,
            isVector: isVector && isLast, body: body))
      ]
    }
  }
}
