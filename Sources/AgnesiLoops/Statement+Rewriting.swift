import AgnesiArrays

extension Statement {
  /// This statement with every value replaced by a function of it.
  package func mappingValues(_ transform: (Scalar) -> Scalar) -> Statement {
    switch self {
    case .loop(var loop):
      loop.body = loop.body.map { $0.mappingValues(transform) }
      return .loop(loop)
    case .tiles(var tiles):
      tiles.body = tiles.body.map { $0.mappingValues(transform) }
      return .tiles(tiles)
    case .reduce(var reduction):
      // What folds have in common is computed once as long as it is one node.
      let values = reduction.folds.map { transform($0.value) }.merged()
      for (index, value) in values.enumerated() { reduction.folds[index].value = value }
      return .reduce(reduction)
    case .define(let local, let value): return .define(local, transform(value))
    case .assign(let local, let value): return .assign(local, transform(value))
    case .store(let buffer, let index, let value):
      return .store(buffer, index: transform(index), value: transform(value))
    case .when(let condition, let body):
      return .when(transform(condition), body.map { $0.mappingValues(transform) })
    case .scratch: return self
    }
  }

  /// This statement with names in index formulas replaced; loops must not bind those names.
  package func substituting(_ sizes: [String: Size]) -> Statement {
    mappingValues { $0.substituting(sizes) }
  }

  /// This statement with other numbers for the kernel's arguments.
  package func renumbering(_ number: (Int) -> Int) -> Statement {
    let renumbered = mappingValues { value in
      value.rewritten { scalar in
        guard case .load(.argument(let id), let index) = scalar.kind else { return nil }
        return .load(.argument(number(id)), index, scalar.dtype)
      }
    }
    return renumbered.renumberingStores(number)
  }

  private func renumberingStores(_ number: (Int) -> Int) -> Statement {
    switch self {
    case .loop(var loop):
      loop.body = loop.body.map { $0.renumberingStores(number) }
      return .loop(loop)
    case .tiles(var tiles):
      tiles.body = tiles.body.map { $0.renumberingStores(number) }
      return .tiles(tiles)
    case .when(let condition, let body):
      return .when(condition, body.map { $0.renumberingStores(number) })
    case .store(.argument(let id), let index, let value):
      return .store(.argument(number(id)), index: index, value: value)
    default: return self
    }
  }
}
