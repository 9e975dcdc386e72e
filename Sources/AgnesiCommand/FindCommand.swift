import Agnesi
import ArgumentParser
import Foundation

/// `agnesi find`.
struct FindCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find",
    abstract: "Find where on a photo something is.",
    discussion: HelpText.discussion(
      """
      The network looks at all windows of its own size at once. How large the photo is made first
      decides what fills a window: a smaller photo finds larger things.
      """,
      examples: [
        "agnesi find efficientnet-lite0 street.jpg --class peacock --output peacock.png",
        "agnesi find efficientnet-lite0 street.jpg --class 84 --scale 0.25 --compare",
      ]))

  @OptionGroup var network: PictureNetworkOptions

  @Argument(help: "A picture (JPEG, PNG, WebP, GIF, TIFF, BMP).")
  var photo: String

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp("What to look for: a class's name or number.", valueName: "name"))
  var className: String

  @Option(
    help: ArgumentHelp(
      "Draw the probabilities over the photo, as large as it was searched, into a .png or .jpg file.",
      valueName: "file"))
  var output: String?

  @Option(help: "How much smaller (or larger) the photo is made first.")
  var scale: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Pixels of its shorter side instead; by default three of the network's windows.",
      valueName: "pixels"))
  var shortSide: Int?

  @Flag(help: "Also look at the windows one by one, and compare times and numbers.")
  var compare = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions
  @OptionGroup var profile: ProfileOptions

  func validate() throws {
    if scale != nil, shortSide != nil {
      throw ValidationError("--scale and --short-side say the same twice")
    }
    if let scale, !(scale > 0 && scale <= 16) {
      throw ValidationError("--scale is \(scale), it must be above 0 and at most 16")
    }
    if let shortSide, !(1...20_000).contains(shortSide) {
      throw ValidationError("--short-side is \(shortSide), it must be in 1...20000")
    }
  }

  func run() throws {
    try reportingErrors(stopped: "stopped; nothing was written") {
      threads.apply()
      if let output {
        try Picture.checkFormat(of: output)
        try OutputFile.check(
          [OutputFile(option: "--output", path: output, kind: .picture)],
          reading: [photo] + network.files, of: "find")
      }
      let console = Console()
      let profiling = try profile.profiling(backend, console)
      let model = try network.open()
      let index = try model.classIndex(className)
      let original = try Picture(reading: photo, as: model.color)
      let picture = try resized(original, for: model)
      let finder = try ObjectFinder(
        model, width: picture.width, height: picture.height, on: profiling.backend)
      try profiling.reporting {
        // The first call also lays out memory and weights.
        _ = try finder(picture, class: index)
        let (map, seconds) = try timed { try finder(picture, class: index) }
        var result = FindResult(model, index, map, seconds, original, picture)
        if compare {
          let classifier = try PictureClassifier(model, on: profiling.backend)
          let windows = finder.windows
          let probe = picture.cropped(x: 0, y: 0, width: windows.width, height: windows.height)
          _ = try classifier.slide(over: probe, class: index, windows: windows)
          let (slid, slow) = try timed {
            try classifier.slide(over: picture, class: index, windows: windows)
          }
          result.compare(with: slid, seconds: slow)
        }
        try print(result.text(isJSON: json, file: photo))
        if let output {
          try picture.overlaid(heat: map.heat()).write(to: output)
          console.note("drawn in \(output)")
        }
      }
    }
  }

  private func timed<Value>(_ body: () throws -> Value) rethrows -> (Value, Double) {
    let start = ContinuousClock.now
    let value = try body()
    return (value, (ContinuousClock.now - start) / .seconds(1))
  }

  private func resized(_ picture: Picture, for model: PictureModel) throws -> Picture {
    let resizing: PicturePreprocessing.Resizing
    if let scale {
      let (width, height) = (Double(picture.width) * scale, Double(picture.height) * scale)
      let most = Double(PictureSizeError.mostPixels)
      guard width >= 1, height >= 1, max(width, height) <= most else {
        throw CommandFailure(
          message: "find: --scale \(scale) makes \(picture.width) × \(picture.height) pixels"
            + " \(width) × \(height)")
      }
      resizing = .exact(width: Int(width.rounded()), height: Int(height.rounded()))
    } else {
      let window = max(model.pixels.shape[2].known ?? 224, model.pixels.shape[3].known ?? 224)
      resizing = .shortSide(shortSide ?? 3 * window)
    }
    let filter = model.preprocessing.filter
    return try PicturePreprocessing(resizing: resizing, filter: filter)(picture)
  }
}

/// What was found, as a person or a program reads it.
private struct FindResult {
  private var output: Output

  init(
    _ model: PictureModel, _ index: Int, _ map: ProbabilityMap, _ seconds: Double,
    _ original: Picture, _ picture: Picture
  ) {
    let best = map.best
    let place = best.map {
      map.windows.place(row: $0.row, column: $0.column).scaled(
        from: (picture.width, picture.height), to: (original.width, original.height))
    }
    output = Output(
      class: index, name: model.classNames[index],
      probability: best?.probability, rows: place.map { [$0.rows.lowerBound, $0.rows.upperBound] },
      columns: place.map { [$0.columns.lowerBound, $0.columns.upperBound] },
      windows: map.values.shape, seconds: seconds)
    self.map = map
  }

  private let map: ProbabilityMap

  mutating func compare(with other: ProbabilityMap, seconds: Double) {
    output.slidingSeconds = seconds
    output.ratio = seconds / output.seconds
    let (rows, columns) = (other.values.shape[0], other.values.shape[1])
    output.largestDifference = (0..<(rows * columns)).map { cell in
      let (row, column) = cell.quotientAndRemainder(dividingBy: columns)
      return abs(map.values[row, column] - other.values[row, column])
    }.max()
    output.slidingProbability = other.best?.probability
  }

  func text(isJSON: Bool, file: String) throws -> String {
    if isJSON {
      var output = output
      output.file = FileName.printable(file)
      return try jsonLine(output)
    }
    func seconds(_ value: Double) -> String { String(format: "%.3f s", value) }
    var lines: [String] = []
    if let probability = output.probability, let rows = output.rows, let columns = output.columns {
      lines.append(
        "\(output.name): \(String(format: "%.1f %%", probability * 100)) at rows"
          + " \(rows[0])..<\(rows[1]), columns \(columns[0])..<\(columns[1]) of the photo")
    } else {
      lines.append("\(output.name): no window has a probability that is a number")
    }
    let count = output.windows.product
    lines.append(
      "\(output.windows[0]) × \(output.windows[1]) windows at once in \(seconds(output.seconds))")
    if let slow = output.slidingSeconds, let ratio = output.ratio {
      lines.append(
        "\(count) windows one by one in \(seconds(slow)), \(String(format: "%.1f", ratio)) times as long"
      )
    }
    if let best = output.slidingProbability {
      let difference = output.largestDifference.map {
        String(format: ", largest difference %.4f", $0)
      }
      lines.append("  best \(String(format: "%.1f %%", best * 100))\(difference ?? "")")
      lines.append("  (in a window's probability: alone it has padding where the photo goes on)")
    }
    return lines.joined(separator: "\n")
  }

  private struct Output: Encodable {
    var file = ""
    var `class`: Int
    var name: String
    var probability: Double?
    var rows: [Int]?
    var columns: [Int]?
    var windows: [Int]
    var seconds: Double
    var slidingSeconds: Double?
    var slidingProbability: Double?
    var ratio: Double?
    var largestDifference: Double?
  }
}
