import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Chooses the loops of a nest: which axes become one, what runs in parallel, where the vectors lie.
struct NestLoops {
  private let nest: Nest
  private let buffers: [BufferInfo]
  private let position: Scalar
  private let foldValues: [Scalar]
  private let outer: Axes
  private let inner: Axes

  init(_ nest: Nest, buffers: [BufferInfo]) {
    self.nest = nest
    self.buffers = buffers
    let position = Nest.position(in: nest.domain)
    let foldValues = nest.folds.map(\.value)
    var formulas: Set<Size> = []
    for scalar in (nest.stores.map(\.value) + foldValues + [position]).reachable() {
      if case .index(let size) = scalar.kind { formulas.insert(size) }
    }
    outer = Axes("_i", nest.domain, formulas: formulas)
    inner = Axes("_r", nest.foldDomain, formulas: formulas)
    let replacements = outer.replacements.merging(inner.replacements) { first, _ in first }
    self.position = position.substituting(replacements)
    self.foldValues = foldValues.map { $0.substituting(replacements) }.merged()
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
      label: nest.label, site: nest.site)
    step.identityReads = nest.identityReads
    return step
  }

  private func cost(_ kernel: Kernel) -> Size {
    let each = nest.folds.reduce(0) { $0 + $1.cost }
    let folded = nest.foldDomain.reduce(Size(each)) { $0 * $1 }
    let all = nest.domain.reduce(Size(1)) { $0 * $1 } * (Size(nest.cost + 1) + folded)
    return kernel.parallelExtent.map { all / $0 } ?? all
  }

  // MARK: Bodies

  private var body: [Statement] {
    let starts = nest.folds.enumerated().map { Statement.define($0, $1.identity) }
    return loops(
      body: starts + folding + stores, isVector: nest.folds.isEmpty || readsColumns)
  }

  /// The loops that fold; one result after the other along memory, or, where the loop around them
  /// is a vector's, neighbouring results side by side.
  private var folding: [Statement] {
    let folds = zip(nest.folds, foldValues).enumerated().map { index, fold in
      Statement.Reduction.Fold(local: index, combiner: fold.0.combiner, value: fold.1)
    }
    if folds.isEmpty { return [] }
    guard let last = inner.last else {
      // A domain of sizes 1 only: there is one value to combine with.
      return folds.map { fold in
        let running = Scalar.local(fold.local, fold.value.dtype)
        return .assign(fold.local, .binary(fold.combiner.function, running, fold.value))
      }
    }
    let innermost = Statement.reduce(.init(last.variable, last.extent, folds: folds))
    return inner.axes.dropLast().reversed().reduce([innermost]) { body, axis in
      [.loop(.init(axis.variable, axis.extent, body: body))]
    }
  }

  private var stores: [Statement] {
    let replacements = outer.replacements
    let values = nest.stores.map { $0.value.substituting(replacements) }
    let firstLocal = nest.folds.count
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

  /// Whether neighbouring results read neighbouring memory while the folds jump.
  private var readsColumns: Bool {
    guard let last = outer.last, let innermost = inner.last else { return false }
    var alongRow = false
    var alongColumn = false
    for scalar in foldValues.reachable() {
      guard case .load(_, let at) = scalar.kind, case .index(let formula) = at.kind else {
        continue
      }
      if formula.coefficient(of: innermost.variable)?.isOne ?? false { alongRow = true }
      if formula.coefficient(of: last.variable)?.isOne ?? false { alongColumn = true }
    }
    return alongColumn && !alongRow
  }

  /// Nested loops over the domain, the outermost parallel, the innermost in vectors.
  private func loops(body: [Statement], isVector: Bool) -> [Statement] {
    let axes = outer.axes
    return axes.enumerated().reversed().reduce(body) { body, axis in
      let isLast = axis.offset == axes.count - 1
      return [
        .loop(
          .init(
            axis.element.variable, axis.element.extent, isParallel: axis.offset == 0,
            isVector: isVector && isLast, body: body))
      ]
    }
  }
}
