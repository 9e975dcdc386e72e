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

  /// What was chosen so far, and whatever else decides later choices.
  var choices: BackendChoices { get }

  /// This backend, choosing as another one did.
  func repeating(_ choices: BackendChoices) -> any Backend
}

/// A prepared program.
public protocol Executable: Sendable {
  /// Does what calls with these sizes need once, such as compiling code: outside of the lock on
  /// parameters, so that other calls go on meanwhile.
  ///
  /// - Parameter sizes: a number for each name of a size.
  func prepare(for sizes: [String: Int]) throws

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
}

/// What a backend gets: a graph after all rewriting, with its interface.
public struct GraphProgram: Sendable {
  public var name: String
  public var inputs: [Tensor]
  public var outputs: [Tensor]
  public var updates: [Update]
  /// Whether a backend may put tensors into layouts of its own and change formulas on the way. Not
  /// where the user asked for no rewriting.
  public var isArranged = true

  package init(
    name: String, inputs: [Tensor], outputs: [Tensor], updates: [Update],
    isArranged: Bool = true
  ) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.updates = updates
    self.isArranged = isArranged
  }

  /// A new value for a parameter.
  public struct Update: Sendable {
    public var parameter: Parameter
    public var value: Tensor
  }

  /// Everything that has to be computed.
  package var roots: [Tensor] { outputs + updates.map(\.value) }
}
