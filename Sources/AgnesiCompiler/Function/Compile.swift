import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Options of `compile`.
public struct CompileOptions: Sendable {
  /// What errors and profiles call the function.
  public var name = "function"
  /// Whether inputs that nothing depends on are accepted.
  public var allowsUnusedInputs = false
  /// The passes that rewrite the graph.
  public var rewriting = RewriteLevel.full
  /// Passes and rules that are left out, by name: ``Function/passes`` lists those that ran.
  public var excluding: Set<String> = []
  /// Passes and rules that run though the level of rewriting leaves them out, by name.
  public var including: Set<String> = []

  public init(
    name: String = "function", allowsUnusedInputs: Bool = false,
    rewriting: RewriteLevel = .full, excluding: Set<String> = [], including: Set<String> = []
  ) {
    self.name = name
    self.allowsUnusedInputs = allowsUnusedInputs
    self.rewriting = rewriting
    self.excluding = excluding
    self.including = including
  }
}

/// A function of `inputs` that computes `outputs` and assigns `updates`.
///
/// - Parameters:
///   - inputs: tensors made by ``Tensor/input(_:_:_:)``, in the order in which values are handed in.
///   - outputs: any expressions of the inputs and of parameters.
///   - updates: new values of parameters; all are computed from the old ones, and so are the outputs.
///   - givens: tensors to put in the place of others before anything else.
///   - backend: what runs the function.
/// - Throws: ``GraphError`` for a mistake in a formula, ``FunctionError`` for one in this call.
/// - Complexity: near-linear in the number of nodes.
public func compile(
  _ inputs: [Tensor], to outputs: [Tensor], updates: Updates = Updates(),
  givens: [Tensor: Tensor] = [:], options: CompileOptions = CompileOptions(),
  on backend: any Backend
) throws -> Function {
  try Compilation(
    inputs: inputs, outputs: outputs, names: [], updates: updates, givens: givens,
    options: options
  ).function(on: backend)
}

/// As above, with outputs that are fetched by name.
public func compile(
  _ inputs: [Tensor], to outputs: KeyValuePairs<String, Tensor>, updates: Updates = Updates(),
  givens: [Tensor: Tensor] = [:], options: CompileOptions = CompileOptions(),
  on backend: any Backend
) throws -> Function {
  try Compilation(
    inputs: inputs, outputs: outputs.map(\.value), names: outputs.map(\.key), updates: updates,
    givens: givens, options: options
  ).function(on: backend)
}

/// One call of `compile`: checks, then rewriting, then the backend.
private struct Compilation {
  let inputs: [Tensor]
  let outputs: [Tensor]
  let names: [String]
  let updates: Updates
  let givens: [Tensor: Tensor]
  let options: CompileOptions

  func function(on backend: any Backend) throws -> Function {
    let updatePairs = try checkedUpdates()
    let roots = replacingGivens(outputs + updatePairs.map(\.value))
    if let failure = roots.lazy.compactMap(\.failure).first { throw failure }
    if let failure = inputs.lazy.compactMap(\.failure).first { throw failure }
    try checkInputs(of: roots)
    try checkNames(in: roots)
    try checkSizes(in: roots)
    // Expanded, because what overflows may be in the bodies.
    let expanded = expandComposites(roots)
    try Memory.check(
      expanded.topologicalNodes(), and: updatePairs.map(\.parameter), for: options.name)
    let pipeline = try pipeline(on: backend)
    var log = RewriteLog()
    var records: [PassRecord] = []
    let rewritten = try pipeline.apply(to: roots, log: &log, records: &records)
    let program = GraphProgram(
      name: options.name, inputs: inputs, outputs: Array(rewritten.prefix(outputs.count)),
      updates: zip(updatePairs, rewritten.dropFirst(outputs.count)).map {
        .init(parameter: $0.parameter, value: $1)
      }, pipeline: pipeline, records: records)
    return Function(
      program: program, outputs: outputs, names: names,
      checks: SizeChecks(roots: expanded),
      executable: try backend.prepare(program))
  }

  /// The passes of the options and the backend.
  private func pipeline(on backend: any Backend) throws -> Pipeline {
    let passes = backend.passes
    let named = options.excluding.union(options.including)
    if !named.isEmpty {
      let names = Pipeline.names(backend: passes)
      if let unknown = named.subtracting(names).min() {
        throw FunctionError(
          "compile", "no pass or rule is called \"\(unknown)\"",
          hint: NearestNames.question(
            unknown, in: names.sorted(),
            otherwise: "the passes of a function list theirs: print(function.passes)"))
      }
    }
    return Pipeline(
      level: options.rewriting, excluding: options.excluding, including: options.including,
      backend: passes)
  }

  /// A size that only a replaced tensor had is that of its replacement.
  private func replacingGivens(_ roots: [Tensor]) -> [Tensor] {
    let listed = determinedSizes
    var sizes: [String: Size] = [:]
    for (old, new) in givens where old.rank == new.rank {
      for (name, size) in zip(old.shape, new.shape) {
        for symbol in name.symbols where name == .symbol(symbol) && !listed.contains(symbol) {
          sizes[symbol] = size
        }
      }
    }
    return sizes.isEmpty
      ? roots.replacing(givens) : roots.replacing(givens) { $0.substituting(sizes) }
  }

  /// What the inputs' values say: names that are all of the size of an axis.
  private var determinedSizes: Set<String> {
    Set(inputs.flatMap(\.shape).flatMap { size in size.symbols.filter { size == .symbol($0) } })
  }

  private func checkedUpdates() throws -> [(parameter: Parameter, value: Tensor)] {
    if let failure = updates.failure { throw failure }
    return updates.pairs.compactMap { pair in
      pair.parameter.parameter.map { ($0, pair.value) }
    }
  }

  private func checkInputs(of roots: [Tensor]) throws {
    if let other = inputs.first(where: { !$0.isInput }) {
      throw FunctionError(
        "compile", "\(other) is not an input", hint: "make inputs with Tensor.input")
    }
    if Set(inputs).count < inputs.count {
      throw FunctionError("compile", "an input is listed twice")
    }
    let used = Set(
      roots.topologicalNodes().filter { $0.operation is Input }.flatMap(\.results))
    if let missing = used.subtracting(inputs).min(by: { $0.node.serial < $1.node.serial }) {
      throw FunctionError(
        "compile", "the outputs depend on input \"\(missing.name)\", which is not listed",
        hint: "add it to the inputs, or replace it by givens")
    }
    if !options.allowsUnusedInputs, let unused = inputs.first(where: { !used.contains($0) }) {
      throw FunctionError(
        "compile", "no output depends on input \"\(unused.name)\"",
        hint: "leave it out, or allow unused inputs in the options")
    }
  }

  /// A size is what an axis of an input turns out to be; one that no input has would be anything.
  private func checkSizes(in roots: [Tensor]) throws {
    let determined = determinedSizes
    for node in inputs.map(\.node) + roots.topologicalNodes() {
      let missing = node.types.flatMap(\.shape).flatMap(\.symbols).filter {
        !determined.contains($0)
      }
      guard let name = missing.min(), let type = node.types.first else { continue }
      let value = node.operation.instanceName ?? node.operation.label
      throw FunctionError(
        "compile", "nothing says how large \"\(name)\" is, a size of \"\(value)\" \(type)",
        hint: "list an input that has \(name) as the size of an axis, or write a number in its"
          + " place",
        location: node.location)
    }
  }

  /// Two parameters of one name would be one entry of a file.
  private func checkNames(in roots: [Tensor]) throws {
    var seen: [String: Parameter] = [:]
    for node in roots.topologicalNodes() {
      guard let parameter = node.results.first?.parameter else { continue }
      if let other = seen[parameter.name], other !== parameter {
        throw FunctionError(
          "compile", "two parameters are called \"\(parameter.name)\"",
          hint: "to share one set of weights, build the layer with .shared(parameter);"
            + " for two sets, give one another name, or build it inside Scope.named")
      }
      seen[parameter.name] = parameter
    }
  }
}
