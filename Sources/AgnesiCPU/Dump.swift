import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What functions become, as files for people: with AGNESI_DUMP set to a folder, each function that is
/// compiled leaves `N-passes.txt` (what each pass did), `N-graph.txt` (its listing before layouts),
/// `N-layouts.txt` (its listing after them), `N-kernels.txt` (its steps) and `N.c` there, N counting
/// from 1.
struct Dump {
  private let folder: String
  private static let count = Atomic(0)

  /// Nil where nobody asked.
  init?() {
    guard let value = getenv("AGNESI_DUMP").map({ String(cString: $0) }), !value.isEmpty else {
      return nil
    }
    folder = value
  }

  /// - Parameters:
  ///   - laid out: `program` after the passes that depend on sizes.
  ///   - kernels: the different kernels of `lowered`, with their names.
  ///   - written: those that are texts already.
  func write(
    _ program: GraphProgram, _ laidOut: GraphProgram, _ lowered: LoweredProgram,
    _ kernels: [Kernel], _ written: [KernelText]
  ) throws {
    let number = Self.count.add(1, ordering: .relaxed).newValue
    let steps = lowered.steps.map { step -> String in
      let names = step.arguments.map { "b\($0.index)" }.joined(separator: ", ")
      let head = "\(step.label)(\(names))"
      switch step.work {
      case .kernel(let kernel, _): return "\(head)\n\(kernel)"
      case .text: return "text \(head)"
      case .call: return "call \(head)"
      }
    }
    let texts = [
      "-passes.txt": laidOut.records.map(\.description).joined(separator: "\n"),
      "-graph.txt": program.roots.listing(.init(locations: true)),
      "-layouts.txt": laidOut.roots.listing(.init(locations: true)),
      "-kernels.txt": steps.joined(separator: "\n\n"),
      ".c": CRenderer.source(kernels, texts: written, math: CMath.source),
    ]
    for (suffix, text) in texts {
      try AtomicFile.write(Array("\(text)\n".utf8), to: "\(folder)/\(number)\(suffix)")
    }
  }
}
