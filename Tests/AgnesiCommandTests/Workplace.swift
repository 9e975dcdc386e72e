import Agnesi
import Foundation
import TestSupport
import Testing

/// A folder with a small data set, in which the command runs.
struct Workplace {
  let folder: TemporaryFolder
  /// The folder of the data set.
  let data: String

  /// - Parameters:
  ///   - trainingCount: 1,000 samples of 12 × 12 in ten classes, unless said otherwise.
  init(trainingCount: Int = 1000) throws {
    folder = try TemporaryFolder()
    data = try folder.makeFolder("bars")
    try Bars.write(trainingCount, "train", to: data)
    try Bars.write(200, "t10k", to: data)
  }

  func path(_ name: String) -> String { folder.path(name) }

  /// Runs the command to its end, with one thread unless `environment` says otherwise.
  func agnesi(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> BuildProducts.Outcome {
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    return try BuildProducts.run(
      command, arguments, environment: Self.oneThread.merging(environment) { $1 })
  }

  func agnesi(_ arguments: String...) throws -> BuildProducts.Outcome { try agnesi(arguments) }

  static let oneThread = ["AGNESI_THREADS": "1"]

  /// The arguments of a short training run.
  func training(
    _ output: String, network: String = "16FC 10FC", epochs: Int = 2, batch: Int = 50,
    rate: String = "0.02", seed: Int = 0
  ) -> [String] {
    [
      "train", data, "--network", network, "--epochs", String(epochs), "--batch", String(batch),
      "--rate", rate, "--seed", String(seed), "--output", path(output),
    ]
  }

  /// Trains a small model, which has to succeed.
  @discardableResult
  func train(_ output: String, seed: Int = 0) throws -> BuildProducts.Outcome {
    let outcome = try agnesi(training(output, seed: seed))
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome
  }

  /// Expects that the command fails, with status 1 unless said otherwise, and says only this, on standard error, after what
  /// it says about the data.
  func expect(
    _ text: String, from arguments: [String], environment: [String: String] = [:],
    after notes: String = "", status: Int32 = 1,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try agnesi(arguments, environment: environment)
    #expect(outcome.errors == notes + text + "\n", sourceLocation: sourceLocation)
    #expect(outcome.output == "", sourceLocation: sourceLocation)
    #expect(outcome.status == status, sourceLocation: sourceLocation)
  }

  /// What is said when the data set was read.
  var dataNote: String { "1000 training and 200 test samples in \(data), 10 classes\n" }
}

/// Noisy pictures of one bar, whose place is the class; every seventh test label is wrong, so that
/// no network is perfect.
enum Bars {
  static let side = 12

  static func write(_ count: Int, _ part: String, to folder: String) throws {
    let (images, labels) = arrays(count, part)
    try IDXFile.write(images, to: "\(folder)/\(part)-images-idx3-ubyte")
    try IDXFile.write(labels, to: "\(folder)/\(part)-labels-idx1-ubyte")
  }

  static func arrays(_ count: Int, _ part: String) -> (images: NDArray, labels: NDArray) {
    let noise = Philox(seed: 1, name: part)
    var images: [UInt8] = []
    for sample in 0..<count {
      let bar = sample % 10
      for pixel in 0..<(side * side) {
        let (row, column) = pixel.quotientAndRemainder(dividingBy: side)
        let isBar = row == bar || (bar > 4 && column == bar)
        let word: UInt32 = noise.word(UInt64(sample * side * side + pixel))
        let grey: UInt32 = word % 90
        images.append(UInt8(grey) + (isBar ? 150 : 0))
      }
    }
    let labels = (0..<count).map { sample -> UInt8 in
      let isWrong = part != "train" && sample % 7 == 0
      let label = isWrong ? sample + 1 : sample
      return UInt8(label % 10)
    }
    return (NDArray(images, shape: [count, side, side]), NDArray(labels))
  }
}
