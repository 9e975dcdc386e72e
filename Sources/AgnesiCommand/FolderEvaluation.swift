import Agnesi
import ArgumentParser
import Foundation

/// `agnesi evaluate` over a folder of photos.
struct FolderEvaluation {
  let command: EvaluateCommand

  func run(_ console: Console) throws {
    let folder = try PictureFolder(reading: command.dataSet)
    for note in folder.notes { console.note(note) }
    console.note(folder.summary)
    let part = command.chosenPart(
      hasTest: folder.test != nil, hasValidation: folder.validation != nil, console: console)
    let profiling = try command.profile.profiling(command.backend, console)
    let model = try command.batches.prepared(
      try command.network.open(), on: profiling.backend)
    let classes = try folder.classNames.map(model.classIndex)
    let photos = try photos(part, of: folder)
    let stream = command.batches.stream(photos.map(\.path), for: model)
    let classifier = try PictureClassifier(model, on: profiling.backend)
    try profiling.reporting {
      let message = "stopping after these photos; press Ctrl-C once more to end at once"
      try Interruption.whileHandling(message: message, endingWith: "stopped") { interruption in
        let evaluation = try PictureEvaluation(
          of: classifier, on: photos, classes: classes, stream: stream, interruption: interruption
        ) { console.showBar($0, of: photos.count, "photos") }
        console.endLine()
        let done = evaluation.result.count + evaluation.failures.count
        if interruption.isRequested, done < photos.count { throw ExitCode(130) }
        for failure in evaluation.failures { console.note(String(describing: failure.error)) }
        let broken = Set(evaluation.failures.map(\.path))
        let read = photos.filter { !broken.contains($0.path) }
        for warning in folder.unreadableClasses(of: photos, read: read, part.rawValue) {
          console.note(warning)
        }
        if evaluation.result.count == 0 { throw ExitCode.failure }
        try command.report(evaluation, classNames: model.classNames, part)
        command.warn(evaluation.result, part, "photos", classNames: model.classNames, console)
      }
    }
  }

  /// The part that was asked for; all photos of a folder without parts.
  private func photos(
    _ part: EvaluateCommand.Part, of folder: PictureFolder
  ) throws -> [PictureFolder.Photo] {
    switch part {
    case .train: return folder.training
    case .validation:
      if let validation = folder.validation { return validation }
      throw CommandFailure(message: "evaluate: \(folder.path) has no validation photos, as in val")
    case .test: return folder.test ?? folder.training
    }
  }

}

extension EvaluateCommand {
  /// Prints what was counted, with the mistakes of the first five classes.
  func report(_ evaluation: PictureEvaluation, classNames: [String], _ part: Part) throws {
    let result = evaluation.result
    if json {
      let object = RankedOutput(
        model: network.model, data: dataSet, part: part.rawValue,
        count: result.count, failed: evaluation.failures.count, mistakes: result.errorCount,
        error: result.error, errorInterval: result.errorInterval.ends,
        top5Mistakes: evaluation.mistakesOfFive, top5Error: evaluation.errorOfFive,
        top5ErrorInterval: evaluation.errorOfFiveInterval.ends, loss: result.loss)
      print(try jsonLine(object))
      return
    }
    func percent(_ share: Double) -> String { String(format: "%.2f %%", share * 100) }
    print(
      "\(result.errorCount) of \(result.count) wrong, \(percent(result.error)), "
        + result.errorInterval.text)
    if classNames.count > 5 {
      let five = evaluation.mistakesOfFive
      print(
        "\(five) of \(result.count) not among the first five, \(percent(evaluation.errorOfFive)), "
          + evaluation.errorOfFiveInterval.text)
    }
    try result.printLossAndConfusions(classCount: classNames.count) { classNames[$0] }
  }

  private struct RankedOutput: Encodable {
    var model: String
    var data: String
    var part: String
    var count: Int
    var failed: Int
    var mistakes: Int
    var error: Double
    /// Both ends of the 95 % interval.
    var errorInterval: [Double]
    var top5Mistakes: Int
    var top5Error: Double
    var top5ErrorInterval: [Double]
    var loss: Double
  }
}
