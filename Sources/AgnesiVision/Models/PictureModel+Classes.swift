import AgnesiArrays
import AgnesiModels

extension PictureModel {
  /// The class that `text` means: its name, what else it is known by, or its number, tried in this
  /// order.
  ///
  /// Names are compared without regard to case, and `_` is a space. Of a name that lists several
  /// words with commas, each counts.
  ///
  /// - Throws: ``ClassNameError`` where no class or more than one is meant.
  public func classIndex(_ text: String) throws(ClassNameError) -> Int {
    if let exact = only(classNames.indices.filter { classNames[$0] == text }) { return exact }
    if let known = only(classIdentifiers.indices.filter { classIdentifiers[$0] == text }) {
      return known
    }
    if let number = Int(text), classNames.indices.contains(number) { return number }
    let wanted = Self.plain(text)
    let whole = classNames.indices.filter { Self.plain(classNames[$0]) == wanted }
    if let index = only(whole) { return index }
    let words = classNames.indices.filter {
      Self.plain(classNames[$0]).split(separator: ", ").contains { $0 == wanted }
    }
    let found = whole.isEmpty ? words : whole
    if let index = only(found) { return index }
    throw ClassNameError(text: text, found: found, similar: similar(to: wanted), in: classNames)
  }

  private func only(_ indices: [Int]) -> Int? { indices.count == 1 ? indices[0] : nil }

  private static func plain(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" ? " " : $0 })
  }

  /// Classes whose name, or one of the words that it lists, is near; else those that hold it as a
  /// part.
  private func similar(to wanted: String) -> [Int] {
    if wanted.isEmpty { return [] }
    var classes: [String: [Int]] = [:]
    var names: [String] = []
    for (index, name) in classNames.enumerated() {
      let plain = Self.plain(name)
      let words = plain.split(separator: ", ").map(String.init)
      for word in Set([plain] + words).sorted() {
        if classes[word] == nil { names.append(word) }
        classes[word, default: []].append(index)
      }
    }
    var seen: Set<Int> = []
    let near = NearestNames.of(wanted, in: names, limit: 5).flatMap { classes[$0] ?? [] }
    let parts = classNames.indices.filter { Self.plain(classNames[$0]).contains(wanted) }
    return (near + parts).filter { seen.insert($0).inserted }
  }
}

/// A class that was asked for by a name that is none, or several.
public struct ClassNameError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was asked for.
  public let text: String
  private let found: [String]
  private let similar: [String]
  private let classCount: Int

  /// - Parameters:
  ///   - found: the classes of that name, where there are several.
  ///   - similar: the classes that might be meant.
  init(text: String, found: [Int], similar: [Int], in names: [String]) {
    self.text = text
    self.found = found.map { "\($0) (\(names[$0]))" }
    self.similar = similar.prefix(5).map { "\($0) (\(names[$0]))" }
    classCount = names.count
  }

  public var description: String {
    if !found.isEmpty {
      return "\"\(text)\" names \(found.count) classes: \(found.joined(separator: ", "))"
        + "\n  hint: use the number of one of them"
    }
    let first = "no class is called \"\(text)\"; the model has \(classCount) classes"
    return similar.isEmpty
      ? first : "\(first)\n  hint: did you mean \(similar.joined(separator: ", "))?"
  }
}
