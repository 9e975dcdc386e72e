import AgnesiTraining
import Synchronization
import Testing

@Suite struct ProgressDisplayTests {
  /// What a display wrote, and the time that it is told.
  private final class Recorder: Sendable {
    let writes = Mutex<[String]>([])
    let time = Mutex(0.0)

    func display(isTerminal: Bool, epochs: Int = 2, steps: Int = 100) -> ProgressDisplay {
      let output = ProgressOutput(
        isTerminal: isTerminal, style: .init(usesColour: false, usesUnicode: false),
        width: { 60 }, write: { text in self.writes.withLock { $0.append(text) } })
      return ProgressDisplay(
        epochs: epochs, stepsPerEpoch: steps, batchSize: 10, output: output,
        clock: { self.time.withLock { $0 } })
    }

    func advance(_ seconds: Double) { time.withLock { $0 += seconds } }
    var texts: [String] { writes.withLock { $0 } }
  }

  private let record = EpochRecord(epoch: 1, trainingLoss: 0.5, seconds: 3)

  @Test func terminalsAreRedrawnAtMostTenTimesASecond() {
    let recorder = Recorder()
    var display = recorder.display(isTerminal: true, steps: 1000)
    for step in 1...1000 {
      display.stepEnded(epoch: 1, step: step, loss: 1)
      recorder.advance(0.003)
    }
    #expect((20...31).contains(recorder.texts.count))
  }

  @Test func aLineIsDrawnOverTheOneBefore() {
    let recorder = Recorder()
    var display = recorder.display(isTerminal: true)
    display.stepEnded(epoch: 1, step: 1, loss: 1)
    recorder.advance(0.5)
    display.stepEnded(epoch: 1, step: 2, loss: 0.5)
    recorder.advance(0.5)
    display.epochEnded(record, isBest: true)
    display.note("saved model.safetensors")
    display.stepEnded(epoch: 2, step: 1)
    display.finish()
    display.finish()
    #expect(
      recorder.texts == [
        "\repoch 1/2  ----------------------------    1 %  loss 1.0000\u{1B}[K",
        // 98 steps and an epoch of 100 at half a second each.
        "\repoch 1/2  -----------    2 %  loss 0.5000  1 min 39 s left\u{1B}[K",
        "\r\u{1B}[Kepoch 1/2  loss 0.5000  3.0 s  best\n",
        "saved model.safetensors\n",
        "\repoch 2/2  -----------------    1 %  500 ms/step  50 s left\u{1B}[K",
        "\n",
      ])
  }

  @Test func elsewhereThereAreWholeLinesAtMostEveryTenSeconds() {
    let recorder = Recorder()
    var display = recorder.display(isTerminal: false, steps: 25)
    for step in 1...25 {
      display.stepEnded(epoch: 1, step: step, loss: 1)
      recorder.advance(1)
    }
    display.epochEnded(record)
    for step in 1...9 {
      recorder.advance(1)
      display.stepEnded(epoch: 2, step: step)
    }
    display.finish()
    #expect(
      recorder.texts == [
        "epoch 1/2   44 %  loss 1.0000  1000 ms/step  10 samples/s  39 s left\n",
        "epoch 1/2   84 %  loss 1.0000  1000 ms/step  10 samples/s  29 s left\n",
        "epoch 1/2  loss 0.5000  3.0 s\n",
      ])
  }

  @Test func noLineLeavesTheTerminalChanged() {
    let recorder = Recorder()
    let output = ProgressOutput(
      isTerminal: true, style: .init(usesColour: true, usesUnicode: true), width: { 100 },
      write: { text in recorder.writes.withLock { $0.append(text) } })
    var display = ProgressDisplay(
      epochs: 1, stepsPerEpoch: 10, batchSize: 1, output: output, clock: { 0 })
    display.stepEnded(epoch: 1, step: 5)
    let text = recorder.texts.joined()
    #expect(text.components(of: "\u{1B}[0m") == 2)
    #expect(text.hasSuffix("\u{1B}[0m   50 %\u{1B}[K"))
    #expect(!text.contains("\u{1B}[?25l"))
  }

  @Test func theEnvironmentDecidesTheStyle() {
    func style(_ values: [String: String], terminal: Bool = true) -> ProgressLine.Style {
      ProgressOutput.style(isTerminal: terminal) { values[$0] }
    }
    #expect(style([:]) == .init(usesColour: true, usesUnicode: true))
    #expect(style(["NO_COLOR": "1"]).usesColour == false)
    #expect(style(["NO_COLOR": ""]).usesColour)
    #expect(style([:], terminal: false).usesColour == false)
    #expect(style(["LANG": "C"]).usesUnicode == false)
    #expect(style(["LANG": "C", "LC_ALL": "C.UTF-8"]).usesUnicode)
    #expect(style(["LANG": "en_GB.utf8", "LC_ALL": "", "LC_CTYPE": "POSIX"]).usesUnicode == false)
  }
}

extension String {
  fileprivate func components(of part: String) -> Int { split(separator: part).count - 1 }
}
