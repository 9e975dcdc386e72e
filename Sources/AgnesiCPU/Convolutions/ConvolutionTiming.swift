import AgnesiArrays
import AgnesiCompiler
import AgnesiLoops
import CAgnesi
import Synchronization

extension ConvolutionProblem {
  /// What the model of the cost would choose.
  package var modelledChoice: ConvolutionAlgorithm {
    WinogradCost(problem: self).pays ? .winograd : .direct
  }

  /// Times both algorithms, in turns, so that a machine that is slow for a moment wrongs neither.
  ///
  /// Takes about `limit` seconds at most, but at least two calls of each. Nil where the library has
  /// no Winograd kernel for it, or memory is short.
  package func measured(threads: Int, limit: Double = 1) -> ConvolutionTable.Times? {
    guard hasChoice,
      let direct = try? context(.direct, threads: threads, label: ""),
      let winograd = try? context(.winograd, threads: threads, label: ""),
      winograd.implementation.contains("wino")
    else { return nil }
    let contexts = [direct, winograd]
    var best = [Double.infinity, .infinity]
    let clock = ContinuousClock()
    let start = clock.now
    for _ in 0..<Self.rounds {
      for (index, context) in contexts.enumerated() {
        // The first time is a single call, and says how many the next ones may be.
        let part = limit / Double(2 * Self.rounds)
        let repeats = best[index].isFinite ? max(1, min(200, Int(part / best[index]) - 1)) : 1
        let seconds = agnesi_context_seconds(OpaquePointer(context.pointer), Int32(repeats))
        guard seconds > 0 else { return nil }
        best[index] = min(best[index], seconds)
      }
      if (clock.now - start) / .seconds(1) > limit { break }
    }
    return ConvolutionTable.Times(direct: best[0], winograd: best[1])
  }

  private static let rounds = 4
}

/// A backend that looks at programs as the CPU would run them, and runs nothing: it tells which
/// convolutions they have.
package final class ConvolutionSurvey: Backend {
  package let name = "survey"
  package let passes = CPU().passes
  private let programs = Mutex<[GraphProgram]>([])

  package init() {}

  package func prepare(_ program: GraphProgram) throws -> any Executable {
    programs.withLock { $0.append(program) }
    return NothingToRun(name: program.name)
  }

  /// The convolutions of all programs so far for these sizes, each once, in the order in which they
  /// are computed.
  package func problems(sizes: [String: Int]) -> [ConvolutionProblem] {
    let cpu = CPU()
    var seen: Set<ConvolutionProblem> = []
    return programs.withLock { $0 }.flatMap { program in
      cpu.lowered(program, expecting: sizes).convolutions(sizes: sizes)
    }.filter { seen.insert($0).inserted }
  }

  private struct NothingToRun: Executable {
    var name: String

    func run(
      inputs: [NDArray], sizes: [String: Int], callNumber: Int
    ) throws -> [NDArray] {
      throw FunctionError(name, "was compiled to be looked at, not to run")
    }
  }
}

extension LoweredProgram {
  /// The convolutions that the library is called for.
  fileprivate func convolutions(sizes: [String: Int]) -> [ConvolutionProblem] {
    steps.compactMap { step in
      guard case .call(let call) = step.work,
        case .convolution(let convolution) = LibraryKernel.kind(of: call.node)
      else { return nil }
      return ConvolutionProblem(
        convolution, call, sizes: sizes, keepsWeights: prepackedWeights(call) != nil)
    }
  }
}
