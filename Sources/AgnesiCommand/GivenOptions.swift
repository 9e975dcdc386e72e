import Foundation

/// The options that the command line gives, as opposed to those that have a value by default: the
/// parser of arguments does not tell them apart.
struct GivenOptions {
  /// With their dashes, such as `--batch`, in the order of the line.
  let names: [String]

  /// - Parameter arguments: the words behind the command's name.
  init(_ arguments: [String] = Array(CommandLine.arguments.dropFirst())) {
    names = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }.map {
      String($0.prefix { $0 != "=" })
    }
  }

  func contains(_ name: String) -> Bool { names.contains(name) }

  /// Refuses options that a run which goes on would ignore.
  ///
  /// - Parameters:
  ///   - allowed: those that count.
  ///   - checkpoint: from what the run goes on.
  func refuse(allBut allowed: Set<String>, goingOnFrom checkpoint: String) throws {
    let others = names.filter { !allowed.contains($0) }
    guard let last = others.last else { return }
    let list = others.count == 1 ? last : others.dropLast().joined(separator: ", ") + " and \(last)"
    let pronoun = others.count == 1 ? "it" : "them"
    throw CommandFailure(
      message: """
        \(list) cannot be given together with --resume: the run goes on as it was begun
          hint: leave \(pronoun) out; \(checkpoint) holds the settings
        """)
  }
}
