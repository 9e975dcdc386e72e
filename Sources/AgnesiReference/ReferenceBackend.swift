import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions

/// Runs compiled functions by the reference executor: needs no C compiler, and is slow.
public struct Reference: Backend {
  public var name: String { "reference" }

  public init() {}

  public func prepare(_ program: GraphProgram) throws -> any Executable {
    ReferenceExecutable(program: program)
  }
}

extension Backend where Self == Reference {
  /// The meaning of every operation, one at a time.
  public static var reference: Reference { Reference() }
}

private struct ReferenceExecutable: Executable {
  let program: GraphProgram

  func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray] {
    let values = Dictionary(uniqueKeysWithValues: zip(program.inputs, inputs))
    let results = try ReferenceExecutor.run(
      outputs: program.roots, inputs: values, sizes: sizes, callNumber: callNumber)
    // All values are computed before any is assigned: every update sees the old ones.
    for (update, value) in zip(program.updates, results.dropFirst(program.outputs.count)) {
      try update.parameter.assign(value)
    }
    return Array(results.prefix(program.outputs.count))
  }
}
