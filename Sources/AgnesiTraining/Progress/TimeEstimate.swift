#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The time that is left, from the measured speed of the last steps.
///
/// The speed is steps by seconds over the last 20 s or so: both sums fade by e⁻¹ in that time, so
/// the estimate follows a machine that gets busy without jumping from step to step. The first step
/// is left out, since it compiles; so is what happens between epochs, which is measured apart.
package struct TimeEstimate: Sendable {
  private static let memory = 20.0

  private var steps = 0.0
  private var seconds = 0.0
  private var lastTime: Double?
  /// What the end of the last epoch took: validation, saving.
  private var epochEnd = 0.0

  package init() {}

  package mutating func stepEnded(at now: Double) {
    defer { lastTime = now }
    guard let lastTime, now > lastTime else { return }
    let fading = exp(-(now - lastTime) / Self.memory)
    steps = steps * fading + 1
    seconds = seconds * fading + (now - lastTime)
  }

  package mutating func epochEnded(at now: Double) {
    if let lastTime { epochEnd = max(now - lastTime, 0) }
    lastTime = now
  }

  /// Nil before the second step.
  package var secondsPerStep: Double? { steps > 0 ? seconds / steps : nil }

  /// The seconds that so many steps and ends of epochs will take.
  package func secondsLeft(steps: Int, epochEnds: Int) -> Double? {
    secondsPerStep.map { $0 * Double(steps) + epochEnd * Double(epochEnds) }
  }
}

/// Seconds of a clock that is never set back.
package func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
