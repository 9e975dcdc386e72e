import Agnesi
import ArgumentParser

/// Misspelt subcommands: the parser of arguments only calls them unexpected.
enum SubcommandNames {
  /// Goes along the arguments as the parser does.
  ///
  /// - Throws: `ValidationError` with the nearest names where the first word that is no option is no
  ///   subcommand, and near to one.
  static func check(
    _ arguments: some Sequence<String>, of root: any ParsableCommand.Type
  ) throws {
    var command = root
    for word in arguments {
      let subcommands = command.configuration.subcommands
      // What follows an option may be its value, and the parser knows better.
      if subcommands.isEmpty || word.hasPrefix("-") || word == "help" { return }
      guard let next = subcommands.first(where: { name(of: $0) == word }) else {
        let names = subcommands.map(name) + ["help"]
        guard let question = NearestNames.question(word, in: names) else { return }
        throw ValidationError("Unexpected argument '\(word)', \(question)")
      }
      command = next
    }
  }

  private static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? ""
  }
}
