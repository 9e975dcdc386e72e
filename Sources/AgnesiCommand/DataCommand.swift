import Agnesi
import ArgumentParser

/// `agnesi data`.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "List the known data sets: where each was found, or how to get it.",
    discussion: HelpText.discussion(
      """
      Data are looked for in the folder given by --data; without it in the user's folder of data
      ($AGNESI_DATA, else ~/.local/share/agnesi) and where Debian's packages put them.
      """,
      examples: [
        "agnesi data",
        "agnesi data --data folder",
        "agnesi data --get mnist",
      ]))

  @OptionGroup var data: DataOptions

  @Option(help: ArgumentHelp("Download a data set.", valueName: "name"))
  var get: String?

  func run() throws {
    let stopped =
      get == nil ? "stopped" : "stopped; the next try goes on from what is here of the files"
    try reportingErrors(stopped: stopped) {
      let registry = DataRegistry(folder: data.folder)
      if let get {
        let console = Console()
        guard let known = registry.known(get) else { _ = try registry.open(get); return }
        let folder = try registry.download(known) { console.show($0) }
        console.endLine()
        print("\(known.name) is in \(folder)")
        return
      }
      for entry in registry.entries { list(entry) }
    }
  }

  private func list(_ entry: DataRegistry.Entry) {
    var lines = ["\(entry.dataSet.name): \(entry.dataSet.summary)"]
    if let found = entry.found {
      lines.append("  found in \(found.folder)")
    } else {
      lines += entry.places.map { "  not in \($0.folder)" }
      lines.append("  to get it: \(entry.dataSet.howToGet)")
    }
    for line in lines { print(HelpText.listed(line)) }
  }
}
