import Agnesi
import ArgumentParser
import Foundation

/// `agnesi tune`.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Measure which algorithm is quicker for each convolution of a network.",
    discussion: HelpText.discussion(
      """
      Many convolutions by 3×3 kernels can be computed directly or by Winograd's algorithm. Which is
      quicker is estimated, unless it was measured: this command times both, for the forward pass
      and the training step, and keeps the times in the cache folder, where every later run looks.
      A run that is resumed keeps the choices that it was begun with.

      Nothing else should run meanwhile. Ctrl-C keeps what was measured.
      """,
      examples: [
        #"agnesi tune "64C3p1 64C3p1 MP2 128C3p1 10FC" --input 3x32x32 --batch 128 500"#,
        "agnesi tune model.safetensors --batch 1 --dry-run",
      ]))

  @Argument(help: "A network in the literature's notation, or a saved model.")
  var network: String

  @Option(help: "The shape of one sample: channels, height and width.")
  var input = "1x28x28"

  @Option(
    parsing: .upToNextOption,
    help: "Samples of a call, one number or several; `agnesi evaluate` takes 500.")
  var batch: [Int] = [100]

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Measure again what was measured before.")
  var retune = false

  @Flag(name: .customLong("dry-run"), help: "Measure and print, but keep nothing.")
  var dryRun = false

  func validate() throws {
    if let wrong = batch.first(where: { $0 < 1 }) {
      throw ValidationError("--batch is \(wrong), it must be at least 1")
    }
  }

  func run() throws {
    try reportingErrors {
      threads.apply()
      let problems = try problems()
      let choices = problems.filter(\.hasChoice)
      let others = problems.count - choices.count
      let console = Console()
      if others > 0 {
        console.note("\(others) convolutions can only be computed directly")
      }
      if choices.isEmpty { return print("there is nothing to choose") }
      var tuning = Tuning(
        problems: choices, retunes: retune, path: dryRun ? nil : ConvolutionTable.standardPath)
      let message = "stopping after this convolution; press Ctrl-C once more to end at once"
      try Interruption.whileHandling(message: message) { interruption in
        try tuning.run(interruption: interruption, console: console)
      }
    }
  }

  /// Those of all functions that `agnesi` makes of the network, each once.
  private func problems() throws -> [ConvolutionProblem] {
    let survey = ConvolutionSurvey()
    if FileManager.default.fileExists(atPath: network) {
      let saved = try SavedClassifier(reading: network)
      _ = try compile([saved.image], to: [saved.probabilities], on: survey)
      // A model of before layers were recorded can still be used, but not be trained.
      if let chain = saved.network { try look(at: chain, saved.sampleShape, survey) }
    } else {
      try ModelOutput.checkNoPath(network, of: "tune")
      let shape = try Shape(sample: input, command: "tune").compactMap(\.known)
      try look(at: try checkingUse { try Notation.parse(network) }, shape, survey)
    }
    var seen: Set<ConvolutionProblem> = []
    return batch.flatMap { survey.problems(sizes: ["batch": $0]) }
      .filter { seen.insert($0).inserted }
  }

  private func look(at network: Chain, _ sample: [Int], _ survey: ConvolutionSurvey) throws {
    let image = Tensor.input("image", [.batch] + sample.map { Size($0) })
    let result = network(image)
    if let failure = result.failure { throw failure }
    // Any loss has the same convolutions below it.
    let loss = square(result).mean()
    _ = try compile([image], to: [result.specialized(for: .inference)], on: survey)
    _ = try compile(
      [image], to: [loss], updates: sgd(loss, loss.parameters(.trainable), rate: 0.1), on: survey)
  }
}

/// Measures convolutions one after the other, and says so line by line.
private struct Tuning {
  let problems: [ConvolutionProblem]
  let retunes: Bool
  /// Where the table is kept; nil keeps nothing.
  let path: String?
  private let machine = ConvolutionTable.Machine.current(threads: CPU.threads)
  private var table: ConvolutionTable
  private let width: Int

  init(problems: [ConvolutionProblem], retunes: Bool, path: String?) {
    self.problems = problems
    self.retunes = retunes
    self.path = path
    table = .standard
    width = problems.map { $0.description.count }.max() ?? 0
  }

  mutating func run(interruption: Interruption, console: Console) throws {
    print(row("convolution", ["direct", "Winograd", "choice", "estimate"]))
    var (measured, known) = (0, 0)
    for (index, problem) in problems.enumerated() {
      if interruption.isRequested { break }
      let key = problem.description
      let old = retunes ? nil : table[machine][key]
      if old == nil { console.progress("\(index + 1) of \(problems.count): \(key)") }
      let times = old ?? problem.measured(threads: machine.threads)
      console.endLine()
      if old != nil { known += 1 } else if times != nil { measured += 1 }
      print(row(key, cells(problem, times)))
      guard old == nil, let times else { continue }
      table[machine][key] = times
      // At once, so that nothing is lost whatever ends the process.
      if let path {
        var addition = ConvolutionTable()
        addition[machine][key] = times
        try addition.add(to: path)
      }
    }
    let place = path.map { "kept in \($0)" } ?? "nothing is kept"
    print("\(measured) measured, \(known) known before; \(place)")
    if measured + known < problems.count, interruption.isRequested { throw ExitCode(130) }
  }

  private func cells(
    _ problem: ConvolutionProblem, _ times: ConvolutionTable.Times?
  ) -> [String] {
    guard let times else { return ["–", "–", "direct", problem.modelledChoice.rawValue] }
    let numbers = [times.direct, times.winograd].map { String(format: "%.3f ms", $0 * 1000) }
    return numbers + [times.choice.rawValue, problem.modelledChoice.rawValue]
  }

  private func row(_ key: String, _ cells: [String]) -> String {
    let start = key + String(repeating: " ", count: max(0, width - key.count))
    let columns = cells.enumerated().map { index, cell in
      let space = String(repeating: " ", count: max(0, 12 - cell.count))
      return index < 2 ? space + cell : "  " + cell + space
    }
    let line = start + columns.joined()
    return String(line.reversed().drop { $0 == " " }.reversed())
  }
}
