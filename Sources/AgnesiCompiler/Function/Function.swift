import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Synchronization

/// A compiled function: call it with the inputs' values.
///
/// May be called from several threads at once. Functions that update parameters run alone; the
/// others run side by side.
public final class Function: Sendable {
  public let name: String
  /// The expressions that values are handed in for, and those that come back.
  public let inputs: [Tensor]
  public let outputs: [Tensor]
  /// What each pass did that ran once for the function, in order; see also ``passes(for:)``.
  public let passes: [PassRecord]
  private let names: [String]
  private let hasUpdates: Bool
  private let checks: SizeChecks
  private let executable: any Executable
  private let parameters: [Parameter]

  private struct State {
    var calls = 0
    var checkedSizes: Set<[String: Int]> = []
    /// Of the last call that was checked.
    var lastShapes: [[Int]] = []
    var lastDTypes: [DType] = []
    var lastSizes: [String: Int] = [:]

    func isRepeated(_ values: [NDArray]) -> Bool {
      guard !values.isEmpty, values.count == lastShapes.count else { return false }
      return values.indices.allSatisfy { index in
        values[index].shape == lastShapes[index] && values[index].dtype == lastDTypes[index]
      }
    }
  }

  private let state = Mutex(State())

  init(
    program: GraphProgram, outputs: [Tensor], names: [String], checks: SizeChecks,
    executable: any Executable
  ) {
    name = program.name
    inputs = program.inputs
    self.outputs = outputs
    passes = program.records
    self.names = names
    hasUpdates = !program.updates.isEmpty
    self.checks = checks
    self.executable = executable
    let read = program.roots.topologicalNodes().compactMap { $0.results.first?.parameter }
    parameters = Array(Set(read + program.updates.map(\.parameter)))
  }

  /// What all passes did for calls with these sizes: those that ran once, and those that lay tensors out.
  /// Code for the sizes is made if it is not there yet.
  ///
  /// - Parameter sizes: a number for each name of a size, such as `["batch": 100]`.
  public func passes(for sizes: [String: Int]) throws -> [PassRecord] {
    passes + (try executable.passRecords(for: sizes))
  }

  /// How often the function was called: the counter of its random draws. Set it to go on where a
  /// checkpoint stopped.
  public var callCount: Int {
    get { state.withLock { $0.calls } }
    set { state.withLock { $0.calls = newValue } }
  }

  /// - Throws: ``FunctionError`` where values do not fit the inputs, ``GraphError`` where sizes that
  ///   had names do not fit together.
  public func callAsFunction(_ values: NDArray...) throws -> Results { try call(values) }

  /// The inputs' values by name.
  public func call(named values: [String: NDArray]) throws -> Results {
    let known = inputs.map(\.name)
    if let unknown = values.keys.sorted().first(where: { !known.contains($0) }) {
      throw FunctionError(
        name, "no input is called \"\(unknown)\"",
        hint: NearestNames.question(
          unknown, in: known, otherwise: "inputs are \(known.joined(separator: ", "))"))
    }
    return try call(
      try inputs.map { input in
        guard let value = values[input.name] else {
          throw FunctionError(name, "input \"\(input.name)\" has no value")
        }
        return value
      })
  }

  public func call(_ values: [NDArray]) throws -> Results {
    try Parameter.checkValues(of: parameters)
    let (sizes, number): ([String: Int], Int) = try state.withLock { state in
      let sizes = try self.sizes(of: values, &state)
      defer { state.calls += 1 }
      return (sizes, state.calls)
    }
    try executable.prepare(for: sizes)
    let isReady = values.allSatisfy(\.isContiguous)
    if !isReady { try checkCopies(of: values) }
    let arrays = try ParameterLock.shared.with(exclusive: hasUpdates) {
      try executable.run(
        inputs: isReady ? values : values.map { $0.contiguous() }, sizes: sizes,
        callNumber: number)
    }
    return Results(outputs: outputs, names: names, arrays: arrays)
  }

  /// Room for the values that are not contiguous as they come.
  private func checkCopies(of values: [NDArray]) throws {
    for (input, value) in zip(inputs, values) where !value.isContiguous {
      let subject = "a copy of input \"\(input.name)\""
      try Memory.check(Memory.Demand(subject, value.dtype, value.shape))
    }
  }

  /// What the names of sizes stand for; checked once for each new set of shapes.
  ///
  /// Nearly all calls repeat the shapes of the one before, and then nothing is computed or allocated.
  private func sizes(of values: [NDArray], _ state: inout State) throws -> [String: Int] {
    if state.isRepeated(values) { return state.lastSizes }
    let sizes = try boundSizes(values)
    if !state.checkedSizes.contains(sizes) {
      try checks.check(sizes)
      // The set is an optimisation; a caller with endless new sizes must not grow it for ever.
      if state.checkedSizes.count > 256 { state.checkedSizes = [] }
      state.checkedSizes.insert(sizes)
    }
    state.lastShapes = values.map(\.shape)
    state.lastDTypes = values.map(\.dtype)
    state.lastSizes = sizes
    return sizes
  }

  /// Checks the values against the inputs' types and reads off what the names of sizes stand for.
  private func boundSizes(_ values: [NDArray]) throws -> [String: Int] {
    guard values.count == inputs.count else {
      throw FunctionError(
        name, "takes \(inputs.count) values, got \(values.count)",
        hint: "inputs are \(inputs.map(\.description).joined(separator: ", "))")
    }
    var sizes: [String: Int] = [:]
    for (input, value) in zip(inputs, values) {
      guard value.dtype == input.dtype, value.rank == input.rank else {
        throw mismatch(input, value)
      }
      for (size, number) in zip(input.shape, value.shape) {
        guard size.known == nil, size.symbols.count == 1, let symbol = size.symbols.first,
          size == .symbol(symbol), sizes[symbol] == nil
        else { continue }
        sizes[symbol] = number
      }
    }
    for (input, value) in zip(inputs, values) {
      for (size, number) in zip(input.shape, value.shape)
      where size.evaluated(sizes) != number {
        throw mismatch(input, value, bound: sizes)
      }
    }
    return sizes
  }

  private func mismatch(
    _ input: Tensor, _ value: NDArray, bound: [String: Int] = [:]
  ) -> FunctionError {
    let named = input.shape.flatMap(\.symbols).filter { bound[$0] != nil }
    let meaning =
      named.isEmpty
      ? ""
      : " with " + Set(named).sorted().map { "\($0) = \(bound[$0] ?? 0)" }.joined(separator: ", ")
    let converts = value.dtype != input.dtype && value.rank == input.rank
    return FunctionError(
      name,
      "input \"\(input.name)\" is \(input.type)\(meaning), got a value of \(value.dtype)\(value.shape)",
      hint: converts ? value.dtype.conversionHint(to: input.dtype, of: "the value") : nil)
  }
}
