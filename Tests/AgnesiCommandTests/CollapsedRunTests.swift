import Agnesi
import Foundation
import TestSupport
import Testing

/// Runs whose network says the same of every sample, and the options that prevent it.
struct CollapsedRunTests {
  private let workplace: Workplace
  init() throws { workplace = try Workplace() }

  /// Samples that are all the same, of two classes.
  private func zeros() throws -> String {
    let folder = try workplace.folder.makeFolder("zeros")
    for (part, count) in [("train", 200), ("test", 30)] {
      try NPYFile.write(
        NDArray(zeros: [count, 4], .float32), to: "\(folder)/\(part)-inputs.npy")
      try NPYFile.write(
        NDArray((0..<count).map { Int32($0 % 3 == 0 ? 1 : 0) }),
        to: "\(folder)/\(part)-labels.npy")
    }
    return folder
  }

  @Test func endsWithASentence() throws {
    let (data, model) = (try zeros(), workplace.path("zeros.safetensors"))
    let report = workplace.path("zeros.html")
    let outcome = try workplace.agnesi(
      "train", data, "--network", "4FC 2FC", "--epochs", "3", "--no-standardize", "--output",
      model, "--report", report)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let sentence = """
      the model takes all 30 test samples for class "0": try a learning rate ten times smaller, \
      0.005 instead of 0.05, and see whether the inputs differ
      """
    #expect(outcome.errors.hasSuffix("\n\(sentence)\n"), "\(outcome.errors)")
    let page = String(decoding: try workplace.folder.read("zeros.html"), as: UTF8.self)
    #expect(page.contains("the model takes all 30 test samples for class"))
    let evaluation = try workplace.agnesi("evaluate", model, data)
    #expect(
      evaluation.errors.hasSuffix("\nthe model takes all 30 test samples for class \"0\"\n"))
  }

  @Test func soundRunsEndAsBefore() throws {
    let outcome = try workplace.train("bars.safetensors")
    #expect(!outcome.errors.contains("samples for class"))
  }

  /// The model, and what the run said of its losses (the model names its settings, so it differs
  /// where those do).
  private struct Run: Equatable {
    var model: [UInt8]
    var losses: [Substring]
  }

  private func run(_ name: String, _ arguments: [String]) throws -> Run {
    let outcome = try workplace.agnesi(arguments + ["--output", workplace.path(name)])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let losses = outcome.errors.matches(of: #/ loss [\d.]+/#).map(\.output)
    try #require(!losses.isEmpty)
    return Run(model: try workplace.folder.read(name), losses: losses)
  }

  /// What the user gives is honoured; what is no norm is refused.
  @Test func clipOption() throws {
    func run(_ name: String, _ clip: String...) throws -> Run {
      try self.run(name, Array(workplace.training(name).dropLast(2)) + clip)
    }
    let usual = try run("usual.safetensors")
    // Mini-batches of 50.
    #expect(try run("same.safetensors", "--clip", String(2 * 0.5.squareRoot())) == usual)
    let free = try run("free.safetensors", "--clip", "none")
    let tight = try run("tight.safetensors", "--clip", "0.01")
    #expect(tight.losses != usual.losses && tight.losses != free.losses)
    try workplace.expect(
      "train: the gradient is clipped to a norm of -1.0, it must be positive",
      from: workplace.training("wrong.safetensors") + ["--clip", "-1"], status: 64)
    let word = try workplace.agnesi(workplace.training("wrong.safetensors") + ["--clip", "off"])
    #expect(word.status == 64)
    #expect(word.errors.contains("--clip"))
  }

  /// Without `--batch` a small set has small mini-batches: 180 samples to learn from, 10 at a time.
  @Test func smallSetsHaveSmallBatches() throws {
    let arguments = [
      "train", try zeros(), "--network", "2FC", "--epochs", "1", "--no-standardize",
    ]
    let usual = try run("usual.safetensors", arguments)
    #expect(try run("ten.safetensors", arguments + ["--batch", "10"]) == usual)
    let large = try run("hundred.safetensors", arguments + ["--batch", "100"])
    #expect(large.losses != usual.losses)
  }
}
