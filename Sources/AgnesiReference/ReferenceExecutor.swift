import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// Runs a graph one operation at a time by what each operation says that it means.
///
/// Slow and obviously right: the oracle of the tests, and what runs on request where there is no C
/// compiler. Nothing is fused, and every intermediate value is an array, freed after its last use.
public enum ReferenceExecutor {
  /// The values of `outputs`.
  ///
  /// - Parameters:
  ///   - outputs: any tensors, composites included.
  ///   - inputs: a value for each input that the outputs are made of.
  ///   - sizes: a number for each name of a size.
  ///   - callNumber: the counter of the random draws.
  /// - Returns: one array for each output, contiguous. Parameters are read as they are now.
  /// - Throws: ``GraphError`` for a failed output and ``ExecutionError`` for what goes wrong in an
  ///   operation.
  /// - Complexity: that of the operations, each in plain Swift on doubles.
  public static func run(
    outputs: [Tensor], inputs: [Tensor: NDArray], sizes: [String: Int] = [:], callNumber: Int = 0
  ) throws -> [NDArray] {
    if let failure = outputs.lazy.compactMap(\.failure).first { throw failure }
    let expanded = expandComposites(outputs)
    var run = Run(
      inputs: inputs, sizes: sizes.mapValues { Size($0) }, callNumber: callNumber,
      order: expanded.topologicalNodes(), outputs: expanded)
    try run.execute()
    return try expanded.map { try run.value(of: $0, for: $0.node) }
  }
}

/// One walk over the nodes.
private struct Run {
  let inputs: [Tensor: NDArray]
  let sizes: [String: Size]
  let callNumber: Int
  let order: [Node]
  private var values: [Tensor: NDArray] = [:]
  /// How many uses of a value are still to come.
  private var uses: [Tensor: Int] = [:]

  init(
    inputs: [Tensor: NDArray], sizes: [String: Size], callNumber: Int, order: [Node],
    outputs: [Tensor]
  ) {
    self.inputs = inputs
    self.sizes = sizes
    self.callNumber = callNumber
    self.order = order
    for tensor in order.flatMap(\.operands) + outputs { uses[tensor, default: 0] += 1 }
  }

  mutating func execute() throws {
    for node in order {
      let results = try results(of: node)
      for (tensor, value) in zip(node.results, results) where uses[tensor, default: 0] > 0 {
        values[tensor] = value
      }
      for operand in node.operands {
        let left = uses[operand, default: 0] - 1
        uses[operand] = left
        if left == 0 { values[operand] = nil }
      }
    }
  }

  func value(of tensor: Tensor, for node: Node) throws -> NDArray {
    guard let value = values[tensor] else {
      throw ExecutionError(node, "has no value", operands: [])
    }
    return value
  }

  private func results(of node: Node) throws -> [NDArray] {
    let types = try node.types.map { try known($0, of: node) }
    if node.operation is Input { return [try input(node, types[0])] }
    if node.operation is CallNumber { return [NDArray(scalar: Int64(callNumber))] }
    try checkMemory(types, of: node)
    let operands = try node.operands.map { try value(of: $0, for: node) }
    let operation = node.operation.substituting(sizes)
    let results: [NDArray]
    do {
      results = try operation.reference(operands, types: types)
    } catch let error as ExecutionError {
      throw error
    } catch {
      throw ExecutionError(node, "\(error)", operands: operands)
    }
    try check(results, against: types, node, operands)
    return results.map { $0.contiguous() }
  }

  /// Room for the results, which operations compute as float64 first.
  private func checkMemory(_ types: [TensorType], of node: Node) throws {
    try Memory.check(node, types: types)
    if let parameter = node.results.first?.parameter {
      if !parameter.hasValue {
        try Memory.check(parameter.demand, place: node.location.place)
      }
      return
    }
    for type in types {
      let bytes = (type.knownShape ?? []).product.saturatingProduct(8 + type.dtype.size)
      if Memory.isNegligible(bytes) { continue }
      try Memory.check(
        Memory.Demand(
          node.operation.label, "\(type), computed in float64,", bytes: bytes == .max ? nil : bytes),
        place: node.location.place)
    }
  }

  private func known(_ type: TensorType, of node: Node) throws -> TensorType {
    let result = type.substituting(sizes)
    guard let shape = result.knownShape, shape.allSatisfy({ $0 >= 0 }) else {
      throw ExecutionError(node, "has the type \(result), whose sizes are not known", operands: [])
    }
    return result
  }

  private func input(_ node: Node, _ type: TensorType) throws -> NDArray {
    let name = node.operation.instanceName ?? ""
    guard let value = node.results.first.flatMap({ inputs[$0] }) else {
      throw ExecutionError(node, "no value was handed in for input \"\(name)\"", operands: [])
    }
    guard value.dtype == type.dtype, value.shape == type.knownShape else {
      throw ExecutionError(
        node, "input \"\(name)\" is \(type), got \(value.dtype)\(value.shape)", operands: [])
    }
    return value
  }

  private func check(
    _ results: [NDArray], against types: [TensorType], _ node: Node, _ operands: [NDArray]
  ) throws {
    let isRight =
      results.count == types.count
      && zip(results, types).allSatisfy { $0.dtype == $1.dtype && $0.shape == $1.knownShape }
    guard !isRight else { return }
    let got = results.map { "\($0.dtype)\($0.shape)" }.joined(separator: ", ")
    let expected = types.map(\.description).joined(separator: ", ")
    throw ExecutionError(node, "gave \(got) instead of \(expected)", operands: operands)
  }
}
