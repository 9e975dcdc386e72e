import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats

/// Arrays by name, as weight files of all formats give them.
package typealias NamedArrays = [(name: String, array: NDArray)]

extension ZooNetwork {
  /// The network with the weights of a file, whose names may be ours or those of the frameworks that
  /// such files usually come from.
  ///
  /// - Parameters:
  ///   - path: the file, in any format that `WeightFile` reads.
  ///   - last, height, width: as for ``model(through:height:width:)``. What lies behind `last` need not
  ///     be in the file.
  /// - Throws: ``ZooError`` where the arrays are not the network's, or an error of the file.
  public func model(
    weights path: String, through last: String? = nil, height: Int? = nil, width: Int? = nil
  ) throws -> Model {
    let model = try model(through: last, height: height, width: width)
    try fill(model, from: WeightFile(reading: path).arrays, of: path)
    return model
  }

  /// Fills the parameters of `model`, which this network built, with the arrays of a file.
  ///
  /// Every parameter is filled, and every array used, unless the table says that it is not needed.
  ///
  /// - Parameters:
  ///   - origin: the file, for messages.
  ///   - arrays: all of the file's arrays.
  /// - Throws: ``ZooError`` that names both sides of what does not fit.
  package func fill(_ model: Model, from arrays: NamedArrays, of origin: String) throws {
    let parameters = try model.parameters()
    // Networks that were trained on several devices have "module." before every name.
    func candidate(_ arrays: NamedArrays) -> (NamedArrays, [String: NDArray], TableFit) {
      let byName = Dictionary(arrays.map { ($0.name, $0.array) }) { first, _ in first }
      return (arrays, byName, bestTable(parameters, byName))
    }
    var (named, byName, fit) = candidate(arrays)
    if let shorter = arrays.withoutCommonPrefix().map(candidate), shorter.2.score > fit.score {
      (named, byName, fit) = shorter
    }
    let filling = WeightFilling(
      network: name, file: origin, table: fit.table, arrays: byName)
    try filling.checkUnused(named.map(\.name))
    // Nothing is assigned before everything fits.
    let values = try parameters.map { try filling.value(of: $0) }
    for (parameter, value) in zip(parameters, values) { try parameter.assign(value) }
  }

  /// The table most of whose arrays the file has, in the shapes that are expected; our own names are
  /// always one of them.
  private func bestTable(
    _ parameters: [Parameter], _ arrays: [String: NDArray]
  ) -> TableFit {
    let own = WeightTable(
      origin: "Agnesi", rows: parameters.map { WeightRow($0.name, $0.name) })
    let shapes = Dictionary(parameters.map { ($0.name, $0.shape) }) { first, _ in first }
    // Layouts decide where two frameworks have the same names.
    func score(_ table: WeightTable) -> Int {
      table.rows.reduce(0) { sum, row in
        guard let array = arrays[row.array] else { return sum }
        let expected = shapes[row.parameter].map { row.conversion.shapeInFile($0) }
        return sum + (array.shape == expected ? 2 : 1)
      }
    }
    return tables.reduce((own, score(own))) { best, table in
      let other = score(table)
      return other > best.1 ? (table, other) : best
    }
  }
}

/// A table, and how well a file's arrays fit it.
private typealias TableFit = (table: WeightTable, score: Int)

extension NamedArrays {
  /// The same with the first part of the names (`module.` in `module.fc.weight`) left out, where all
  /// have it; else nil.
  fileprivate func withoutCommonPrefix() -> NamedArrays? {
    guard let first = first?.name, let dot = first.firstIndex(of: ".") else { return nil }
    let prefix = first[...dot]
    guard allSatisfy({ $0.name.hasPrefix(prefix) }) else { return nil }
    return map { (name: String($0.name.dropFirst(prefix.count)), array: $0.array) }
  }
}

/// One filling of parameters from one file.
private struct WeightFilling {
  let network: String
  let file: String
  let table: WeightTable
  let arrays: [String: NDArray]
  private let rows: [String: WeightRow]

  init(network: String, file: String, table: WeightTable, arrays: [String: NDArray]) {
    self.network = network
    self.file = file
    self.table = table
    self.arrays = arrays
    rows = Dictionary(table.rows.map { ($0.parameter, $0) }) { first, _ in first }
  }

  func value(of parameter: Parameter) throws -> NDArray {
    guard let row = rows[parameter.name] else {
      throw error(
        "\(table.origin)'s files have no array for parameter \"\(parameter.name)\"")
    }
    for name in row.arrays where arrays[name] == nil {
      throw error(
        "parameter \"\(parameter.name)\" is \"\(name)\" in \(table.origin)'s files, which this one "
          + "does not have (\(missingCount) of \(table.rows.count) arrays are missing)",
        hint: "the file has \(listed(arrays.keys.sorted()))")
    }
    guard let array = arrays[row.array] else { throw error("\"\(row.array)\" is missing") }
    let other = row.arrays.dropFirst().first.flatMap { arrays[$0] }
    guard let value = row.conversion.value(array, other, shape: parameter.shape) else {
      throw error(
        "array \"\(row.array)\" is \(array.dtype)\(array.shape), parameter \"\(parameter.name)\", "
          + "\(parameter.shape), needs \(row.conversion.shapeInFile(parameter.shape))")
    }
    return value
  }

  func checkUnused(_ names: [String]) throws {
    let known = Set(table.rows.flatMap(\.arrays))
    let unused = names.filter { !known.contains($0) && !table.ignores($0) }
    guard unused.isEmpty || missingCount == table.rows.count else {
      throw error(
        "\(network) has nothing for \(listed(unused)) (read as a file of \(table.origin)'s)",
        hint: "is it the weights of another network?")
    }
  }

  private var missingCount: Int { table.rows.count { arrays[$0.array] == nil } }

  private func listed(_ names: [String]) -> String {
    let shown = names.prefix(4).map { "\"\($0)\"" }.joined(separator: ", ")
    return names.count > 4 ? "\(shown) and \(names.count - 4) more" : shown
  }

  private func error(_ problem: String, hint: String? = nil) -> ZooError {
    ZooError("fill \(network) from \(file)", problem, hint: hint)
  }
}

extension ZooNetwork {
  /// The arrays that a file of `origin`'s has for the parameters of `model`, with their shapes.
  package func fileArrays(
    of model: Model, origin: String
  ) throws -> [(name: String, shape: [Int])] {
    guard let table = tables.first(where: { $0.origin == origin }) else {
      let origins = tables.map(\.origin).joined(separator: ", ")
      throw ZooError("list \(origin)'s arrays for \(name)", "files are of \(origins)")
    }
    let shapes = Dictionary(
      uniqueKeysWithValues: try model.parameters().map { ($0.name, $0.shape) })
    return table.rows.compactMap { row in
      shapes[row.parameter].map { (row.array, row.conversion.shapeInFile($0)) }
    }
  }
}

extension ZooNetwork {
  /// For each kind of file that is known, the parameters that it has arrays for.
  package var parameterNames: [(origin: String, parameters: [String])] {
    tables.map { ($0.origin, $0.rows.map(\.parameter)) }
  }
}
