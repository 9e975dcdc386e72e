import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Text of `--help` that knows the width of the terminal.
///
/// The parser of arguments breaks lines at the width that it finds, also lines that were broken
/// before, and examples; so texts come to it in lines that fit already.
enum HelpText {
  /// The columns of a terminal that help is written for: as `COLUMNS` says, else as the terminal says
  /// to which standard output goes, else 80. The parser asks in the same order.
  static let width: Int = {
    if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text) {
      return max(columns, narrowest)
    }
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return max(Int(size.ws_col), narrowest)
    }
    return 80
  }()

  /// The columns that a table for a person may have; nil where no person looks at standard output.
  static var screenWidth: Int? {
    let isAsked = ProcessInfo.processInfo.environment["COLUMNS"] != nil
    return isAsked || isatty(STDOUT_FILENO) != 0 ? width : nil
  }

  /// Below this the parser's own column of options leaves no room for words.
  static let narrowest = 40

  /// A discussion: paragraphs, filled to the width, and examples under a heading of their own.
  ///
  /// - Parameters:
  ///   - text: paragraphs between empty lines; lines that begin with spaces stay lines.
  ///   - examples: command lines that a shell takes, each without line breaks.
  static func discussion(_ text: String, examples: [String], width: Int = width) -> String {
    var parts = text.components(separatedBy: "\n\n").map { filled($0, width) }.filter {
      !$0.isEmpty
    }
    if !examples.isEmpty {
      let lines = examples.map { ShellLine($0).broken(at: width - 1) }
      parts.append((["EXAMPLES"] + lines).joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  /// A line of a list in as many lines as a screen needs, those behind the first indented by two more; a
  /// word that is longer than a line, such as an address, stands alone. One line where nobody looks.
  static func listed(_ line: String, width: Int? = screenWidth) -> String {
    guard let width, line.count > width else { return line }
    let indent = String(line.prefix { $0 == " " })
    var lines: [String] = []
    for word in line.split(separator: " ") {
      let last = lines.last ?? ""
      if !lines.isEmpty, last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " \(word)"
      } else {
        lines.append(indent + (lines.isEmpty ? "" : "  ") + word)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// A paragraph in lines of less than `width` columns.
  private static func filled(_ paragraph: String, _ width: Int) -> String {
    var blocks: [(indent: String, words: [Substring])] = []
    for line in paragraph.split(separator: "\n") {
      let indent = String(line.prefix { $0 == " " })
      let words = line.split(separator: " ")
      if indent.isEmpty, let last = blocks.indices.last, blocks[last].indent.isEmpty {
        blocks[last].words += words
      } else {
        blocks.append((indent, words))
      }
    }
    return blocks.map { block in
      lines(of: block.words, width - 1, first: block.indent, others: block.indent + block.indent)
        .joined(separator: "\n")
    }.joined(separator: "\n")
  }

  /// Words in lines of at most `width` columns.
  static func lines(
    of words: [Substring], _ width: Int, first: String, others: String
  ) -> [String] {
    var lines: [String] = []
    var line = first
    var isEmpty = true
    for word in words {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        (line, isEmpty) = (others, true)
      }
      line += isEmpty ? word : " " + word
      isEmpty = false
    }
    return lines + [line]
  }

  /// A message of the parser whose lines of usage, which it never breaks, are broken between their
  /// arguments, and in which groups of subcommands are called as a person would.
  static func arranged(_ message: String, width: Int = width) -> String {
    message.components(separatedBy: "\n").map { line in
      if line.hasSuffix(" SUBCOMMANDS:") { return line.replacing(" SUBCOMMANDS:", with: ":") }
      guard let title = ["USAGE: ", "Usage: "].first(where: line.hasPrefix), line.count >= width
      else { return line }
      let words = arguments(line.dropFirst(title.count))
      let indent = String(repeating: " ", count: title.count + 2)
      return lines(of: words, width - 1, first: title, others: indent).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  /// `[--epochs <epochs>]` is one word, as are options with their values.
  private static func arguments(_ usage: Substring) -> [Substring] {
    var result: [Substring] = []
    var depth = 0
    var start = usage.startIndex
    for index in usage.indices {
      switch usage[index] {
      case "[", "<": depth += 1
      case "]", ">": depth -= 1
      case " " where depth == 0:
        // The value of an option that has to be given stays with it.
        let next = usage.index(after: index)
        let isValue = usage[start...].hasPrefix("--") && usage[next...].hasPrefix("<")
        if !isValue, start < index {
          result.append(usage[start..<index])
          start = next
        }
      default: break
      }
    }
    if start < usage.endIndex { result.append(usage[start...]) }
    return result
  }
}

/// A line for a shell that is broken where it is too long, so that the shell still takes it.
private struct ShellLine {
  /// Words with the values of options; what is quoted is one word.
  private var groups: [String] = []

  init(_ text: String) {
    var words: [String] = []
    var word = ""
    var isQuoted = false
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if character == " ", !isQuoted {
        words.append(word)
        word = ""
      } else {
        word.append(character)
      }
    }
    words.append(word)
    for word in words where !word.isEmpty {
      if let last = groups.last, last.hasPrefix("--"), !word.hasPrefix("-") {
        groups[groups.count - 1] += " " + word
      } else {
        groups.append(word)
      }
    }
  }

  /// Lines of at most `width` columns: each but the last ends in a backslash, those behind the first
  /// are indented. Groups stay whole where they can.
  func broken(at width: Int) -> String {
    let whole = "  " + groups.joined(separator: " ")
    if whole.count <= width { return whole }
    // Two columns for the backslash.
    let room = width - 2
    let words = groups.flatMap { group -> [Substring] in
      group.count + 4 <= room ? [group[...]] : group.split(separator: " ")
    }
    return HelpText.lines(of: words, room, first: "  ", others: "    ")
      .joined(separator: " \\\n")
  }
}
