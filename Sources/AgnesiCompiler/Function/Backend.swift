import AgnesiArrays
import AgnesiExpressions

/// Something that runs compiled graphs: the reference, the CPU, later a GPU.
///
/// Chosen at run time and passed in; nothing registers itself.
public protocol Backend: Sendable {
  /// What errors, reports and benchmarks call it.
  var name: String { get }

  /// Readies a rewritten graph for running; what takes long happens here or at the first call with
  /// new sizes.
  func prepare(_ program: GraphProgram) throws -> any Executable

  /// What the backend adds to the end of the list of passes: layouts that its kernels want.
  var passes: [Pass] { get }

  /// What was chosen so far, and whatever else decides later choices.
  var choices: BackendChoices { get }

  /// This backend, choosing as another one did.
  func repeating(_ choices: BackendChoices) -> any Backend
}

extension Backend {
  public var passes: [Pass] { [] }
}

/// A prepared program.
public protocol Executable: Sendable {
  /// Does what calls with these sizes need once, such as compiling code: outside of the lock on
  /// parameters, so that other calls go on meanwhile.
  ///
  /// - Parameter sizes: a number for each name of a size.
  func prepare(for sizes: [String: Int]) throws

  /// What the passes did that depend on sizes, for these sizes.
  func passRecords(for sizes: [String: Int]) throws -> [PassRecord]

  /// Computes the outputs and assigns the updates, all from the old values.
  ///
  /// - Parameters:
  ///   - inputs: contiguous, of the types of the program's inputs.
  ///   - sizes: a number for each name of a size.
  ///   - callNumber: the counter of the random draws.
  func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray]
}

extension Executable {
  public func prepare(for sizes: [String: Int]) throws {}
  public func passRecords(for sizes: [String: Int]) throws -> [PassRecord] { [] }
}

/// What a backend gets: a graph after all rewriting, with its interface.
public struct GraphProgram: Sendable {
  public var name: String
  public var inputs: [Tensor]
  public var outputs: [Tensor]
  public var updates: [Update]
  /// The passes that made it, and those that depend on sizes and are still to come (``laidOut(expecting:)``).
  package var pipeline: Pipeline
  /// What the passes did so far.
  package var records: [PassRecord]

  package init(
    name: String, inputs: [Tensor], outputs: [Tensor], updates: [Update],
    pipeline: Pipeline = Pipeline(level: .none), records: [PassRecord] = []
  ) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.updates = updates
    self.pipeline = pipeline
    self.records = records
  }

  /// A new value for a parameter.
  public struct Update: Sendable {
    public var parameter: Parameter
    public var value: Tensor
  }

  /// Everything that has to be computed.
  package var roots: [Tensor] { outputs + updates.map(\.value) }

  /// The program with other tensors in the place of its roots.
  package func mapRoots(_ transform: ([Tensor]) throws -> [Tensor]) rethrows -> GraphProgram {
    let new = try transform(roots)
    var result = self
    result.outputs = Array(new.prefix(outputs.count))
    for (index, value) in new.dropFirst(outputs.count).enumerated() {
      result.updates[index].value = value
    }
    return result
  }

  /// The program after the passes that depend on sizes: right for all sizes, good for these.
  package func laidOut(expecting sizes: [String: Int]) -> GraphProgram {
    var records = self.records
    var result = mapRoots { pipeline.laidOut($0, expecting: sizes, records: &records) }
    result.records = records
    return result
  }
}
