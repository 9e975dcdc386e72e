import Agnesi

/// What a step must do at least, read off its rewritten graph.
struct Work {
  /// Of products and convolutions, done directly. Elementary functions do not count.
  var multiplyAdds: Int
  /// Inputs, and parameters that stay as they are.
  var readBytes: Int
  /// Parameters and states of update rules that get new values.
  var changedBytes: Int
  /// What comes back.
  var writtenBytes: Int

  /// All that outlives the step. Values between operations do not count: they might stay in caches.
  var bytes: Int { readBytes + changedBytes + writtenBytes }

  /// The work of a step of `model`.
  init(of model: Model) throws {
    let program = model.program()
    let changed = Set(program.updates.pairs.compactMap(\.parameter.parameter))
    let outputs = try Pipeline().apply(
      to: program.outputs + program.updates.pairs.map(\.value))
    let sizes = model.sizes
    func number(_ size: Size) -> Int { size.evaluated(sizes) ?? 0 }
    func bytes(_ type: TensorType) -> Int { number(type.count) * type.dtype.size }
    multiplyAdds = 0
    readBytes = model.inputs.reduce(0) { $0 + bytes($1.type) }
    changedBytes = changed.reduce(0) { $0 + bytes(Tensor.parameter($1).type) }
    writtenBytes = outputs.prefix(program.outputs.count).reduce(0) { $0 + bytes($1.type) }
    for node in outputs.topologicalNodes() {
      if let operation = node.operation as? any CountsWork {
        multiplyAdds += number(operation.multiplyAdds(of: node.operands.map(\.type)))
      }
      if let leaf = node.operation as? ParameterLeaf, !changed.contains(leaf.parameter) {
        readBytes += bytes(node.types[0])
      }
    }
  }
}

extension Model {
  /// What the names of sizes stand for.
  fileprivate var sizes: [String: Int] {
    var result: [String: Int] = [:]
    for (input, value) in zip(inputs, batch) {
      for (size, number) in zip(input.shape, value.shape) {
        for name in size.symbols where size == .symbol(name) { result[name] = number }
      }
    }
    return result
  }
}
