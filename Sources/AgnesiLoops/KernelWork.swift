import AgnesiArrays

/// What one run of a kernel does, counted from its loops.
package struct KernelWork: Hashable, Sendable {
  /// Functions of floats that are evaluated; each counts as one, comparisons and elementary functions
  /// too.
  package var operations = 0.0
  /// How many elements of each argument are read, one that is read again counted again.
  package var loads: [Int: Double] = [:]
  /// How many elements of each argument are written.
  package var stores: [Int: Double] = [:]

  package init() {}
}

extension Kernel {
  /// The work of one run, where the kernel's names stand for `sizes`.
  ///
  /// A value that a statement uses twice counts once. What depends on a condition counts as if the
  /// condition always held.
  ///
  /// - Complexity: proportional to the kernel's text; loops that others inside of them depend on are
  ///   gone through, in up to 256 places.
  package func work(_ sizes: [String: Int]) -> KernelWork {
    var counter = WorkCounter(sizes: sizes)
    counter.count(body, times: 1)
    return counter.work
  }
}

/// Walks statements with the number of times that they run.
private struct WorkCounter {
  var sizes: [String: Int]
  var work = KernelWork()

  /// Iterations that are looked at one by one where inner loops are longer for some of them.
  private static let samples = 256

  init(sizes: [String: Int]) { self.sizes = sizes }

  mutating func count(_ statements: [Statement], times: Double) {
    for statement in statements { count(statement, times: times) }
  }

  private mutating func count(_ statement: Statement, times: Double) {
    switch statement {
    case .loop(let loop): count(loop, times: times)
    case .tiles(let tiles):
      let columns = Statement.loop(
        .init(tiles.columns.variable, tiles.columns.extent, body: tiles.body))
      count(.init(tiles.rows.variable, tiles.rows.extent, body: [columns]), times: times)
    case .reduce(let reduction):
      let times = times * Double(number(reduction.extent))
      count(reduction.folds.map(\.value), times: times)
      for fold in reduction.folds where fold.value.dtype.isFloating { work.operations += times }
    case .define(_, let value), .assign(_, let value): count([value], times: times)
    case .store(let buffer, let index, let value):
      count([index, value], times: times)
      if case .argument(let argument) = buffer { work.stores[argument, default: 0] += times }
    case .when(let condition, let body):
      count([condition], times: times)
      count(body, times: times)
    case .scratch: break
    }
  }

  private mutating func count(_ loop: Statement.Loop, times: Double) {
    let extent = number(loop.extent)
    guard loop.body.extentSymbols.contains(loop.variable) else {
      return count(loop.body, times: times * Double(extent))
    }
    let samples = min(extent, Self.samples)
    for sample in 0..<samples {
      sizes[loop.variable] = sample * extent / samples
      count(loop.body, times: times * Double(extent) / Double(samples))
    }
    sizes[loop.variable] = nil
  }

  private mutating func count(_ values: [Scalar], times: Double) {
    var seen: Set<ObjectIdentifier> = []
    var pending = values
    while let scalar = pending.popLast() {
      guard seen.insert(ObjectIdentifier(scalar)).inserted else { continue }
      switch scalar.kind {
      case .unary(_, let x), .binary(_, let x, _):
        if x.dtype.isFloating { work.operations += times }
      case .load(.argument(let argument), _): work.loads[argument, default: 0] += times
      default: break
      }
      pending += scalar.operands
    }
  }

  private func number(_ size: Size) -> Int { max(0, size.evaluated(sizes) ?? 0) }
}

extension [Statement] {
  /// The names that say how often the loops of these statements run.
  fileprivate var extentSymbols: Set<String> {
    reduce(into: []) { result, statement in
      switch statement {
      case .loop(let loop):
        result.formUnion(loop.extent.symbols.union(loop.body.extentSymbols))
      case .tiles(let tiles):
        result.formUnion(tiles.rows.extent.symbols.union(tiles.columns.extent.symbols))
        result.formUnion(tiles.body.extentSymbols)
      case .reduce(let reduction): result.formUnion(reduction.extent.symbols)
      case .when(_, let body): result.formUnion(body.extentSymbols)
      case .define, .assign, .store, .scratch: break
      }
    }
  }
}
