import Agnesi
import ArgumentParser
import Foundation

/// `agnesi-bench convolutions`: how good the estimate is by which convolutions that nobody measured
/// choose their algorithm.
struct ConvolutionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convolutions",
    abstract: "Time a grid of 3×3 convolutions, and say where the estimate chooses wrongly.")

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "Seconds for each convolution, about.")
  var limit = 0.25

  @Flag(help: "Print every convolution, as JSON objects, a line each.")
  var all = false

  private struct Line: Encodable {
    var kind: String
    var batch: Int
    var channels: Int
    var size: Int
    var kept: Bool
    var direct: Double
    var winograd: Double
    var estimate: String
  }

  func run() throws {
    CPU.threads = threads
    var (count, wrong, costly) = (0, 0, 0)
    var (chosen, best) = (0.0, 0.0)
    for problem in Self.grid {
      guard let times = problem.measured(threads: threads, limit: limit) else { continue }
      let estimate = problem.modelledChoice
      let taken = estimate == .winograd ? times.winograd : times.direct
      let least = min(times.direct, times.winograd)
      count += 1
      if taken > least { wrong += 1 }
      if taken > 1.1 * least { costly += 1 }
      // Logarithms, so that small convolutions count as much as large ones.
      chosen += log(taken)
      best += log(least)
      if all {
        try print(problem, times, estimate)
      } else if taken > 1.1 * least {
        let numbers = [times.direct, times.winograd].map { Cell.time($0) }
        Swift.print(problem, "direct", numbers[0], "Winograd", numbers[1])
      }
    }
    let excess = count == 0 ? 0 : (exp((chosen - best) / Double(count)) - 1) * 100
    let summary =
      "\(count) convolutions: the slower one is chosen for \(wrong), at more than 10 % for \(costly); "
      + "on average \(Cell.number(excess)) % above the best choice"
    FileHandle.standardError.write(Data((summary + "\n").utf8))
  }

  private func print(
    _ problem: ConvolutionProblem, _ times: ConvolutionTable.Times,
    _ estimate: ConvolutionAlgorithm
  ) throws {
    let line = Line(
      kind: problem.kind.rawValue, batch: problem.image[0], channels: problem.image[1],
      size: problem.image[2], kept: problem.keepsWeights, direct: times.direct,
      winograd: times.winograd, estimate: estimate.rawValue)
    Swift.print(try JSONText.encoded(line, nonFinite: .null))
  }

  /// What networks have: many channels with small images, large images with few channels.
  private static var grid: [ConvolutionProblem] {
    var result: [ConvolutionProblem] = []
    for channels in [16, 32, 64, 128, 256, 512] {
      for size in [7, 14, 28, 56, 112, 224] {
        for batch in [1, 8, 32, 128] {
          let elements = batch * channels * size * size
          // Longer ones tell nothing new.
          guard elements <= 1 << 25, elements * channels * 9 <= 8_000_000_000 else { continue }
          for kind in ConvolutionKind.allCases {
            for keeps in kind == .backwardWeights ? [false] : [false, true] {
              result.append(
                ConvolutionProblem(
                  kind, batch: batch, channels: channels, filters: channels, size: size,
                  keepsWeights: keeps))
            }
          }
        }
      }
    }
    return result
  }
}
