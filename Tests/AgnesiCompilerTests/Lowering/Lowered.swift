import Agnesi
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import Synchronization
import TestSupport

/// Products of matrices, of memory in order.
private struct MatMulOnly: LibraryTable {
  func takes(_ node: Node) -> Bool { node.operation is MatMul }
  func accepts(_ view: StridedView, for node: Node, operand position: Int) -> Bool {
    view.isContiguous
  }
}

/// Nothing: all is loops.
struct NoLibrary: LibraryTable {
  func takes(_ node: Node) -> Bool { false }
  func accepts(_ view: StridedView, for node: Node, operand position: Int) -> Bool { true }
}

/// Keeps the program that it is given instead of running it.
private final class Recorder: Backend {
  let name = "recorder"
  let program = Mutex<LoweredProgram?>(nil)
  let library: any LibraryTable

  init(_ library: any LibraryTable) { self.library = library }

  struct Nothing: Executable {
    func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray] { [] }
  }

  func prepare(_ program: GraphProgram) throws -> any Executable {
    let lowered = Lowerer.lower(program, library: library)
    self.program.withLock { $0 = lowered }
    return Nothing()
  }
}

/// What `compile` makes of a function, before any backend.
func lowered(
  _ inputs: [Tensor], _ outputs: [Tensor], _ updates: Updates = Updates(),
  library: (any LibraryTable)? = nil
) throws -> LoweredProgram {
  let recorder = Recorder(library ?? MatMulOnly())
  let options = CompileOptions(allowsUnusedInputs: true)
  _ = try compile(inputs, to: outputs, updates: updates, options: options, on: recorder)
  guard let program = recorder.program.withLock({ $0 }) else {
    throw Unfit("the backend was given nothing")
  }
  return program
}

extension LoweredProgram {
  /// The steps, one after the other: kernels as they are printed, calls by name.
  var text: String {
    steps.map { step in
      switch step.work {
      case .kernel(let kernel, _): kernel.description
      case .text(let kernel): kernel.text
      case .call: "call \(step.label)"
      }
    }.joined(separator: "\n")
  }

  var labels: [String] { steps.map(\.label) }

  /// How many buffers are new values written over old ones.
  var inPlaceCount: Int {
    buffers.count { if case .inPlace = $0.kind { true } else { false } }
  }
}
