import AgnesiExpressions
import AgnesiLoops

extension Nest {
  /// This nest with the elements that another nest stores computed inside of its reductions; nil
  /// where that is impossible or would compute an element more than once.
  func absorbing(_ source: Nest) -> Nest? {
    let made = source.made
    let cost = reductions.reduce(source.cost) { $0 + $1.cost }
    guard source.reductions.isEmpty, cost <= Nest.costLimit,
      Self.reads([], stores).isDisjoint(with: made)
    else { return nil }
    let values = Dictionary(
      uniqueKeysWithValues: source.stores.map {
        ($0.buffer, $0.value.cast(throughStorage: $0.dtype))
      }
    )
    var isPossible = true
    var isFirst = true
    let absorbed = reductions.map { reduction in
      var result = reduction
      result.value = reduction.value.rewritten { scalar in
        guard case .load(_, let at) = scalar.kind,
          let value = scalar.loadedBuffer.flatMap({ values[$0] })
        else { return nil }
        guard let names = variables(of: source.domain, at: at) else {
          isPossible = false
          return nil
        }
        return value.substituting(names)
      }
      // All reductions together compute it once.
      if isFirst { result.cost += source.cost }
      isFirst = false
      return result
    }
    guard isPossible else { return nil }
    let isNamed = source.label == label || label.hasPrefix("\(source.label)+")
    return Nest(
      domain: domain, reductions: absorbed, stores: stores, cost: self.cost,
      label: isNamed ? label : "\(source.label)+\(label)", location: location)
  }

  /// What the variables of `shape` are in terms of this nest's where its reductions read the
  /// element at `position` of contiguous memory; nil unless each combination of this nest's indices
  /// reads another element.
  private func variables(of shape: Shape, at position: Scalar) -> [String: Size]? {
    guard case .index(let formula) = position.kind else { return nil }
    var unused: [String: Size] = [:]
    for axis in domain.indices where !domain[axis].isOne { unused["_i\(axis)"] = domain[axis] }
    for axis in reductionDomain.indices where !reductionDomain[axis].isOne {
      unused["_r\(axis)"] = reductionDomain[axis]
    }
    var names: [String: Size] = [:]
    var stride = Size(1)
    var sum = Size(0)
    for axis in shape.indices.reversed() {
      names["_i\(axis)"] = 0
      if shape[axis].isOne { continue }
      let variable = unused.keys.sorted().first { name in
        unused[name] == shape[axis] && formula.coefficient(of: name) == stride
      }
      guard let variable else { return nil }
      unused[variable] = nil
      names["_i\(axis)"] = .symbol(variable)
      sum = sum + .symbol(variable) * stride
      stride = stride * shape[axis]
    }
    return unused.isEmpty && sum == formula ? names : nil
  }
}
