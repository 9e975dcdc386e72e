import Agnesi
import ArgumentParser

/// `agnesi evaluate` of a network of the zoo, or of a file that the trainer did not write, over a data set in
/// arrays.
struct DataSetEvaluation {
  let command: EvaluateCommand

  func run(_ model: Model, _ console: Console) throws {
    let name = command.network.model
    if command.batches.pad {
      throw CommandFailure(message: "evaluate: --pad is for photos, \(command.dataSet) holds none")
    }
    let (samples, part) = try command.samples(console)
    guard samples.isClassification else {
      throw CommandFailure(
        message: "evaluate: the targets of \(samples.name) are no labels of classes")
    }
    let profiling = try command.profile.profiling(command.backend, console)
    let classifier = try ArrayClassifier(model, name: name, for: samples, on: profiling.backend)
    let (classes, remark) = try classifier.classes(of: samples, name: name)
    console.note(classifier.scalingText)
    if let remark { console.note(remark) }
    try profiling.reporting {
      let message = "stopping after these samples; press Ctrl-C once more to end at once"
      try Interruption.whileHandling(message: message, endingWith: "stopped") { interruption in
        let evaluation = try PictureEvaluation(
          of: classifier, on: samples, classes: classes, interruption: interruption
        ) { console.progress("\($0) of \(samples.count) samples") }
        console.endLine()
        let isWhole = evaluation.result.count == samples.count
        if interruption.isRequested, !isWhole { throw ExitCode(130) }
        try command.report(evaluation, classNames: classifier.classNames, part)
        command.warn(
          evaluation.result, part, "samples", classNames: classifier.classNames, console)
      }
    }
  }
}
