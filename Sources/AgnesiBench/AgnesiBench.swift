import ArgumentParser
import CAgnesiStart

/// `agnesi-bench`: how long the steps of networks take.
@main
struct AgnesiBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agnesi-bench", abstract: "Time whole steps of networks.",
    subcommands: [
      RunCommand.self, PeersCommand.self, LimitsCommand.self, TableCommand.self,
      AccuracyCommand.self, ConvolutionsCommand.self,
    ],
    defaultSubcommand: RunCommand.self)
}
