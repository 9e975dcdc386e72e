import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions

/// The backend that runs each operation by its meaning, in plain Swift: slow, and right by
/// inspection. It needs no C compiler.
public struct Reference: Backend {
  public var name: String { "reference" }

  public init() {}

  public func prepare(_ program: GraphProgram) throws -> any Executable {
    ReferenceProgram(program: program)
  }
}

extension Backend where Self == Reference {
  /// Each operation by its meaning, in plain Swift.
  public static var reference: Reference { Reference() }
}

private struct ReferenceProgram: Executable {
  let program: GraphProgram

  func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray] {
    let pairs = zip(program.inputs, inputs).map { ($0, $1) }
    return try ReferenceExecutor.run(
      outputs: program.outputs, updates: program.updates,
      inputs: Dictionary(pairs, uniquingKeysWith: { first, _ in first }), sizes: sizes,
      callNumber: callNumber)
  }
}
