import AgnesiArrays
import AgnesiExpressions

/// Reads one word of the notation from left to right.
struct NotationScanner {
  private let word: String
  private let position: Int
  private var rest: Substring

  init(_ word: String, position: Int) {
    self.word = word
    self.position = position
    rest = Substring(word.lowercased())
  }

  func error(
    _ message: String, near: [String] = [], allowed: String = ""
  ) -> NotationError {
    NotationError(
      message, token: word, position: position, hint: NearestNames.question(near),
      allowed: allowed)
  }

  func expectEnd() throws {
    if !rest.isEmpty { throw error("\"\(rest)\" at its end is not understood") }
  }

  /// The letters that come next, in lower case.
  mutating func letters() -> String {
    let found = rest.prefix { $0.isLetter }
    rest = rest.dropFirst(found.count)
    return String(found)
  }

  /// The whole number that comes next; nil where there is none.
  mutating func integer() throws -> Int? {
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    if digits.isEmpty { return nil }
    rest = rest.dropFirst(digits.count)
    // Larger numbers are mistakes, and would overflow sizes.
    guard let value = Int(digits), value <= 1_000_000_000 else {
      throw error("the number \(digits) is too large")
    }
    return value
  }

  /// The number that comes next, as Swift writes doubles: `0.5`, `2`, `1e-05`.
  mutating func number() throws -> Double? {
    let isPart: (Character) -> Bool = { $0.isASCII && ($0.isNumber || ".e-+".contains($0)) }
    let text = rest.prefix(while: isPart)
    if text.isEmpty { return nil }
    guard let value = Double(text), value.isFinite else {
      throw error("\"\(text)\" is no number")
    }
    rest = rest.dropFirst(text.count)
    return value
  }

  /// `5`, or `5x3`: each at least `minimum`.
  mutating func extent(_ what: String, minimum: Int = 1) throws -> Extent2D {
    guard let height = try integer() else { throw error("needs \(what)") }
    var width = height
    if rest.first == "x" {
      rest = rest.dropFirst()
      guard let second = try integer() else {
        throw error("needs a number of columns behind the x, as in 5x3")
      }
      width = second
    }
    guard min(height, width) >= minimum else {
      throw error("needs numbers of at least \(minimum), got \(min(height, width))")
    }
    return Extent2D(height: height, width: width)
  }
}

/// What stands behind a kernel or window.
struct NotationSuffixes {
  var stride: Extent2D?
  var padding: Padding2D?
  var dilation: Extent2D?
  var groups: Int?

  static let meanings = ["s": "stride", "p": "padding", "d": "dilation", "g": "groups"]

  /// The padding of a pooling layer, which has numbers only.
  func poolPadding(_ scanner: NotationScanner) throws -> Extent2D {
    switch padding {
    case nil: return 0
    case .symmetric(let height, let width)?: return Extent2D(height: height, width: width)
    default: throw scanner.error("the padding of windows must be a number, as in MP3s2p1")
    }
  }
}

extension NotationScanner {
  /// Suffixes in any order, each at most once.
  mutating func suffixes(_ allowed: [String]) throws -> NotationSuffixes {
    var result = NotationSuffixes()
    var seen: Set<String> = []
    while let first = rest.first {
      let letter = String(first)
      guard allowed.contains(letter) else {
        let list = allowed.map { "\($0) (\(NotationSuffixes.meanings[$0] ?? ""))" }
        throw error(
          "\"\(rest)\" is not understood",
          allowed: "behind the size, \(list.joined(separator: ", "))")
      }
      guard seen.insert(letter).inserted else { throw error("\(letter) is given twice") }
      rest = rest.dropFirst()
      try read(letter, into: &result)
    }
    return result
  }

  private mutating func read(_ letter: String, into result: inout NotationSuffixes) throws {
    switch letter {
    case "s": result.stride = try extent("a number behind s, the stride")
    case "d": result.dilation = try extent("a number behind d, the dilation")
    case "g":
      guard let groups = try integer(), groups >= 1 else {
        throw error("needs a number of groups, at least 1, behind g")
      }
      result.groups = groups
    default: result.padding = try padding()
    }
  }

  private mutating func padding() throws -> Padding2D {
    for (text, padding) in [("same", Padding2D.same), ("full", .full)] where rest.hasPrefix(text) {
      rest = rest.dropFirst(text.count)
      return padding
    }
    let extent = try extent("a number, same or full behind p, the padding", minimum: 0)
    return .symmetric(extent.height, extent.width)
  }
}
