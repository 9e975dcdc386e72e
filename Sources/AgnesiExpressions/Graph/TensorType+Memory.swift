import AgnesiArrays
import AgnesiLoops

extension TensorType {
  /// The elements that there are at least: each name of a size counts as 1, and so do sizes of 0,
  /// which do not make the others possible.
  package var leastCount: Int {
    shape.map { max(1, $0.leastValue ?? 1) }.product
  }

  /// Whether elements can be counted in bytes at all.
  package var isCountable: Bool {
    !isKnown || leastCount.saturatingProduct(dtype.size) < .max
  }

  /// Whether a file may ask for such a tensor: of some 17 thousand million elements at most, whatever it
  /// is made of. Whoever writes a program may wait longer; a file from elsewhere must not decide it.
  package var isAllowedInFiles: Bool {
    shape.allSatisfy { ($0.known ?? 0) >= 0 } && leastCount <= 1 << 34
  }
}

extension Size {
  /// The value where each name stands for 1; nil where that divides by 0.
  package var leastValue: Int? {
    known ?? evaluated(Dictionary(uniqueKeysWithValues: symbols.map { ($0, 1) }))
  }
}

extension Memory {
  /// Checks that all results can be counted, whatever the names of sizes turn out to be, and that there
  /// is room for the parameters that have no value yet.
  ///
  /// - Parameters:
  ///   - parameters: whose values come to life beside those of `nodes`.
  ///   - name: of the function that they are for.
  package static func check(
    _ nodes: [Node], and parameters: [Parameter] = [], for name: String
  ) throws(MemoryError) {
    for node in nodes { try check(node, types: node.types) }
    let all = Set(nodes.compactMap { $0.results.first?.parameter } + parameters)
    let demands = all.filter { !$0.hasValue }.sorted { $0.name < $1.name }.map(\.demand)
    if demands.count == 1 {
      try check(demands[0])
    } else {
      try check(demands, of: "\(demands.count) parameters", for: name)
    }
  }

  /// Checks that the results of a node can be counted.
  ///
  /// - Parameter types: those of the results, with names of sizes replaced.
  package static func check(_ node: Node, types: [TensorType]) throws(MemoryError) {
    guard let type = types.first(where: { !$0.isCountable }) else { return }
    let subject = node.results.first?.parameter?.demand.subject ?? node.operation.label
    throw MemoryError(
      subject, type.description, wanted: nil, available: available,
      place: node.location.place)
  }
}

extension Parameter {
  /// What its value takes.
  package var demand: Memory.Demand { Memory.Demand("parameter \"\(name)\"", dtype, shape) }
}
