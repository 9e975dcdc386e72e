import Agnesi
import ArgumentParser
import CAgnesiStart
import Foundation

/// `agnesi`: trains, evaluates and uses networks from the command line.
@main
struct AgnesiCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agnesi",
    abstract: "Deep learning: train networks, evaluate them, use them.",
    discussion: HelpText.discussion(
      """
      The exit status is 0 where it is done, 1 where it could not be (the message says why), 64 for a wrong
      command line, and 130 where a signal stopped it.
      """,
      examples: [
        "agnesi data",
        #"agnesi train fashion-mnist --network "20C5 MP2 50C5 MP2 256FC 10FC""#
          + #" --epochs 5 --output clothes.safetensors --report report.html"#,
        "agnesi evaluate clothes.safetensors fashion-mnist",
        "agnesi predict clothes.safetensors fashion-mnist --index 0 1 2",
        "agnesi models get efficientnet-lite0",
        "agnesi classify efficientnet-lite0 holiday.jpg",
        #"agnesi summary "20C5 MP2 50C5 MP2 256FC 10FC" --input 1x28x28"#,
      ]),
    version: "0.1.0",
    groupedSubcommands: [
      CommandGroup(name: "Learn", subcommands: [TrainCommand.self, TransferCommand.self]),
      CommandGroup(
        name: "Look", subcommands: [SummaryCommand.self, EvaluateCommand.self, ExplainCommand.self]),
      CommandGroup(
        name: "Use",
        subcommands: [
          PredictCommand.self, ClassifyCommand.self, FindCommand.self, SegmentCommand.self,
          ExportCommand.self, TuneCommand.self,
        ]),
      CommandGroup(name: "Look up", subcommands: [DataCommand.self, ModelsCommand.self]),
    ])

  /// Runs the command that the arguments name, as the system gives them: a file's name may be no UTF-8, and
  /// Swift's own list of arguments has other characters in its place.
  static func main() {
    let words = CommandLine.unsafeArgv
    let arguments = (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      words[index].map { word in
        FileName.decoded(UnsafeRawBufferPointer(start: word, count: strlen(word)))
      }
    }
    do {
      try SubcommandNames.check(arguments[...], of: Self.self)
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch {
      let text = HelpText.arranged(fullMessage(for: error))
      let code = exitCode(for: error)
      if code == .success { print(text) } else if !text.isEmpty { Console().note(text) }
      Foundation.exit(code.rawValue)
    }
  }
}

/// Where data come from; shared by the commands that read any.
struct DataOptions: ParsableArguments {
  @Option(
    name: .customLong("data"),
    help: ArgumentHelp(
      "A folder that holds the data set, or folders with the names of data sets.",
      valueName: "folder"))
  var folder: String?

  /// Opens the data set, downloading it where it is nowhere, and says what was found.
  func open(_ name: String, console: Console) throws -> DataSplit {
    try checkFolder()
    let registry = DataRegistry(folder: folder)
    let split = try registry.openOrDownload(name) { console.show($0) }
    console.endLine()
    for note in split.notes { console.note(note) }
    return split
  }
}

extension DataOptions {
  /// Refuses a folder that is not there: what is misspelt must not become a place of downloads.
  private func checkFolder() throws {
    guard let folder, !FileManager.default.fileExists(atPath: folder) else { return }
    let near = NearestNames.question(NearestNames.ofFiles(folder))
    throw CommandFailure(
      message: "--data \(folder): there is no such folder"
        + "\n  hint: \(near ?? "--data names a folder that holds the data set, or is to hold it")")
  }
}

/// Where and how exactly to compute; shared by the commands that run networks.
struct BackendOptions: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Direct convolutions only, often more exact and slower; also by AGNESI_STRICT=1."))
  var strict = false

  func backend(profiler: Profiler? = nil) -> CPU {
    strict ? CPU(convolutions: .direct, profiler: profiler) : CPU(profiler: profiler)
  }
}

/// The number of threads; shared by the commands that compute.
struct ThreadOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads to compute with; by default one for each core, or AGNESI_THREADS.",
      valueName: "count"))
  var threads: Int?

  func validate() throws {
    if let text = ProcessInfo.processInfo.environment[Self.variable], !text.isEmpty,
      !(Int(text).map { $0 >= 1 } ?? false)
    {
      throw ValidationError("\(Self.variable) is \(text), it must be a whole number of at least 1")
    }
    if let threads, threads < 1 {
      throw ValidationError("--threads is \(threads), it must be at least 1")
    }
    if let threads, threads > Self.most {
      throw ValidationError("--threads is \(threads), it must be at most \(Self.most)")
    }
  }

  private static let most = 4096
  private static let variable = "AGNESI_THREADS"

  func apply() { if let threads { CPU.threads = threads } }

  /// A run that goes on computes with as many threads as it was begun with, since sums are split among them;
  /// another number is taken where it is asked for, and said.
  ///
  /// - Parameter recorded: the number that the checkpoint holds, as text.
  func goOn(with recorded: String?, _ console: Console) {
    guard let count = recorded.flatMap(Int.init), (1...Self.most).contains(count),
      count != CPU.threads
    else { return }
    if threads == nil {
      CPU.threads = count
      console.note("computing with \(count) threads, as the run was begun")
    } else {
      console.note(
        "the run was begun with \(count) threads: results may differ in their last digits")
    }
  }
}
