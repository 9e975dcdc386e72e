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
  ///   - path: the file, in any format that `WeightFile` reads. Of a checkpoint with several
  ///     dictionaries, the one that fits the network is taken, or the one named behind the path:
  ///     `checkpoint.pth#ema`. What stands before all names, such as `module.model.`, does not matter.
  ///   - last, height, width: as for ``model(through:height:width:)``. What lies behind `last` need not
  ///     be in the file.
  /// - Throws: ``ZooError`` where the arrays are not the network's, or an error of the file.
  public func model(
    weights path: String, through last: String? = nil, height: Int? = nil, width: Int? = nil
  ) throws -> Model {
    let model = try model(through: last, height: height, width: width)
    let parameters = try model.parameters()
    let file = try WeightFile(reading: path) { bestMatch(parameters, $0).fitting }
    try fill(model, from: file.arrays, of: path)
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
    let match = bestMatch(parameters, arrays.map { ($0.name, $0.array.shape) })
    if !match.ambiguous.isEmpty {
      let shown = match.ambiguous.map { $0.isEmpty ? "nothing" : "\"\($0)\"" }
      throw ZooError(
        "fill \(name) from \(origin)",
        "its weights are there more than once, with "
          + "\(shown.joined(separator: " and ")) before their names",
        hint: match.ambiguous.first { !$0.isEmpty }.map {
          "name one behind the file's name: FILE#\($0.dropLast())"
        })
    }
    let values = Dictionary(arrays.map { ($0.name, $0.array) }) { first, _ in first }
    let filling = WeightFilling(
      network: name, file: origin, match: match,
      arrays: match.names.compactMapValues { values[$0] }, foundNames: arrays.map(\.name))
    try filling.checkUnused()
    // Nothing is assigned before everything fits.
    let filled = try parameters.map { try filling.value(of: $0) }
    for (parameter, value) in zip(parameters, filled) { try parameter.assign(value) }
  }

  /// The table that arrays of these names and shapes fit best; our own names are always one of them.
  /// Layouts decide where two frameworks have the same names.
  fileprivate func bestMatch(
    _ parameters: [Parameter], _ arrays: [(name: String, shape: [Int])]
  ) -> WeightMatch {
    let own = WeightTable(
      origin: "Agnesi", rows: parameters.map { WeightRow($0.name, $0.name) })
    let shapes = Dictionary(parameters.map { ($0.name, $0.shape) }) { first, _ in first }
    let first = WeightMatch(own, shapes: shapes, arrays)
    return tables.reduce(first) { best, table in
      let other = WeightMatch(table, shapes: shapes, arrays)
      return other.score > best.score ? other : best
    }
  }
}

/// One filling of parameters from one file.
private struct WeightFilling {
  let network: String
  let file: String
  let match: WeightMatch
  /// By the table's names.
  let arrays: [String: NDArray]
  /// The names of all arrays in the file.
  let foundNames: [String]
  private let rows: [String: WeightRow]

  private var table: WeightTable { match.table }

  init(
    network: String, file: String, match: WeightMatch, arrays: [String: NDArray],
    foundNames: [String]
  ) {
    self.network = network
    self.file = file
    self.match = match
    self.arrays = arrays
    self.foundNames = foundNames
    let table = match.table
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
        hint: "the file has \(listed(foundNames.sorted()))")
    }
    guard let array = arrays[row.array] else { throw error("\"\(row.array)\" is missing") }
    let other = row.arrays.dropFirst().first.flatMap { arrays[$0] }
    guard let value = row.conversion.value(array, other, shape: parameter.shape) else {
      throw error(
        "array \"\(match.names[row.array] ?? row.array)\" is \(array.dtype)\(array.shape), parameter \"\(parameter.name)\", "
          + "\(parameter.shape), needs \(row.conversion.shapeInFile(parameter.shape))")
    }
    return value
  }

  func checkUnused() throws {
    let unused = foundNames.filter { !match.accounts(for: $0) }
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
