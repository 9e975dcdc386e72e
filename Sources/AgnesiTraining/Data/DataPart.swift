import AgnesiArrays

/// A part of a data set, as people name its folder or files.
package enum DataPart: String, CaseIterable, Sendable {
  case training, validation, test

  /// What names of folders and files call it, in upper or lower case.
  package var names: [String] {
    switch self {
    case .training: ["train", "training"]
    case .validation: ["val", "valid", "validation", "dev"]
    case .test: ["test", "testing"]
    }
  }

  /// The part of a name; nil where it is the name of none.
  package init?(named name: String) {
    let lower = name.lowercased()
    guard let part = Self.allCases.first(where: { $0.names.contains(lower) }) else { return nil }
    self = part
  }

  /// The name of a part that a name is almost, but for one letter more or less, another one, or two that are
  /// exchanged; nil where it is the name of one, or is like none.
  package static func almost(named name: String) -> String? {
    let lower = Array(name.lowercased())
    guard DataPart(named: name) == nil, lower.count > 2 else { return nil }
    return allCases.flatMap(\.names).first {
      $0.count > 2 && NearestNames.distance(lower, Array($0)) == 1
    }
  }

  /// Which of `names` stands for which part.
  ///
  /// - Parameter key: what of a name tells its part; nil where the name is not meant.
  /// - Throws: ``DataError`` where two names stand for one part.
  package static func found(
    in names: [String], of place: String, key: (String) -> String? = { $0 }
  ) throws(DataError) -> [DataPart: String] {
    var result: [DataPart: String] = [:]
    for name in names {
      guard let part = key(name).flatMap(DataPart.init(named:)) else { continue }
      if let other = result[part] {
        throw DataError(
          "read the parts of \(place)", "\(other) and \(name) both name its \(part) part",
          hint: "rename or remove one of them")
      }
      result[part] = name
    }
    return result
  }
}
