import AgnesiTraining
import Testing

@Suite struct ProgressLineTests {
  private let plain = ProgressLine.Style(usesColour: false, usesUnicode: false)
  private let snapshot = ProgressSnapshot(
    epoch: 3, epochs: 25, step: 180, stepsPerEpoch: 430, batchSize: 128, loss: 0.03125,
    accuracy: 0.98974, secondsPerStep: 0.00231, secondsLeft: 199.5)

  @Test func wideTerminalsShowEverything() {
    #expect(
      ProgressLine.live(snapshot, width: 200, style: plain) == """
        epoch  3/25  ===========-----------------   42 %  loss 0.0312  accuracy 98.97 %  \
        2.31 ms/step  55,400 samples/s  3 min 20 s left
        """)
  }

  @Test func narrowTerminalsLoseTheLeastImportantFirst() {
    let expected = [
      100: "epoch  3/25  =======-----------   42 %  loss 0.0312  accuracy 98.97 %  2.31 ms/step  "
        + "3 min 20 s left",
      80: "epoch  3/25  =====-------   42 %  loss 0.0312  accuracy 98.97 %  3 min 20 s left",
      66: "epoch  3/25   42 %  loss 0.0312  accuracy 98.97 %  3 min 20 s left",
      60: "epoch  3/25  loss 0.0312  accuracy 98.97 %  3 min 20 s left",
      50: "epoch  3/25  loss 0.0312  3 min 20 s left",
      30: "epoch  3/25  loss 0.0312",
      20: "epoch  3/25",
      7: "epoch  ",
      0: "",
      -1: "",
    ]
    for (width, text) in expected {
      #expect(ProgressLine.live(snapshot, width: width, style: plain) == text, "width \(width)")
    }
  }

  @Test func noLineIsLongerThanItsWidth() {
    for width in 0...160 {
      let line = ProgressLine.live(snapshot, width: width, style: plain)
      #expect(line.count <= width)
    }
  }

  @Test func theStartShowsWhatIsKnown() {
    let start = ProgressSnapshot(
      epoch: 1, epochs: 5, step: 0, stepsPerEpoch: 0, batchSize: 128, loss: 123.456)
    #expect(
      ProgressLine.live(start, width: 79, style: plain)
        == "epoch 1/5  ----------------------------    0 %  loss 123.5")
  }

  @Test func barsUseColourAndUnicodeWherePossible() {
    #expect(
      ProgressLine.bar(0.5, cells: 4, style: .init(usesColour: false, usesUnicode: true)) == "━━──")
    #expect(
      ProgressLine.bar(0.25, cells: 4, style: .init(usesColour: true, usesUnicode: true))
        == "\u{1B}[36m━\u{1B}[0m\u{1B}[2m───\u{1B}[0m")
    #expect(ProgressLine.bar(7, cells: 3, style: plain) == "===")
    #expect(ProgressLine.bar(-1, cells: 3, style: plain) == "---")
  }

  @Test func plainLinesHaveNoBar() {
    #expect(
      ProgressLine.plain(snapshot) == """
        epoch  3/25   42 %  loss 0.0312  accuracy 98.97 %  2.31 ms/step  55,400 samples/s  \
        3 min 20 s left
        """)
  }

  @Test func finishedEpochs() {
    let record = EpochRecord(
      epoch: 3, trainingLoss: 0.0312, trainingAccuracy: 0.9897, validationLoss: 0.0415,
      validationAccuracy: 0.987, seconds: 12.44)
    #expect(
      ProgressLine.epoch(record, of: 25, isBest: true) == """
        epoch  3/25  loss 0.0312  accuracy 98.97 %  validation loss 0.0415  \
        accuracy 98.70 %  12.4 s  best
        """)
    let bare = EpochRecord(epoch: 1, trainingLoss: .nan, validationAccuracy: 0.5, seconds: 0.25)
    #expect(
      ProgressLine.epoch(bare, of: 1, isBest: false)
        == "epoch 1/1  loss NaN  validation accuracy 50.00 %  0.25 s")
  }
}

@Suite struct TimeEstimateTests {
  @Test func theFirstStepIsNotCounted() {
    var estimate = TimeEstimate()
    estimate.stepEnded(at: 100)
    #expect(estimate.secondsPerStep == nil)
    estimate.stepEnded(at: 100.5)
    #expect(estimate.secondsPerStep == 0.5)
    #expect(estimate.secondsLeft(steps: 10, epochEnds: 3) == 5)
  }

  @Test func whatIsBetweenEpochsIsMeasuredApart() throws {
    var estimate = TimeEstimate()
    for step in 0...10 { estimate.stepEnded(at: Double(step)) }
    estimate.epochEnded(at: 14)
    estimate.stepEnded(at: 15)
    let perStep = try #require(estimate.secondsPerStep)
    #expect(abs(perStep - 1) < 1e-12)
    let left = try #require(estimate.secondsLeft(steps: 10, epochEnds: 2))
    #expect(abs(left - 18) < 1e-9)
  }

  @Test func theEstimateFollowsAChangeOfSpeed() throws {
    var estimate = TimeEstimate()
    var now = 0.0
    for _ in 0..<1000 {
      estimate.stepEnded(at: now)
      now += 0.1
    }
    for _ in 0..<400 {
      estimate.stepEnded(at: now)
      now += 0.2
    }
    // Eighty seconds are four times the memory.
    let slow = try #require(estimate.secondsPerStep)
    #expect(abs(slow - 0.2) < 0.01)
  }

  @Test func aClockThatStandsStillDoesNoHarm() {
    var estimate = TimeEstimate()
    estimate.stepEnded(at: 1)
    estimate.stepEnded(at: 1)
    #expect(estimate.secondsPerStep == nil)
  }
}
