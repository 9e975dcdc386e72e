import AgnesiFormats

/// Which arrays of a file are those of a table, whatever stands before their names.
///
/// Wrappers put names of their own before those of what they wrap (`module.` where a network was trained on
/// several devices, `model.` of Lightning, `_orig_mod.` where it was compiled), nested in any way, and
/// another for the body than for the head. So the part of a name before the one that the table has is a
/// prefix, and those prefixes are taken under which most arrays have the names and shapes of the network.
struct WeightMatch {
  let table: WeightTable
  /// The file's names by the table's.
  private(set) var names: [String: String] = [:]
  /// How well the file fits: 2 for an array of the expected shape, 1 for one of the name.
  private(set) var score = 0
  /// How many arrays have the expected name and shape.
  private(set) var fitting = 0
  /// Prefixes that fit the same arrays equally well, of which none can be preferred.
  private(set) var ambiguous: [String] = []
  /// What stands before the names that are used.
  private var prefixes: [String] = []
  private var used: Set<String> = []

  /// - Parameter shapes: those of the parameters, by name.
  init(
    _ table: WeightTable, shapes: [String: [Int]], _ arrays: [(name: String, shape: [Int])]
  ) {
    self.table = table
    let places = PrefixedNames(table, shapes: shapes, arrays)
    let expected = Set(table.rows.flatMap(\.arrays))
    var missing = expected
    var isFirst = true
    while let choice = places.best(for: missing, excluding: used, needingShapes: !isFirst) {
      if choice.others.isEmpty {
        take(choice.best)
      } else if isFirst, choice.best.places.count * 2 > expected.count {
        ambiguous = [choice.best.prefix] + choice.others
        take(choice.best)
        return
      }
      // The same names under several other prefixes stay missing.
      missing.subtract(choice.best.places.keys)
      isFirst = false
    }
  }

  private mutating func take(_ group: PrefixedNames.Group) {
    prefixes.append(group.prefix)
    for (name, place) in group.places {
      names[name] = place.name
      used.insert(place.name)
      score += place.fits ? 2 : 1
      fitting += place.fits ? 1 : 0
    }
  }

  /// Whether an array is used, or is one that files of this kind have and no network needs.
  func accounts(for name: String) -> Bool {
    if used.contains(name) || table.ignores(name) { return true }
    let rests = prefixes.filter(name.hasPrefix).map { String(name.dropFirst($0.count)) }
    if rests.contains(where: table.ignores) { return true }
    return name.split { $0 == "." || $0 == "/" }.dropLast()
      .contains { CheckpointNames.isTraining(String($0)) }
  }
}

/// A table's names in a file, by what stands before them.
private struct PrefixedNames {
  /// An array of a file that may be one of the table's.
  struct Place {
    var name: String
    /// Whether its shape is the expected one.
    var fits: Bool
  }

  /// The arrays under one prefix, by the table's names.
  struct Group {
    var prefix: String
    var places: [String: Place]

    var score: Int { places.values.reduce(0) { $0 + ($1.fits ? 2 : 1) } }
  }

  private let groups: [Group]

  init(
    _ table: WeightTable, shapes: [String: [Int]], _ arrays: [(name: String, shape: [Int])]
  ) {
    var rows: [String: WeightRow] = [:]
    for row in table.rows { for name in row.arrays where rows[name] == nil { rows[name] = row } }
    var numbers: [String: Int] = [:]
    var groups: [Group] = []
    let components = Set(rows.keys.flatMap { Self.components($0) })
    for (name, shape) in arrays {
      for (prefix, expected) in Self.ends(of: name, known: components) {
        guard let row = rows[expected] else { continue }
        let parts = prefix.split { $0 == "." || $0 == "/" }
        if parts.contains(where: { CheckpointNames.isTraining(String($0)) }) { continue }
        let number = numbers[prefix] ?? groups.count
        if number == groups.count {
          numbers[prefix] = number
          groups.append(Group(prefix: prefix, places: [:]))
        }
        let isSecond = row.array != expected
        let fits = isSecond || shapes[row.parameter].map { row.conversion.fits(shape, $0) } == true
        if groups[number].places[expected] == nil {
          groups[number].places[expected] = Place(name: name, fits: fits)
        }
      }
    }
    self.groups = groups
  }

  /// The prefix under which most of the missing names are, and others under which exactly the same are.
  func best(
    for missing: Set<String>, excluding used: Set<String>, needingShapes: Bool
  ) -> (best: Group, others: [String])? {
    var best: Group?
    var others: [String] = []
    for group in groups {
      let places = group.places.filter { name, place in
        missing.contains(name) && !used.contains(place.name) && (place.fits || !needingShapes)
      }
      let rest = Group(prefix: group.prefix, places: places)
      if rest.score == 0 { continue }
      if let known = best, rest.score <= known.score {
        if rest.score == known.score, rest.places.keys == known.places.keys {
          others.append(rest.prefix)
        }
      } else {
        (best, others) = (rest, [])
      }
    }
    return best.map { ($0, others) }
  }

  private static func components(_ name: String) -> [String] {
    name.split { $0 == "." || $0 == "/" }.map(String.init)
  }

  /// The ways to cut a name into a prefix, which ends with a dot or `/` or is empty, and the rest.
  /// Wrappers in the middle (`layer1._orig_mod.0`) are left out of the rest.
  private static func ends(
    of name: String, known: Set<String>
  ) -> [(prefix: String, rest: String)] {
    var starts = [name.startIndex]
    for index in name.indices where name[index] == "." || name[index] == "/" {
      starts.append(name.index(after: index))
    }
    var result = starts.map { (prefix: String(name[..<$0]), rest: String(name[$0...])) }
    let wrappers = components(name).filter {
      !known.contains($0) && ($0.hasPrefix("_") || $0 == "module")
    }
    for (prefix, rest) in result where !wrappers.isEmpty {
      let kept = components(rest).filter { !wrappers.contains($0) }.joined(separator: ".")
      if kept != rest, components(rest).first.map(wrappers.contains) == false {
        result.append((prefix, kept))
      }
    }
    return result
  }
}

extension WeightConversion {
  /// Whether an array of this shape can become a parameter of `parameterShape`.
  func fits(_ shape: [Int], _ parameterShape: [Int]) -> Bool {
    switch self {
    case .same, .inverseDeviation, .indices: shape == parameterShape
    case .channelsLast: shape.count == 4 && shapeInFile(parameterShape) == shape
    case .reshaped: shape.filter { $0 != 1 } == parameterShape.filter { $0 != 1 }
    case .divided: shape.product == parameterShape.product
    case .transposed:
      parameterShape.count == 2 && shape.product == parameterShape.product
        && (shape.starts(with: shapeInFile(parameterShape))
          || shape.suffix(2) == shapeInFile(parameterShape)[...])
    }
  }
}
