import Agnesi
import Foundation
import TestSupport
import Testing

/// Methods that look at the network many times.
extension ExplainerTests {
  /// The same integral in loops, with the same midpoints.
  @Test func integratedGradientsAreThoseOfLoops() throws {
    let steps = 20
    let found = try explainer.explain(
      photo, by: .integratedGradients(steps: steps), classIndex: 0)
    var sum = [Double](repeating: 0, count: 432)
    for step in 0..<steps {
      let position = (Double(step) + 0.5) / Double(steps)
      let point = pass.scaled.map { $0.map { $0.map { $0 * position } } }
      let there = network.forward(scaled: point)
      let gradients = network.back(network.gradientsAtMaps(there, of: 0), there, .own)
      for (index, gradient) in gradients.joined().joined().enumerated() {
        sum[index] += gradient / Double(steps)
      }
    }
    let scaled = Array(pass.scaled.joined().joined())
    let expected = zip(sum, scaled).map { $0 * $1 }
    #expect(difference(try #require(found.gradients).doubles, expected) < 1e-3)
    let heat = (0..<144).map { pixel -> Double in
      expected[pixel] + expected[pixel + 144] + expected[pixel + 288]
    }
    #expect(difference(found.heat.doubles, heat) < 1e-3)
  }

  /// Completeness: all attributions together are the score's growth from the baseline.
  @Test(arguments: ExplanationMethod.Baseline.allCases)
  func attributionsAreComplete(baseline: ExplanationMethod.Baseline) throws {
    let found = try explainer.explain(
      photo, by: .integratedGradients(baseline: baseline, steps: 400), classIndex: 1)
    let empty = Array(
      repeating: Array(repeating: [Double](repeating: 0, count: 12), count: 12), count: 3)
    let start = baseline == .mean ? network.forward(scaled: empty) : network.forward(empty)
    let growth = pass.logits[1] - start.logits[1]
    let total = found.heat.doubles.reduce(0, +)
    #expect(abs(total - growth) < 0.01 * abs(growth))
    #expect(abs(growth) > 0.01)
    let said = found.facts.first { $0.label == "growth of the score" }?.value ?? ""
    #expect(abs(try #require(Double(said)) - growth) < 0.002)
  }

  /// Without noise every copy is the photo.
  @Test func smoothGradWithoutNoiseIsTheGradient() throws {
    let smooth = try explainer.explain(
      photo, by: .smoothGrad(samples: 11, noise: 0), classIndex: 2)
    let plain = try explainer.explain(photo, by: .gradient, classIndex: 2)
    #expect(
      difference(try #require(smooth.gradients).doubles, try #require(plain.gradients).doubles)
        < 1e-5)
  }

  @Test func smoothGradIsDeterminedByItsSeed() throws {
    func gradients(_ seed: UInt64, _ explainer: Explainer) throws -> NDArray {
      let method = ExplanationMethod.smoothGrad(samples: 12, noise: 0.2, seed: seed)
      return try #require(try explainer.explain(photo, by: method, classIndex: 2).gradients)
    }
    let first = try gradients(1, explainer)
    #expect(try gradients(1, explainer).isIdentical(to: first))
    #expect(try gradients(1, Explainer(try network.model(), on: .cpu)).isIdentical(to: first))
    #expect(try !gradients(2, explainer).isIdentical(to: first))
  }

  /// The mean over noise drawn here, by another generator: equal up to what chance does to means.
  @Test func smoothGradIsTheMeanOverNoise() throws {
    let count = 2000
    let method = ExplanationMethod.smoothGrad(samples: count, noise: 0.1)
    let found = try #require(try explainer.explain(photo, by: method, classIndex: 2).gradients)
      .doubles
    let planes = TinyNetwork.planes(photo)
    let values = planes.joined().joined()
    let deviation = 0.1 * ((values.max() ?? 0) - (values.min() ?? 0))
    let noise = Philox(seed: 9, name: "here")
    var (sums, squares) = ([Double](repeating: 0, count: 432), [Double](repeating: 0, count: 432))
    for sample in 0..<count {
      var index = sample * 432
      let noisy = planes.map {
        $0.map {
          $0.map { value -> Double in
            index += 1
            return value + deviation * noise.normal(at: index)
          }
        }
      }
      let there = network.forward(noisy)
      let gradients = network.back(network.gradientsAtMaps(there, of: 2), there, .own)
      for (place, gradient) in gradients.joined().joined().enumerated() {
        sums[place] += gradient / network.deviation
        squares[place] += (gradient / network.deviation) * (gradient / network.deviation)
      }
    }
    for place in 0..<432 {
      let mean = sums[place] / Double(count)
      let variance = squares[place] / Double(count) - mean * mean
      // Both means vary; six deviations of their difference, over 432 places.
      let allowed = 6 * (2 * variance / Double(count)).squareRoot() + 1e-7
      #expect(abs(found[place] - mean) < allowed)
    }
  }

  @Test func progressEndsAtAll() throws {
    let seen = Seen()
    for method in ExplanationMethod.all {
      _ = try explainer.explain(photo, by: method, classIndex: 0) { seen.values.append($0) }
      #expect(seen.values.last == 1, "\(method.name)")
      #expect(seen.values.allSatisfy { $0 >= 0 && $0 <= 1 })
    }
  }

  private final class Seen { var values: [Double] = [] }

  @Test func stoppingIsAThrowFromProgress() throws {
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      _ = try explainer.explain(photo, by: .smoothGrad()) { if $0 > 0.3 { throw Stop() } }
    }
  }
}
