#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The names that a misspelt one may have meant, for errors of everything that has names: one measure
/// of nearness, so that all lists answer alike.
package enum NearestNames {
  /// The names of `known` that are near to `name`, nearest first; none where nothing is near enough to
  /// be meant.
  ///
  /// Upper and lower case are the same, and so are spaces, `-`, `_` and `.`. A name is near that has
  /// the same words in another order, that few letters turn into the other (inserted, left out,
  /// replaced, or exchanged with a neighbour: at most a third of the shorter one's, and always one), or
  /// of which the other is the beginning or a whole word.
  package static func of(_ name: String, in known: [String], limit: Int = 3) -> [String] {
    let wanted = Spelling(name)
    guard !wanted.letters.isEmpty else { return [] }
    var seen: Set<String> = []
    let rated = known.filter { seen.insert($0).inserted }.enumerated().compactMap {
      position, candidate -> (cost: Double, position: Int, name: String)? in
      wanted.cost(of: Spelling(candidate)).map { ($0, position, candidate) }
    }
    guard let best = rated.map(\.cost).min() else { return [] }
    // What is much further away than the best was not meant.
    return rated.filter { $0.cost <= best + 0.75 }
      .sorted { ($0.cost, $0.position) < ($1.cost, $1.position) }
      .prefix(limit).map(\.name)
  }

  /// `did you mean adam, adamw or adamax?`; nil where nothing is near.
  package static func question(_ name: String, in known: [String], limit: Int = 3) -> String? {
    question(of(name, in: known, limit: limit))
  }

  /// `did you mean a, b or c?`; nil of no names.
  package static func question(_ names: [String]) -> String? {
    guard let last = names.last else { return nil }
    let others = names.dropLast().joined(separator: ", ")
    return "did you mean \(others.isEmpty ? last : "\(others) or \(last)")?"
  }

  /// The question, or `otherwise` where nothing is near.
  package static func question(
    _ name: String, in known: [String], otherwise: @autoclosure () -> String
  ) -> String {
    question(name, in: known) ?? otherwise()
  }

  /// Letters to insert, leave out, replace, or exchange with a neighbour, to make one of the other.
  ///
  /// Source: Damerau, *A technique for computer detection and correction of spelling errors*, 1964, in
  /// the form in which no letter is touched twice.
  package static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var rows = [Array(0...right.count)]
    for (i, letter) in left.enumerated() {
      var row = [i + 1]
      for (j, other) in right.enumerated() {
        var best = min(
          rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other {
          best = min(best, rows[i - 1][j - 1] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}

extension NearestNames {
  /// What the system's error number `code` for `path` lets one ask: where nothing of that name exists,
  /// the names beside it that are near.
  package static func hint(missing path: String, code: Int32) -> String? {
    code == ENOENT ? question(ofFiles(path)) : nil
  }

  /// The paths beside `path`, which does not exist, whose names are near to its own.
  package static func ofFiles(_ path: String) -> [String] {
    guard let last = path.split(separator: "/").last, path.hasSuffix(last) else { return [] }
    let folder = path.dropLast(last.count)
    let place = folder.isEmpty ? "." : String(folder)
    // A folder of very many files is not worth the time.
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: place),
      names.count <= 10_000
    else { return [] }
    // Endings that all files share make no two names near.
    let wanted = FileName(String(last))
    let visible = names.filter { !$0.hasPrefix(".") }.sorted().map(FileName.init)
    let sameStem = visible.filter { $0.stem.lowercased() == wanted.stem.lowercased() }
    let sameEnding = visible.filter { $0.ending.lowercased() == wanted.ending.lowercased() }
    let near = of(wanted.stem, in: sameEnding.map(\.stem)).flatMap { stem in
      sameEnding.filter { $0.stem == stem }
    }
    var seen: Set<String> = []
    let found = (sameStem + near).map { $0.stem + $0.ending }.filter { seen.insert($0).inserted }
    return found.prefix(3).map { folder + $0 }
  }

  /// `run` and `.checkpoint.safetensors`.
  private struct FileName {
    let stem: String
    let ending: String

    init(_ name: String) {
      let dot = name.dropFirst().firstIndex(of: ".") ?? name.endIndex
      stem = String(name[..<dot])
      ending = String(name[dot...])
    }
  }
}

/// A name as it is compared.
private struct Spelling {
  let words: [String]
  let letters: [Character]

  init(_ name: String) {
    words = name.lowercased().split { " -_.".contains($0) }.map(String.init)
    letters = Array(words.joined(separator: " "))
  }

  /// How far the other is from what was meant; nil where it is too far.
  func cost(of other: Spelling) -> Double? {
    if letters == other.letters { return 0 }
    if letters.filter({ $0 != " " }) == other.letters.filter({ $0 != " " }) { return 0.25 }
    if words.count > 1, words.sorted() == other.words.sorted() { return 0.5 }
    let shorter = min(letters.count, other.letters.count)
    var costs: [Double] = []
    // Long names may differ by more, but what has another length needs so many letters at least.
    let allowed = max(1, shorter / 3)
    if shorter > 1, abs(letters.count - other.letters.count) <= allowed {
      let distance = NearestNames.distance(letters, other.letters)
      // Of short names one letter more is half of another name.
      if distance <= allowed { costs.append(Double(distance)) }
    }
    if shorter > 2, isPart(other) { costs.append(1.5) }
    return costs.min()
  }

  /// Whether one is the beginning of the other, or words of it.
  private func isPart(_ other: Spelling) -> Bool {
    if other.letters.starts(with: letters) { return true }
    if letters.count > 3, letters.starts(with: other.letters) { return true }
    return words.allSatisfy(other.words.contains)
  }
}
