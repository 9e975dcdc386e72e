import Agnesi
import ArgumentParser
import Foundation

/// `agnesi evaluate` over a folder of photos.
struct FolderEvaluation {
  let command: EvaluateCommand

  func run(_ console: Console) throws {
    let folder = try PictureFolder(reading: command.dataSet)
    for note in folder.notes { console.note(note) }
    let profiling = try command.profile.profiling(command.backend, console)
    let model = try command.network.open()
    let classes = try folder.classNames.map(model.classIndex)
    let photos = photos(of: folder)
    let stream = command.batches.stream(photos.map(\.path), for: model)
    let classifier = try PictureClassifier(model, on: profiling.backend)
    try profiling.reporting {
      let message = "stopping after these photos; press Ctrl-C once more to end at once"
      try Interruption.whileHandling(message: message) { interruption in
        let evaluation = try PictureEvaluation(
          of: classifier, on: photos, classes: classes, stream: stream, interruption: interruption
        ) { console.showBar($0, of: photos.count, "photos") }
        console.endLine()
        let done = evaluation.result.count + evaluation.failures.count
        if interruption.isRequested, done < photos.count { throw ExitCode(130) }
        for failure in evaluation.failures { console.note(String(describing: failure.error)) }
        if evaluation.result.count == 0 { throw ExitCode.failure }
        try report(evaluation, model)
      }
    }
  }

  /// The part that was asked for; all photos of a folder without parts.
  private func photos(of folder: PictureFolder) -> [PictureFolder.Photo] {
    command.part == .train ? folder.training : folder.validation ?? folder.training
  }

  private func report(_ evaluation: PictureEvaluation, _ model: PictureModel) throws {
    let result = evaluation.result
    if command.json {
      let object = Output(
        model: command.network.model, data: command.dataSet, part: command.part.rawValue,
        count: result.count, failed: evaluation.failures.count, mistakes: result.errorCount,
        error: result.error, top5Mistakes: evaluation.mistakesOfFive,
        top5Error: evaluation.errorOfFive, loss: result.loss)
      print(try jsonLine(object))
      return
    }
    func percent(_ share: Double) -> String { String(format: "%.2f %%", share * 100) }
    print("\(result.errorCount) of \(result.count) wrong, \(percent(result.error))")
    if model.classCount > 5 {
      let five = evaluation.mistakesOfFive
      print(
        "\(five) of \(result.count) not among the first five, \(percent(evaluation.errorOfFive))")
    }
    try result.printLossAndConfusions(classCount: model.classCount) { model.classNames[$0] }
  }

  private struct Output: Encodable {
    var model: String
    var data: String
    var part: String
    var count: Int
    var failed: Int
    var mistakes: Int
    var error: Double
    var top5Mistakes: Int
    var top5Error: Double
    var loss: Double
  }
}
