import AgnesiArrays

/// What a kernel does, in the plainest way: the meaning of the loop form, which rendered code is
/// tested against.
///
/// - A statement evaluates the values that it names when it runs, each node once; of a `select`
///   only the branch that is taken. So a load that a condition guards is never out of bounds.
/// - float32 arithmetic rounds after each operation, functions are rounded from double precision.
///   float16 and bfloat16 are loaded as float32 and rounded to nearest (ties to even) when stored
///   or cast to.
/// - Integers wrap around. `divide` truncates, `floorDivide` and `modulo` round down; dividing by
///   0 gives 0. A power with a negative exponent is rounded towards zero.
/// - A cast from float to an integer truncates towards zero, NaN is 0; what is outside of int64
///   (uint64 for uint64) becomes its nearest value, and narrower types keep the low bits of that.
///   Anything but 0 is true.
/// - A reduction runs from the first iteration to the last; rendered code may reduce in lanes.
///
/// - Complexity: one step per node and iteration, thousands of times slower than rendered code.
public struct KernelInterpreter: Sendable {
  public var kernel: Kernel

  public init(_ kernel: Kernel) { self.kernel = kernel }

  /// Runs the kernel on `arguments`, which are changed where the kernel writes.
  ///
  /// - Parameters:
  ///   - arguments: one contiguous array for each argument, of its dtype; shapes do not matter.
  ///   - sizes: a value for each name in `kernel.sizes`.
  /// - Throws: ``InterpretationFailure`` where arguments do not fit or an index is out of bounds;
  ///   `arguments` are then unchanged.
  public func run(
    _ arguments: inout [NDArray], sizes: [String: Int] = [:]
  ) throws(InterpretationFailure) {
    try check(arguments, sizes)
    var run = KernelRun(kernel, arguments, sizes)
    try run.execute(kernel.body)
    for index in arguments.indices where kernel.arguments[index].isWritten {
      arguments[index] = run.arguments[index].array(shape: arguments[index].shape)
    }
  }

  private func check(
    _ arguments: [NDArray], _ sizes: [String: Int]
  ) throws(InterpretationFailure) {
    func failure(_ problem: String) -> InterpretationFailure {
      InterpretationFailure(kernel: kernel.name, problem: problem)
    }
    guard arguments.count == kernel.arguments.count else {
      throw failure("\(arguments.count) arguments, the kernel takes \(kernel.arguments.count)")
    }
    for (index, (array, argument)) in zip(arguments, kernel.arguments).enumerated() {
      guard array.dtype == argument.dtype else {
        throw failure("argument a\(index) is \(array.dtype), the kernel takes \(argument.dtype)")
      }
    }
    for name in kernel.sizes where sizes[name] == nil {
      throw failure("no value for size \(name)")
    }
  }
}

/// A kernel that could not be run to its end.
public struct InterpretationFailure: Error, Hashable, CustomStringConvertible {
  public var kernel: String
  /// What went wrong, with the values that disagree.
  public var problem: String
  /// The first line of the statement that ran; nil where none did.
  public var statement: String?
  /// The loop variables at that time, by name.
  public var variables: [String: Int] = [:]

  public var description: String {
    var text = "kernel \(kernel): \(problem)"
    if let statement { text += "\n  in \(statement)" }
    if !variables.isEmpty {
      let list = variables.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
      text += "\n  at \(list.joined(separator: ", "))"
    }
    return text
  }
}

/// The memory of one run.
private struct KernelRun {
  let kernel: Kernel
  var arguments: [InterpreterBuffer]
  var scratch: [Int: InterpreterBuffer] = [:]
  var locals: [Int: InterpreterValue] = [:]
  /// Sizes and loop variables.
  var symbols: [String: Int]
  var variables: Set<String> = []

  init(_ kernel: Kernel, _ arrays: [NDArray], _ sizes: [String: Int]) {
    self.kernel = kernel
    arguments = arrays.map(InterpreterBuffer.init)
    symbols = sizes
  }

  func failure(_ problem: String, _ statement: Statement) -> InterpretationFailure {
    InterpretationFailure(
      kernel: kernel.name, problem: problem, statement: statement.headline,
      variables: symbols.filter { variables.contains($0.key) })
  }

  mutating func execute(_ statements: [Statement]) throws(InterpretationFailure) {
    for statement in statements { try execute(statement) }
  }

  mutating func execute(_ statement: Statement) throws(InterpretationFailure) {
    var values = Evaluation(statement)
    switch statement {
    case .loop(let loop):
      let count = try evaluate(loop.extent, statement)
      try iterate(loop.variable, count) { (run) throws(InterpretationFailure) in
        try run.execute(loop.body)
      }
    case .tiles(let tiles):
      let rows = try evaluate(tiles.rows.extent, statement)
      let columns = try evaluate(tiles.columns.extent, statement)
      try iterate(tiles.rows.variable, rows) { (run) throws(InterpretationFailure) in
        try run.iterate(tiles.columns.variable, columns) { (run) throws(InterpretationFailure) in
          try run.execute(tiles.body)
        }
      }
    case .reduce(let reduction): try execute(reduction, statement)
    case .define(let id, let value), .assign(let id, let value):
      locals[id] = try evaluate(value, &values)
    case .store(let buffer, let index, let value):
      let position = try evaluate(index, &values).integer
      let result = try evaluate(value, &values)
      try checkBounds(buffer, position, statement)
      switch buffer {
      case .argument(let index): arguments[index].store(result, value.dtype, at: Int(position))
      case .scratch(let id): scratch[id]?.store(result, value.dtype, at: Int(position))
      }
    case .when(let condition, let body):
      if try evaluate(condition, &values).isTrue { try execute(body) }
    case .scratch(let id, let dtype, let count):
      scratch[id] = InterpreterBuffer(dtype: dtype, count: count)
    }
  }

  private mutating func execute(
    _ reduction: Statement.Reduction, _ statement: Statement
  ) throws(InterpretationFailure) {
    let count = try evaluate(reduction.extent, statement)
    try iterate(reduction.variable, count) { (run) throws(InterpretationFailure) in
      var values = Evaluation(statement)
      for fold in reduction.folds {
        let value = try run.evaluate(fold.value, &values)
        guard let running = run.locals[fold.local] else {
          throw run.failure("local l\(fold.local) is not defined", statement)
        }
        run.locals[fold.local] = InterpreterValue.binary(
          fold.combiner.function, running, value, fold.value.dtype)
      }
    }
  }

  private mutating func iterate(
    _ variable: String, _ count: Int,
    _ body: (inout KernelRun) throws(InterpretationFailure) -> Void
  ) throws(InterpretationFailure) {
    variables.insert(variable)
    var iteration = 0
    while iteration < count {
      symbols[variable] = iteration
      try body(&self)
      iteration += 1
    }
    variables.remove(variable)
    symbols[variable] = nil
  }

  private func evaluate(
    _ size: Size, _ statement: Statement
  ) throws(InterpretationFailure) -> Int {
    guard let value = size.evaluated(symbols) else {
      throw failure("\(size) has no value", statement)
    }
    return value
  }

  private func checkBounds(
    _ buffer: Buffer, _ position: Int64, _ statement: Statement
  ) throws(InterpretationFailure) {
    let count: Int
    switch buffer {
    case .argument(let index): count = arguments[index].values.count
    case .scratch(let id): count = scratch[id]?.values.count ?? 0
    }
    guard position >= 0, position < count else {
      throw failure("index \(position) of \(buffer), which has \(count) elements", statement)
    }
  }
}

// MARK: - Values

/// The nodes that one run of a statement has evaluated.
private struct Evaluation {
  let statement: Statement
  var done: [ObjectIdentifier: InterpreterValue] = [:]
  init(_ statement: Statement) { self.statement = statement }
}

extension KernelRun {
  fileprivate func evaluate(
    _ node: Scalar, _ values: inout Evaluation
  ) throws(InterpretationFailure) -> InterpreterValue {
    if let value = values.done[ObjectIdentifier(node)] { return value }
    let value = try fresh(node, &values)
    values.done[ObjectIdentifier(node)] = value
    return value
  }

  private func fresh(
    _ node: Scalar, _ values: inout Evaluation
  ) throws(InterpretationFailure) -> InterpreterValue {
    switch node.kind {
    case .constant(let value): return .cast(.float(value), .float64, node.dtype)
    case .whole(let value): return .integer(value)
    case .index(let size): return .integer(Int64(try evaluate(size, values.statement)))
    case .local(let id):
      guard let value = locals[id] else {
        throw failure("local l\(id) is not defined", values.statement)
      }
      return value
    case .load(let buffer, let index):
      let position = try evaluate(index, &values).integer
      try checkBounds(buffer, position, values.statement)
      switch buffer {
      case .argument(let index): return arguments[index].values[Int(position)]
      case .scratch(let id): return scratch[id]?.values[Int(position)] ?? .integer(0)
      }
    case .unary(let function, let x):
      return .unary(function, try evaluate(x, &values), x.dtype)
    case .binary(let function, let x, let y):
      return .binary(function, try evaluate(x, &values), try evaluate(y, &values), x.dtype)
    case .select(let condition, let x, let y):
      return try evaluate(evaluate(condition, &values).isTrue ? x : y, &values)
    case .cast(let x): return .cast(try evaluate(x, &values), x.dtype, node.dtype)
    case .random(let key, let low, let high, let word):
      let (l, h) = (try evaluate(low, &values).integer, try evaluate(high, &values).integer)
      let block = Philox(key: key).block(
        low: UInt64(bitPattern: l), high: UInt64(bitPattern: h))
      let words = [block.0, block.1, block.2, block.3]
      return .integer(Int64(words[word]))
    }
  }
}
