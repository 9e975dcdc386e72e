import Agnesi
import ArgumentParser
import Foundation

/// `agnesi classify`.
struct ClassifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Say what is on photos.",
    discussion: HelpText.discussion(
      """
      A folder stands for all pictures below it. A file that cannot be read is reported, and the
      others go on; the exit status is 1 only if none could be read.
      """,
      examples: [
        "agnesi classify efficientnet-lite0 holiday.jpg",
        "agnesi classify efficientnet-lite0 photos --top 1",
        "agnesi classify vgg19 --weights vgg19.pkl holiday.jpg --json",
      ]))

  @OptionGroup var network: PictureNetworkOptions

  @Argument(help: "Pictures (JPEG, PNG, WebP, GIF, TIFF, BMP), or folders of them.")
  var photos: [String]

  @Option(parsing: .unconditional, help: "How many classes to print for each.")
  var top = 5

  @Flag(
    help: ArgumentHelp(
      "Print one JSON object for each file.",
      discussion: """
        {"file":…, "top":[{"class":84, "name":"peacock", "probability":0.696}, …]}, or
        {"error":…, "file":…} for a file that cannot be read.
        """))
  var json = false

  @Option(
    help: ArgumentHelp(
      "Write a page of the photos and their classes.", valueName: "file.html"))
  var report: String?

  @OptionGroup var batches: PictureBatchOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions
  @OptionGroup var profile: ProfileOptions

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top), it must be at least 1") }
  }

  func run() throws {
    try reportingErrors {
      threads.apply()
      let console = Console()
      let files = PhotoFiles.expanding(photos)
      if let report {
        try OutputFile.check(
          [OutputFile(option: "--report", path: report, kind: .page)], reading: files,
          of: "classify")
      }
      if files.isEmpty {
        throw CommandFailure(
          message: "classify: there are no pictures in \(photos.joined(separator: ", "))")
      }
      let profiling = try profile.profiling(backend, console)
      let model = try batches.prepared(try network.open(), on: profiling.backend)
      // Files are decoded while the network is compiled.
      let stream = batches.stream(files, for: model)
      let classifier = try PictureClassifier(model, on: profiling.backend)
      try profiling.reporting {
        let message = "stopping after these photos; press Ctrl-C once more to end at once"
        let farewell = "stopped; what is printed is all that was done"
        try Interruption.whileHandling(message: message, endingWith: farewell) { interruption in
          try run(classifier, files, stream, interruption, console)
        }
      }
    }
  }

  private func run(
    _ classifier: PictureClassifier, _ files: [String], _ stream: PictureStream,
    _ interruption: Interruption, _ console: Console
  ) throws {
    var (done, failures) = (0, 0)
    let report = ClassificationReport(isJSON: json, isLabelled: files.count > 1)
    var page = self.report.map { _ in ClassificationPage(modelName: network.model) }
    page?.command = repeatableCommand
    page?.version = AgnesiCommand.configuration.version
    while !interruption.isRequested, let batch = stream.next() {
      var lines = batch.failures.map { ($0.position, report.failure(files[$0.position], $0.error)) }
      if !batch.positions.isEmpty {
        let ranked = classifier.ranked(try classifier(batch.pixels), top: top)
        lines += try zip(batch.positions, ranked).map { position, classes in
          (position, try report.result(files[position], classes))
        }
        try page?.add(batch, ranked, files)
      }
      for (position, error) in batch.failures {
        page?.addFailure(String(describing: error), at: position)
      }
      done += lines.count
      failures += batch.failures.count
      console.endLine()
      for (_, line) in lines.sorted(by: { $0.0 < $1.0 }) { try line.write(console) }
      if files.count > 1 { console.showBar(done, of: files.count, "photos") }
    }
    console.endLine()
    if let page, let path = self.report {
      try AtomicFile.write(Array(page.html.utf8), to: path)
      console.note("report in \(path)")
    }
    if interruption.isRequested, done < files.count { throw ExitCode(130) }
    if failures == files.count { throw ExitCode.failure }
    if failures > 0, !json { console.note("\(failures) of \(files.count) files could not be read") }
  }
}

extension ClassificationPage {
  /// The photos of a batch, as the network saw them.
  fileprivate mutating func add(
    _ batch: PictureStream.Batch, _ ranked: [[RankedClass]], _ files: [String]
  ) throws {
    for (row, (position, classes)) in zip(batch.positions, ranked).enumerated() {
      let pixels = batch.pixels[rows: row..<(row + 1)]
      let picture = try Picture(pixels.reshaped(Array(pixels.shape.dropFirst())))
      let name = FileName.printable((files[position] as NSString).lastPathComponent)
      add(name, at: position, picture: picture, classes: classes)
    }
  }
}

/// What is printed about a file.
private struct ClassificationReport {
  let isJSON: Bool
  /// Whether the file's name is printed; of a single file it is known.
  let isLabelled: Bool
  private let bar = ProgressOutput.standardError().style.usesUnicode ? "█" : "#"

  init(isJSON: Bool, isLabelled: Bool) {
    self.isJSON = isJSON
    self.isLabelled = isLabelled
  }

  /// Text, and whether it is a result.
  struct Line {
    var text: String
    var isResult: Bool

    func write(_ console: Console) throws {
      if isResult { try printNow(text) } else { console.note(text) }
    }
  }

  func result(_ path: String, _ classes: [RankedClass]) throws -> Line {
    let file = FileName.printable(path)
    if isJSON {
      let top = classes.map {
        Output.Class(class: $0.index, name: $0.name, probability: $0.probability)
      }
      return Line(
        text: try jsonLine(Output(file: file, top: top)), isResult: true)
    }
    let width = classes.map(\.name.count).max() ?? 0
    let lines = classes.map { entry in
      let percent = String(format: "%5.1f %%", entry.probability * 100)
      let length = Int((entry.probability * 30).rounded())
      let name = entry.name + String(repeating: " ", count: width - entry.name.count)
      return length > 0
        ? "  \(name)  \(percent)  \(String(repeating: bar, count: length))"
        : "  \(name)  \(percent)"
    }
    return Line(
      text: ((isLabelled ? [file] : []) + lines).joined(separator: "\n"), isResult: true)
  }

  func failure(_ file: String, _ error: any Error) -> Line {
    let text = String(describing: error)
    let printable = FileName.printable(file)
    guard isJSON, let line = try? jsonLine(Failure(file: printable, error: text)) else {
      return Line(text: text, isResult: false)
    }
    return Line(text: line, isResult: true)
  }

  private struct Output: Encodable {
    struct Class: Encodable {
      var `class`: Int
      var name: String
      var probability: Float
    }
    var file: String
    var top: [Class]
  }

  private struct Failure: Encodable {
    var file: String
    var error: String
  }
}
