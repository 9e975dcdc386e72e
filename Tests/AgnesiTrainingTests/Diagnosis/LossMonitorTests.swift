import AgnesiArrays
import AgnesiTraining
import Foundation
import Testing

@Suite struct LossMonitorTests {
  /// The findings of a whole run, with their steps.
  private func findings(
    _ losses: some Sequence<Double>, _ monitor: LossMonitor
  ) -> [(step: Int, finding: LossMonitor.Finding)] {
    var monitor = monitor
    return losses.enumerated().compactMap { index, loss in
      monitor.observe(loss, step: index + 1).map { (index + 1, $0) }
    }
  }

  private func text(_ finding: LossMonitor.Finding?) -> String {
    switch finding {
    case .failed(let failure): failure.description
    case .standsStill(let standstill): standstill.description
    case nil: "nothing"
    }
  }

  // MARK: Failures

  @Test func NaNInTheFirstStep() {
    var monitor = LossMonitor(classCount: 10)
    let finding = monitor.observe(.nan, step: 1, epoch: 1, learningRate: 0.1)
    #expect(
      text(finding) == """
        the loss became NaN at step 1 (epoch 1)
          losses before: none, this is the first
          learning rate: 0.1
          what to try, likeliest first:
            1. look for NaN, infinite or huge values in the inputs and targets
            2. standardise the inputs: mean 0, standard deviation 1
            3. in formulas of your own: log, square root or division at zero, exp of large values
            4. initial weights of the right size: He for ReLU, Glorot for tanh and sigmoid
        """)
  }

  @Test func NaNAfterCalmLosses() {
    var monitor = LossMonitor(classCount: 10)
    for step in 1...20 { #expect(monitor.observe(0.5 + 0.01 * Double(step), step: step) == nil) }
    #expect(
      text(monitor.observe(.nan, step: 21)) == """
        the loss became NaN at step 21
          losses before: 0.660, 0.670, 0.680, 0.690, 0.700
          what to try, likeliest first:
            1. look for NaN, infinite or huge values in the inputs and targets
            2. in formulas of your own: log, square root or division at zero, exp of large values
            3. a learning rate ten times smaller
            4. clip the norm of the gradients, for example to 1 (--clip 1)
        """)
  }

  @Test func infinityAfterRisingLosses() {
    var monitor = LossMonitor(classCount: 10)
    for (index, loss) in [2.31, 2.4, 2.5, 9.5, 810.0].enumerated() {
      #expect(monitor.observe(loss, step: index + 1) == nil)
    }
    #expect(
      text(monitor.observe(.infinity, step: 6, epoch: 1, learningRate: 0.5)) == """
        the loss became infinite at step 6 (epoch 1)
          losses before: 2.31, 2.40, 2.50, 9.50, 810
          learning rate: 0.5
          what to try, likeliest first:
            1. a learning rate ten times smaller, 0.05 instead of 0.5
            2. clip the norm of the gradients, for example to 1 (--clip 1)
            3. standardise the inputs: mean 0, standard deviation 1
            4. initial weights of the right size: He for ReLU, Glorot for tanh and sigmoid
        """)
  }

  @Test func oneHugeLoss() {
    var monitor = LossMonitor(classCount: 10)
    for step in 1...3 { #expect(monitor.observe(2.2, step: step) == nil) }
    #expect(
      text(monitor.observe(2.5e6, step: 4, learningRate: 1)) == """
        the loss exploded at step 4: 2.50e+06, more than 1000 times the 2.30 of guessing
          losses before: 2.20, 2.20, 2.20
          learning rate: 1
          what to try, likeliest first:
            1. a learning rate ten times smaller, 0.1 instead of 1
            2. clip the norm of the gradients, for example to 1 (--clip 1)
            3. look for NaN, infinite or huge values in the inputs and targets
            4. in formulas of your own: log, square root or division at zero, exp of large values
        """)
  }

  @Test func lossesThatStayHigh() throws {
    let losses = [2.4, 2.3] + Array(repeating: 60.0, count: 40)
    let found = findings(losses, LossMonitor(classCount: 10))
    // Of the last 25, thirteen high ones make the median high; the first 25 must have been seen.
    #expect(found.first?.step == 25)
    #expect(
      text(found.first?.finding) == """
        the loss exploded by step 25: the median of the last 25 losses is 60.0, \
        more than 10 times the 2.40 of the start
          losses before: 60.0, 60.0, 60.0, 60.0, 60.0
          what to try, likeliest first:
            1. a learning rate ten times smaller
            2. clip the norm of the gradients, for example to 1 (--clip 1)
            3. standardise the inputs: mean 0, standard deviation 1
            4. initial weights of the right size: He for ReLU, Glorot for tanh and sigmoid
        """)
  }

  @Test func failuresAreErrorsWithTheirText() throws {
    let finding = findings([.nan], LossMonitor()).first?.finding
    guard case .failed(let failure) = finding else {
      Issue.record("no failure")
      return
    }
    let error: any Error = failure
    #expect(error.localizedDescription == failure.description)
    #expect(failure.loss.isNaN)
    #expect(failure.before == [])
  }

  // MARK: No false alarm

  @Test func spikesAndUnscaledInputsAreNoFailure() {
    var losses = (1...2000).map { 2.3 / (1 + 0.01 * Double($0)) }
    for index in stride(from: 20, to: 2000, by: 50) { losses[index] = 40 }
    #expect(findings(losses, LossMonitor(classCount: 10)).isEmpty)
    let unscaled = [310.0] + (1...500).map { 3000 / Double($0 + 10) }
    #expect(findings(unscaled, LossMonitor(classCount: 10)).isEmpty)
  }

  @Test func aResumedRunWithTinyLossesIsNoFailure() {
    let losses = [0.0001] + (1...400).map { 0.02 + 0.5 * Double($0 % 2) }
    #expect(findings(losses, LossMonitor(classCount: 10)).isEmpty)
  }

  /// Squared errors of single samples: their ratio to each other is unbounded.
  @Test(arguments: 0..<200) func squaredErrorsOfSingleSamplesAreNoFailure(seed: Int) {
    var noise = PhiloxGenerator(seed: UInt64(seed), name: "losses")
    let losses = (0..<2000).map { step -> Double in
      let normal = Self.normal(&noise)
      return normal * normal * exp(-0.001 * Double(step))
    }
    #expect(findings(losses, LossMonitor()).isEmpty)
  }

  /// A classifier of ten noisy clusters, trained for real in mini-batches of eight.
  @Test(arguments: 0..<3) func soundTrainingIsNoFailureAndTooLargeARateIs(seed: Int) {
    let sound = findings(
      Self.trained(steps: 800, rate: 0.1, seed: seed), LossMonitor(classCount: 10))
    #expect(sound.isEmpty)
    let wild = findings(
      Self.trained(steps: 100, rate: 300, seed: seed), LossMonitor(classCount: 10))
    guard case .failed(let failure) = wild.first?.finding else {
      Issue.record("a rate of 300 went unnoticed")
      return
    }
    #expect(failure.hints.first == .lowerRate)
  }

  private static func normal(_ noise: inout PhiloxGenerator) -> Double {
    let radius = (-2 * log(Double.random(in: 1e-12...1, using: &noise))).squareRoot()
    return radius * cos(Double.random(in: 0...(2 * .pi), using: &noise))
  }

  /// The losses of softmax regression by gradient descent.
  private static func trained(steps: Int, rate: Double, seed: Int) -> [Double] {
    let (classes, size) = (10, 12)
    var noise = PhiloxGenerator(seed: UInt64(seed), name: "clusters")
    let centres = (0..<classes).map { _ in (0..<size).map { _ in normal(&noise) } }
    var weights = [[Double]](repeating: .init(repeating: 0, count: size), count: classes)
    return (0..<steps).map { _ in
      var loss = 0.0
      var gradients = [[Double]](repeating: .init(repeating: 0, count: size), count: classes)
      for _ in 0..<8 {
        let label = Int.random(in: 0..<classes, using: &noise)
        let input = centres[label].map { $0 + normal(&noise) }
        let scores = weights.map { zip($0, input).reduce(0) { $0 + $1.0 * $1.1 } }
        let top = scores.max() ?? 0
        let total = top + log(scores.reduce(0) { $0 + exp($1 - top) })
        loss += (total - scores[label]) / 8
        for row in 0..<classes {
          let gradient = (exp(scores[row] - total) - (row == label ? 1 : 0)) / 8
          for column in 0..<size { gradients[row][column] += gradient * input[column] }
        }
      }
      for row in 0..<classes {
        for column in 0..<size { weights[row][column] -= rate * gradients[row][column] }
      }
      return loss
    }
  }

  // MARK: Standstill

  @Test func aLossThatStaysAtChanceIsReportedOnce() {
    let losses = (0..<3000).map { 2.3 + 0.1 * sin(Double($0)) }
    let found = findings(losses, LossMonitor(classCount: 10))
    #expect(found.map(\.step) == [500])
    #expect(
      text(found.first?.finding) == """
        the network does not learn: after 500 steps the loss is 2.30, and guessing gives 2.30
          what to try, likeliest first:
            1. learning rates ten times smaller and ten times larger
            2. check that labels belong to their samples, also after shuffling
            3. standardise the inputs: mean 0, standard deviation 1
            4. initial weights of the right size: He for ReLU, Glorot for tanh and sigmoid
        """)
  }

  @Test func aLossThatComesBackToChanceIsReportedAsForgetting() {
    var monitor = LossMonitor(classCount: 10)
    var found: [String] = []
    for step in 1...900 {
      let loss = step <= 600 ? 0.41 : 2.3026
      if let finding = monitor.observe(loss, step: step, learningRate: 0.2) {
        found.append(text(finding))
      }
    }
    #expect(
      found == [
        """
        the network has forgotten what it learned: by step 700 the loss is back at 2.30, \
        after 0.410, and guessing gives 2.30
          what to try, likeliest first:
            1. a learning rate ten times smaller, 0.02 instead of 0.2
            2. clip the norm of the gradients, for example to 1 (--clip 1)
            3. see whether ReLU units became zero for all samples; a leaky ReLU cannot
        """
      ])
  }

  /// What is clipped already is to be clipped more.
  @Test func adviceKnowsTheClippingThatThereIs() {
    var monitor = LossMonitor(classCount: 10)
    monitor.clip = 1
    var hints: [String] = []
    for step in 1...900 {
      if let finding = monitor.observe(step <= 600 ? 0.41 : 2.3026, step: step) {
        hints.append(text(finding))
      }
    }
    #expect(monitor.observe(.infinity, step: 901).map(text)?.contains("(--clip 0.1)") == true)
    #expect(hints.count == 1)
    #expect(
      hints.first?.contains(
        "clip the norm of the gradients to 0.1 instead of 1 (--clip 0.1)\n") == true)
  }

  @Test func withoutAChanceLevelThereIsNoStandstill() {
    #expect(findings(Array(repeating: 2.3026, count: 2000), LossMonitor()).isEmpty)
  }

  @Test func ratesAreWrittenWithoutIdleZeros() {
    #expect(Hint.rate(0.05) == "0.05")
    #expect(Hint.rate(0.001) == "0.001")
    #expect(Hint.rate(10) == "10")
    #expect(Hint.rate(100) == "100")
    #expect(Hint.rate(1e-6) == "1.00e-06")
    #expect(
      Hint.otherRates.text(0.1)
        == "learning rates ten times smaller and ten times larger: 0.01 and 1")
  }
}
