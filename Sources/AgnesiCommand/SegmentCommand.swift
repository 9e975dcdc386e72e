import Agnesi
import ArgumentParser
import Foundation

/// `agnesi segment`.
struct SegmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segment",
    abstract: "Tell the class of each pixel of photos, and draw it as a mask.",
    discussion: HelpText.discussion(
      """
      Writes a PNG of each photo's size with a colour for each class (those of PASCAL VOC), and prints
      how much of the photo each class takes, with its colour: cat 12.5 % #400000.
      """,
      examples: [
        "agnesi segment unet --weights roads.pth photos --output masks",
        "agnesi segment cells.safetensors slide.png --own-size",
      ]))

  @OptionGroup var network: PictureNetworkOptions

  @Argument(help: "Pictures (JPEG, PNG, WebP, GIF, TIFF, BMP), or folders of them.")
  var photos: [String]

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder for masks.", valueName: "folder"))
  var output = "masks"

  @Flag(help: "Look at photos in their own size instead of the network's.")
  var ownSize = false

  @Flag(help: "Print one JSON object for each file.")
  var json = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var backend: BackendOptions

  func run() throws {
    try reportingErrors {
      threads.apply()
      let console = Console()
      let files = PhotoFiles.expanding(photos)
      if files.isEmpty {
        throw CommandFailure(
          message: "segment: there are no pictures in \(photos.joined(separator: ", "))")
      }
      var taken: Set<String> = []
      let masks = files.map { maskName(of: $0, &taken) }
      let segmenter = try PhotoSegmenter(
        try network.openModel(), path: network.model, keepsSize: ownSize, on: backend.backend())
      try OutputFile.checkFolder(
        output, option: "--output", files: masks.map { ($0, .picture) },
        reading: files + network.files, of: "segment")
      let message = "stopping after this photo; press Ctrl-C once more to end at once"
      let farewell = "stopped; the masks that are printed are in \(output)"
      try Interruption.whileHandling(message: message, endingWith: farewell) { interruption in
        try run(segmenter, Array(zip(files, masks)), interruption, console)
      }
    }
  }

  private func run(
    _ segmenter: PhotoSegmenter, _ files: [(photo: String, mask: String)],
    _ interruption: Interruption, _ console: Console
  ) throws {
    var failures = 0
    for (number, (file, mask)) in files.enumerated() {
      if interruption.isRequested { throw ExitCode(130) }
      do {
        let result = try segmenter(file)
        let path = "\(output)/\(mask)"
        try result.drawn.write(to: path)
        console.endLine()
        try printNow(try line(file, path, result, segmenter.classNames))
      } catch let error as ImageFileError {
        failures += 1
        console.endLine()
        if json {
          try printNow(jsonLine(Failure(error: error.description, file: file)))
        } else {
          console.note(error.description)
        }
      }
      if files.count > 1 { console.showBar(number + 1, of: files.count, "photos") }
    }
    console.endLine()
    if failures == files.count { throw ExitCode.failure }
    if failures > 0, !json { console.note("\(failures) of \(files.count) files could not be read") }
  }

  /// Photos of one name in several folders get numbers.
  private func maskName(of file: String, _ taken: inout Set<String>) -> String {
    let name = ((file as NSString).lastPathComponent as NSString).deletingPathExtension
    let numbered = sequence(first: 2) { $0 + 1 }.lazy.map { "\(name)-\($0)" }
    let free = taken.contains(name) ? numbered.first { !taken.contains($0) } ?? name : name
    taken.insert(free)
    return free + ".png"
  }

  private func line(
    _ file: String, _ mask: String, _ result: Segmentation, _ names: [String]
  ) throws -> String {
    let total = Double(max(result.counts.reduce(0, +), 1))
    let classes = result.counts.indices.filter { result.counts[$0] > 0 }.map { label in
      Output.Class(
        class: label, colour: Self.hexadecimal(Segmentation.colour(of: label)),
        name: names.indices.contains(label) ? names[label] : "\(label)",
        share: Double(result.counts[label]) / total)
    }.sorted { ($1.share, $0.class) < ($0.share, $1.class) }
    if json { return try jsonLine(Output(file: file, mask: mask, classes: classes)) }
    let text = classes.map {
      "\($0.name) \(String(format: "%.1f %%", $0.share * 100)) \($0.colour)"
    }
    return "\(mask): \(text.joined(separator: ", "))"
  }

  /// `#800000`, as pages and picture editors write colours.
  private static func hexadecimal(_ colour: [UInt8]) -> String {
    "#" + colour.map { String(format: "%02x", Int($0)) }.joined()
  }

  private struct Output: Encodable {
    struct Class: Encodable {
      var `class`: Int
      var colour: String
      var name: String
      var share: Double
    }
    var file: String
    var mask: String
    var classes: [Class]
  }

  private struct Failure: Encodable {
    var error: String
    var file: String
  }
}
