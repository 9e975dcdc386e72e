import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi tune`, and runs in the strict mode.
struct TuneTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  private var cache: String { workplace.path("cache") }
  private var file: String { "\(cache)/convolutions.txt" }

  private func agnesi(_ arguments: [String]) throws -> BuildProducts.Outcome {
    try workplace.agnesi(arguments, environment: ["AGNESI_CACHE": cache])
  }

  private let tune = [
    "tune", "32C3p1 32C3p1 MP2 10FC", "--input", "1x16x16", "--batch", "4", "8",
  ]

  /// Two sizes of batches, each with a forward pass and the three of a training step.
  private static let hasChoice = ConvolutionProblem.hasWinograd

  @Test(.enabled(if: hasChoice)) func measuresOnce() throws {
    let dry = try agnesi(tune + ["--dry-run"])
    try #require(dry.status == 0, "\(dry.errors)")
    #expect(!FileManager.default.fileExists(atPath: file))
    let lines = dry.output.split(separator: "\n")
    #expect(lines.first?.hasPrefix("convolution  ") == true)
    #expect(lines.last?.hasSuffix("; nothing is kept") == true)
    #expect(lines.count(where: { $0.hasPrefix("toKernels 4x32x16x16 by 32x32x3x3") }) == 1)
    #expect(lines.count(where: { $0.hasPrefix("toKernels 8x32x16x16 by 32x32x3x3") }) == 1)

    let first = try agnesi(tune)
    let table = ConvolutionTable.reading(file)[.current(threads: 1)]
    let count = table.count
    let measured = "\(count) measured, 0 known before; kept in \(file)\n"
    #expect(first.output.hasSuffix(measured), "\(first.output)\(first.errors)")
    guard count > 0 else { return }
    let second = try agnesi(tune)
    #expect(second.output.hasSuffix("0 measured, \(count) known before; kept in \(file)\n"))
    #expect(ConvolutionTable.reading(file)[.current(threads: 1)] == table)
    let again = try agnesi(tune + ["--retune"])
    #expect(again.output.hasSuffix(measured))
    #expect(ConvolutionTable.reading(file)[.current(threads: 1)] != table)
  }

  @Test func withoutAChoice() throws {
    let outcome = try agnesi(["tune", "4C5 MP2 10FC"])
    #expect(outcome.output == "there is nothing to choose\n")
    #expect(outcome.status == 0)
  }

  @Test func wrongUse() throws {
    try workplace.expect(
      "tune: --input 3xtall is no shape of sizes in 1...99999\n  hint: write channels, height and width with"
        + " x, as in 1x28x28",
      from: ["tune", "10FC", "--input", "3xtall"])
    #expect(try agnesi(["tune", "10FC", "--batch", "0"]).status == 64)
  }

  /// The network has convolutions to choose for, the table is no table, and the run goes on.
  @Test(.enabled(if: hasChoice)) func aBrokenTableIsSaidOnce() throws {
    _ = try workplace.folder.makeFolder("cache")
    try workplace.folder.write("broken".utf8, to: "cache/convolutions.txt")
    let arguments = workplace.training(
      "model.safetensors", network: "32C3p1 32C3p1 MP2 10FC", epochs: 1)
    let outcome = try agnesi(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.errors.components(separatedBy: "are ignored").count == 2)
    let strict = try agnesi(arguments + ["--strict"])
    #expect(strict.status == 0)
    #expect(!strict.errors.contains("are ignored"))
  }

  @Test func strictRunsStayStrict() throws {
    let arguments = workplace.training("model.safetensors", network: "16C3 10FC", epochs: 1)
    let outcome = try workplace.agnesi(arguments + ["--strict"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let checkpoint = try Checkpoint(reading: workplace.path("model.checkpoint.safetensors"))
    #expect(checkpoint.state.choices == BackendChoices(isStrict: true))
    for command in [["evaluate"], ["predict", "--top", "1"]] {
      let model = workplace.path("model.safetensors")
      let result = try workplace.agnesi(
        [command[0], model, workplace.data, "--strict"] + command.dropFirst())
      #expect(result.status == 0, "\(result.errors)")
    }
    let byEnvironment = try workplace.agnesi(arguments, environment: ["AGNESI_STRICT": "1"])
    try #require(byEnvironment.status == 0)
    let second = try Checkpoint(reading: workplace.path("model.checkpoint.safetensors"))
    #expect(second.state.choices == BackendChoices(isStrict: true))
  }

  /// What was measured before Ctrl-C is there, and is not measured again.
  @Test(.enabled(if: hasChoice)) func ctrlCKeepsWhatWasMeasured() throws {
    let batches = (1...60).map { String($0) }
    let arguments = Array(tune.prefix(5)) + batches
    let command = try RunningCommand(
      arguments, in: workplace, environment: ["AGNESI_CACHE": cache])
    while !FileManager.default.fileExists(atPath: file) {
      try #require(command.isRunning)
      Thread.sleep(forTimeInterval: 0.01)
    }
    command.interrupt()
    let outcome = try command.end(saying: "stopping after this convolution")
    #expect(outcome.status == 130)
    let count = ConvolutionTable.reading(file)[.current(threads: 1)].count
    #expect(count > 0)
    #expect(outcome.output.contains("\n\(count) measured, 0 known before; kept in \(file)\n"))
  }
}
