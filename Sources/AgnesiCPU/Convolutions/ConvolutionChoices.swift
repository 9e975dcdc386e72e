import AgnesiCompiler
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Which algorithms convolutions may take.
public enum ConvolutionAlgorithms: String, Hashable, Sendable {
  /// The quickest for each convolution: as `agnesi tune` measured it, else by a model of the cost.
  /// Winograd's algorithm saves up to three quarters of the products and costs digits.
  case quickest
  /// The direct algorithm everywhere, whose rounding is that of a plain sum.
  case direct

  /// ``direct`` where the environment variable AGNESI_STRICT is set to something other than 0.
  public static var environment: ConvolutionAlgorithms {
    guard let value = getenv("AGNESI_STRICT").map({ String(cString: $0) }) else { return .quickest }
    return value.isEmpty || value == "0" ? .quickest : .direct
  }
}

/// How the library computes a convolution.
package enum ConvolutionAlgorithm: String, CaseIterable, Hashable, Sendable {
  case direct, winograd
}

/// What one backend chose, convolution by convolution. A choice is made once, so all functions of a
/// backend compute a convolution in the same way.
final class ConvolutionChoices: Sendable {
  let algorithms: ConvolutionAlgorithms
  /// Asked for at the first choice, since most programs have none.
  private let table: @Sendable () -> ConvolutionTable
  private let made: Mutex<[String: ConvolutionAlgorithm]>

  init(
    _ algorithms: ConvolutionAlgorithms, table: @escaping @Sendable () -> ConvolutionTable,
    made: [String: ConvolutionAlgorithm] = [:]
  ) {
    self.algorithms = algorithms
    self.table = table
    self.made = Mutex(made)
  }

  /// The choices of another run. What that run had not met is chosen by the model of the cost alone, as
  /// a table that has changed since must not have a say.
  convenience init(repeating choices: BackendChoices) {
    self.init(
      choices.isStrict ? .direct : .quickest, table: { ConvolutionTable() },
      made: choices.made.compactMapValues { ConvolutionAlgorithm(rawValue: $0) })
  }

  func algorithm(for problem: ConvolutionProblem, threads: Int) -> ConvolutionAlgorithm {
    guard algorithms == .quickest, problem.hasChoice else { return .direct }
    let key = problem.description
    return made.withLock { made in
      if let known = made[key] { return known }
      let modelled: ConvolutionAlgorithm = WinogradCost(problem: problem).pays ? .winograd : .direct
      let choice = table()[.current(threads: threads)][key]?.choice ?? modelled
      made[key] = choice
      return choice
    }
  }

  /// All that a later run needs to choose in the same way: what was chosen, and what the table says
  /// about convolutions that are still to come.
  func record(threads: Int) -> BackendChoices {
    guard algorithms == .quickest else { return BackendChoices(isStrict: true) }
    let made = made.withLock { $0 }
    // Without a choice so far, nothing may depend on the table, and reading it would be in vain.
    let measured = made.isEmpty ? [:] : table()[.current(threads: threads)].mapValues(\.choice)
    return BackendChoices(made: measured.merging(made) { $1 }.mapValues(\.rawValue))
  }
}
