import AgnesiLoops

/// The loops over a shape, as few as memory allows: neighbouring axes that every formula steps
/// through without a gap become one.
struct Axes {
  struct Axis {
    var variable: String
    var extent: Size
  }

  private(set) var axes: [Axis]
  /// What the original variables are in terms of the remaining ones.
  private(set) var replacements: [String: Size] = [:]

  /// - Parameter formulas: every index formula in which the variables occur.
  init(_ prefix: String, _ shape: [Size], formulas: Set<Size>) {
    axes = shape.indices.map { Axis(variable: "\(prefix)\($0)", extent: shape[$0]) }
    for axis in axes where axis.extent.isOne { replacements[axis.variable] = 0 }
    axes.removeAll { $0.extent.isOne }
    var position = axes.count - 1
    while position > 0 {
      if canMerge(axes[position - 1], axes[position], formulas) { merge(at: position - 1) }
      position -= 1
    }
  }

  private func canMerge(_ outer: Axis, _ inner: Axis, _ formulas: Set<Size>) -> Bool {
    formulas.allSatisfy { formula in
      guard let a = formula.coefficient(of: outer.variable),
        let b = formula.coefficient(of: inner.variable)
      else { return false }
      return a == b * inner.extent
    }
  }

  /// Two axes become one that is called like the inner one.
  private mutating func merge(at position: Int) {
    let (outer, inner) = (axes[position], axes[position + 1])
    replacements[outer.variable] = 0
    axes[position] = Axis(variable: inner.variable, extent: outer.extent * inner.extent)
    axes.remove(at: position + 1)
  }

  var last: Axis? { axes.last }
}
