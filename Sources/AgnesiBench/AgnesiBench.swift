import ArgumentParser
import CAgnesiStart

/// `agnesi-bench`: how long the steps of networks take.
@main
struct AgnesiBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agnesi-bench", abstract: "Time whole steps of networks.",
    discussion: """
      agnesi-bench unet                      # one JSON object
      agnesi-bench unet --profile            # where the time of its steps goes
      agnesi-bench work unet                 # its weights and multiply-adds
      agnesi-bench peers unet --python PATH  # in turns with other frameworks

      The workloads are \(Workload.allCases.map(\.rawValue).joined(separator: ", ")); \
      `agnesi-bench run --help` says what each is.
      """,
    subcommands: [
      RunCommand.self, PeersCommand.self, LimitsCommand.self, TableCommand.self,
      AccuracyCommand.self, ConvolutionsCommand.self, WorkCommand.self, LayoutsCommand.self,
    ],
    defaultSubcommand: RunCommand.self)
}
