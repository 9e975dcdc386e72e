import Agnesi
import ArgumentParser
import Foundation

/// One use of `agnesi explain`.
struct ExplanationJob {
  let command: ExplainCommand
  let explainer: Explainer
  let interruption: Interruption
  private let console = Console()

  init(command: ExplainCommand, explainer: Explainer, interruption: Interruption) {
    self.command = command
    self.explainer = explainer
    self.interruption = interruption
  }

  // MARK: A photo

  func explainPhoto() throws {
    let model = explainer.model
    let photo = try Picture(reading: command.photo, as: model.color)
    let picture = try model.preprocessing(photo)
    let probabilities = try explainer.probabilities(of: picture)
    let top = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }.prefix(5)
    let index = try command.wantedClass.map { try model.classIndex($0) } ?? top.first ?? 0
    var report = ExplanationReport(
      photo: (command.photo as NSString).lastPathComponent, modelName: command.network.model,
      picture: picture, top: top.map { (model.classNames[$0], probabilities[$0]) })
    report.version = AgnesiCommand.configuration.version
    report.command = repeatableCommand
    for entry in report.top {
      console.note("\(String(format: "%6.3f", entry.probability))  \(entry.name)")
    }
    // What a wrong name or number refuses comes before what takes long.
    if let layer = command.layer {
      report.activations = try explainer.activations(of: picture, layer: layer)
    }
    if let map = command.map, let layer = command.layer {
      report.patches = try explainer.strongestPatches(
        of: map, layer: layer, in: [(name: report.photo, picture: picture)])
      report.patchTitle = "What map \(map) of “\(layer)” sees"
    }
    if command.gabor {
      report.gabor = try GaborFilter.bank().answers(
        to: picture, on: command.backend.backend())
    }
    let methods = try command.chosenMethods()
    try prepareOutput(
      ExplanationReport.pictureFiles(methods: methods.map(\.name)), reading: [command.photo])
    for method in methods {
      report.explanations.append(try explanation(picture, method, index))
    }
    report.firstLayer = try explainer.firstLayer()
    try write(try report.pictures(), report.html)
  }

  private func explanation(
    _ picture: Picture, _ method: ExplanationMethod, _ index: Int
  ) throws -> Explanation {
    let start = ContinuousClock.now
    let explanation = try explainer.explain(picture, by: method, classIndex: index) { share in
      try stopIfAsked()
      console.progress("\(method.title) [\(bar(share))]")
    }
    console.endLine()
    let seconds = String(format: "%.1f", (ContinuousClock.now - start) / .seconds(1))
    let facts = explanation.facts.map { "\($0.label) \($0.value)" }
    console.note(([method.title, "\(seconds) s"] + facts).joined(separator: "  "))
    return explanation
  }

  // MARK: A feature map

  func explainMap(_ map: Int, _ layer: String, in photos: [String]) throws {
    var failures = 0
    var done = 0
    let pictures = photos.lazy.compactMap { path -> (name: String, picture: Picture)? in
      if interruption.isRequested { return nil }
      done += 1
      console.progress("photos [\(bar(Double(done) / Double(photos.count)))] \(done)")
      do {
        let model = explainer.model
        let picture = try Picture(reading: path, as: model.color)
        return (
          name: String(path.dropFirst(command.photo.count + 1)), try model.preprocessing(picture)
        )
      } catch {
        console.endLine()
        console.note("\(error)")
        failures += 1
        return nil
      }
    }
    try prepareOutput(["patches.png"], reading: photos)
    let patches = try explainer.strongestPatches(of: map, layer: layer, in: pictures)
    console.endLine()
    try stopIfAsked()
    if patches.isEmpty {
      throw CommandFailure(message: "explain: none of the photos could be read")
    }
    for patch in patches {
      console.note(
        "\(String(format: "%8.3f", patch.activation))  \(patch.name)  "
          + "row \(patch.row), column \(patch.column)")
    }
    if failures > 0 { console.note("\(failures) of \(photos.count) photos could not be read") }
    let title = "Map \(map) of “\(layer)”"
    let page = FeaturePatch.page(
      patches, title: title, modelName: command.network.model,
      version: AgnesiCommand.configuration.version)
    let sheet = try FeaturePatch.sheet(patches).map { [(file: "patches.png", picture: $0)] }
    try write(sheet ?? [], page)
  }

  // MARK: What both share

  /// What cannot be written, or would be lost, is said before the work is done.
  private func prepareOutput(_ pictures: [String], reading photos: [String]) throws {
    let files = pictures.map { (name: $0, kind: OutputFile.Kind.picture) }
    try OutputFile.checkFolder(
      command.output, option: "--output", files: files + [("index.html", .page)],
      reading: photos + command.network.files, of: "explain")
  }

  private func write(_ pictures: [(file: String, picture: Picture)], _ page: String) throws {
    for (file, picture) in pictures {
      try picture.write(to: "\(command.output)/\(file)")
      print("\(command.output)/\(file)")
    }
    let path = "\(command.output)/index.html"
    try AtomicFile.write(Array(page.utf8), to: path)
    print(path)
  }

  private func stopIfAsked() throws {
    guard interruption.isRequested else { return }
    console.endLine()
    console.note("stopped; nothing was written")
    throw ExitCode(130)
  }

  private func bar(_ share: Double) -> String {
    let filled = Int(min(max(share, 0), 1) * 30)
    return String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
  }
}
