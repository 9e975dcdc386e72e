import Foundation
import TestSupport
import Testing

/// The texts of `--help` at the widths that terminals have.
struct HelpTests {
  private static let commands: [[String]] = [
    [], ["train"], ["transfer"], ["evaluate"], ["predict"], ["classify"], ["find"], ["explain"],
    ["summary"], ["data"], ["models"], ["models", "list"], ["models", "get"], ["export"], ["tune"],
  ]

  private static func help(_ command: [String], _ columns: Int) throws -> String {
    let path = try #require(BuildProducts.path("agnesi"), "the command was not built")
    let outcome = try BuildProducts.run(
      path, command + ["--help"], environment: ["COLUMNS": String(columns)])
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    return outcome.output
  }

  /// The examples of a text, joined again where a backslash says that they go on.
  private static func examples(_ text: String) -> [String] {
    guard let start = text.range(of: "EXAMPLES\n")?.upperBound else { return [] }
    let block = text[start...].components(separatedBy: "\n\n")[0]
    let joined = block.replacingOccurrences(
      of: #" \\\n +"#, with: " ", options: .regularExpression)
    return joined.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test(arguments: [60, 80, 100, 120]) func linesFit(_ columns: Int) throws {
    for command in Self.commands {
      for line in try Self.help(command, columns).components(separatedBy: "\n") {
        #expect(line.count <= columns, "\(command): \(line)")
      }
    }
  }

  /// However wide the terminal, examples are the same command lines, which a shell takes.
  @Test(arguments: [60, 80, 100]) func examplesStayWhole(_ columns: Int) throws {
    for command in Self.commands where command.count < 2 {
      let wide = Self.examples(try Self.help(command, 400))
      #expect(!wide.isEmpty, "\(command)")
      #expect(wide.allSatisfy { $0.hasPrefix("agnesi ") }, "\(command)")
      let text = try Self.help(command, columns)
      #expect(Self.examples(text) == wide, "\(command)")
    }
  }

  /// Paragraphs are filled: no line ends early because the text was broken twice.
  @Test(arguments: [80, 100, 120]) func paragraphsAreFilled(_ columns: Int) throws {
    for command in Self.commands {
      let text = try Self.help(command, columns)
      let overview = text.components(separatedBy: "USAGE: ")[0]
      for paragraph in overview.components(separatedBy: "\n\n") {
        let lines = paragraph.components(separatedBy: "\n")
        if lines.contains(where: { $0.hasPrefix(" ") }) { continue }
        for (line, next) in zip(lines, lines.dropFirst()) {
          let word = next.prefix { $0 != " " }
          #expect(line.count + 1 + word.count > columns - 1, "\(command): \(line)")
        }
      }
    }
  }

  @Test func subcommandsStandInGroups() throws {
    let text = try Self.help([], 80)
    let names = text.components(separatedBy: "\n").filter { $0.hasSuffix(":") }
    #expect(names == ["OPTIONS:", "LEARN:", "LOOK:", "USE:", "LOOK UP:"])
    for command in Self.commands where command.count == 1 {
      #expect(text.components(separatedBy: "\n  \(command[0]) ").count == 2, "\(command)")
    }
  }

  @Test func brokenExamplesAreCommandsOfAShell() throws {
    let text = try Self.help(["train"], 60)
    #expect(
      text.contains(
        #"""
          agnesi train mnist --data folder \
            --network "256FC D0.5 256FC D0.5 10FC" --epochs 25 \
            --seed 7 --output digits.safetensors

        """#))
  }
}
