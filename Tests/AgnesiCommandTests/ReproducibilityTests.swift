import Foundation
import TestSupport
import Testing

/// Equal seeds, equal bytes; stopped and resumed, the same bytes again.
struct ReproducibilityTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  @Test(arguments: [1, 2])
  func seedsDecide(threads: Int) throws {
    let network = "4C3 MP2 D0.5 10FC"
    for (name, seed) in [("first", 7), ("second", 7), ("other", 8)] {
      let arguments = workplace.training(
        "\(name).safetensors", network: network, batch: 100, seed: seed)
      let outcome = try workplace.agnesi(
        arguments, environment: ["AGNESI_THREADS": String(threads)])
      try #require(outcome.status == 0, "\(outcome.errors)")
    }
    let first = try workplace.folder.read("first.safetensors")
    #expect(try first == workplace.folder.read("second.safetensors"))
    #expect(try first != workplace.folder.read("other.safetensors"))
  }
}

/// Ctrl-C in the middle of an epoch, and what comes after it.
struct InterruptedRunTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace(trainingCount: 4000) }

  /// Small batches, so that an epoch lasts; dropout and running statistics, so that there is more
  /// to keep than weights.
  private func arguments(_ output: String) -> [String] {
    workplace.training(output, network: "4C3 BN MP2 D0.5 10FC", epochs: 9, batch: 4, seed: 5)
  }

  /// Interrupts a run in the middle of an epoch, not the first. Once in a while the signal comes
  /// while an epoch is being ended, and another run is needed.
  private func interruptedRun() throws -> RunningCommand.Outcome {
    for _ in 1...10 {
      let command = try RunningCommand(arguments("broken.safetensors"), in: workplace)
      try command.waitFor("epoch 1/9")
      Thread.sleep(forTimeInterval: 0.02)
      command.interrupt()
      let outcome = try command.end()
      if try isWithinAnEpoch("broken.checkpoint.safetensors") { return outcome }
    }
    throw Unfit("no signal came within an epoch")
  }

  private func stopped(_ name: String) -> String {
    """
    stopping after this step; press Ctrl-C once more to end at once
    stopped; the state is in \(workplace.path(name)).checkpoint.safetensors
    the best model so far is in \(workplace.path(name)).safetensors
    go on with: agnesi train --resume \(workplace.path(name)).checkpoint.safetensors

    """
  }

  @Test func resumesToTheSameBytes() throws {
    let whole = try workplace.agnesi(arguments("whole.safetensors"))
    try #require(whole.status == 0, "\(whole.errors)")
    let outcome = try interruptedRun()
    #expect(outcome.status == 130)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasSuffix(stopped("broken")), "\(outcome.errors)")
    #expect(outcome.secondsToAnswer < 2)

    let checkpoint = workplace.path("broken.checkpoint.safetensors")
    // The best model so far can be used at once.
    let early = try workplace.agnesi(
      "evaluate", workplace.path("broken.safetensors"), workplace.data, "--json")
    #expect(early.status == 0)

    let resumed = try workplace.agnesi("train", "--resume", checkpoint)
    try #require(resumed.status == 0, "\(resumed.errors)")
    #expect(
      resumed.output
        == whole.output.replacing(
          workplace.path("whole.safetensors"), with: workplace.path("broken.safetensors")))
    let expected = try workplace.folder.read("whole.safetensors")
    #expect(try workplace.folder.read("broken.safetensors") == expected)
  }

  @Test func failureAfterResumingLosesNothing() throws {
    let whole = try workplace.agnesi(arguments("whole.safetensors"))
    try #require(whole.status == 0, "\(whole.errors)")
    _ = try interruptedRun()
    let checkpoint = workplace.path("broken.checkpoint.safetensors")
    let model = try workplace.folder.read("broken.safetensors")

    let failed = try workplace.agnesi("train", "--resume", checkpoint, "--rate", "1e30")
    #expect(failed.status == 1)
    #expect(failed.output == "")
    #expect(failed.errors.contains("the loss "))
    #expect(try workplace.folder.read("broken.safetensors") == model)

    // With the rate that it had, the run ends as if nothing had happened.
    let resumed = try workplace.agnesi("train", "--resume", checkpoint, "--rate", "0.02")
    try #require(resumed.status == 0, "\(resumed.errors)")
    let expected = try workplace.folder.read("whole.safetensors")
    #expect(try workplace.folder.read("broken.safetensors") == expected)
  }

  private func isWithinAnEpoch(_ checkpoint: String) throws -> Bool {
    let text = String(decoding: try workplace.folder.read(checkpoint).prefix(20_000), as: UTF8.self)
    // Quotes are escaped in the header, where the state is a text of its own.
    let batch = text.firstMatch(of: #/\\"batch\\":(\d+)/#)?.1
    return batch.map { $0 != "0" } ?? false
  }
}

/// A run that is killed again and again, also while it writes, and resumed each time.
struct KilledRunTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  private func arguments(_ output: String) -> [String] {
    workplace.training(output, network: "4C3 BN MP2 D0.5 10FC", epochs: 40, batch: 20, seed: 5)
  }

  @Test func endsWithTheSameBytes() throws { try endsAsIfNothingHadHappened(kills: 3) }

  // Minutes: `make test-long` asks for it.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["AGNESI_LONG_TESTS"] == "1"))
  func killedFortyTimes() throws { try endsAsIfNothingHadHappened(kills: 40) }

  private func endsAsIfNothingHadHappened(kills: Int) throws {
    let whole = try workplace.agnesi(arguments("whole.safetensors"))
    try #require(whole.status == 0, "\(whole.errors)")
    let checkpoint = workplace.path("broken.checkpoint.safetensors")
    var next: [String] {
      FileManager.default.fileExists(atPath: checkpoint)
        ? ["train", "--resume", checkpoint] : arguments("broken.safetensors")
    }
    var killed = 0
    for attempt in 0..<kills {
      let command = try RunningCommand(next, in: workplace)
      if attempt % 2 == 0 { try command.waitFor("epoch ") }
      Thread.sleep(forTimeInterval: .random(in: 0...0.2))
      killed += command.kill() ? 1 : 0
    }
    #expect(killed > 0)
    let resumed = try workplace.agnesi(next)
    try #require(resumed.status == 0, "\(resumed.errors)")
    let expected = try workplace.folder.read("whole.safetensors")
    #expect(try workplace.folder.read("broken.safetensors") == expected)
    // Nothing of the killed runs is left, and nothing was written that nobody asked for.
    #expect(
      workplace.folder.names == [
        "bars", "broken.checkpoint.safetensors", "broken.safetensors",
        "whole.checkpoint.safetensors", "whole.safetensors",
      ])
  }
}
