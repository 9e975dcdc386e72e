import Agnesi

/// What a step must do at least, read off its rewritten graph.
struct Work {
  /// Of products and convolutions, done directly. Elementary functions do not count.
  var multiplyAdds: Int
  /// The same where convolutions take Winograd's algorithms, and so do their adjoints: kernels of 3×3
  /// that move by one pixel F(4×4, 3×3), 36 products in the place of 144, and kernels of 4×4 that move
  /// by two F(4×4, 2×2) on every other pixel, 25 in the place of 64. Transforms do not count.
  var fewestMultiplyAdds: Int
  /// Inputs, and parameters that stay as they are.
  var readBytes: Int
  /// Parameters and states of update rules that get new values.
  var changedBytes: Int
  /// What comes back.
  var writtenBytes: Int
  /// Numbers that training may change; those of update rules and statistics are not among them.
  var weights: Int

  /// All that outlives the step. Values between operations do not count: they might stay in caches.
  var bytes: Int { readBytes + changedBytes + writtenBytes }

  /// The work of a step of `job`.
  init(of job: Job) throws {
    let program = job.program()
    let changed = Set(program.updates.pairs.compactMap(\.parameter.parameter))
    let outputs = try Pipeline().apply(
      to: program.outputs + program.updates.pairs.map(\.value))
    let sizes = job.sizes
    func number(_ size: Size) -> Int { size.evaluated(sizes) ?? 0 }
    func bytes(_ type: TensorType) -> Int { number(type.count) * type.dtype.size }
    (multiplyAdds, fewestMultiplyAdds) = (0, 0)
    weights = job.parameters.filter { $0.tags.isSuperset(of: .trainable) }
      .reduce(0) { $0 + $1.shape.reduce(1, *) }
    readBytes = job.inputs.reduce(0) { $0 + bytes($1.type) }
    changedBytes = changed.reduce(0) { $0 + bytes(Tensor.parameter($1).type) }
    writtenBytes = outputs.prefix(program.outputs.count).reduce(0) { $0 + bytes($1.type) }
    for node in outputs.topologicalNodes() {
      if let operation = node.operation as? any CountsWork {
        let count = number(operation.multiplyAdds(of: node.operands.map(\.type)))
        multiplyAdds += count
        let (products, direct) = node.winogradProducts
        fewestMultiplyAdds += count * products / direct
      }
      if let leaf = node.operation as? ParameterLeaf, !changed.contains(leaf.parameter) {
        readBytes += bytes(node.types[0])
      }
    }
  }
}

extension Node {
  /// The products of a tile by Winograd's algorithm for a convolution of this kind, or an adjoint, and
  /// directly; equal where there is none.
  fileprivate var winogradProducts: (Int, direct: Int) {
    guard let convolution, convolution.geometry.dilation == [1, 1] else { return (1, 1) }
    let (kernel, geometry) = (convolution.kernelSize, convolution.geometry)
    if kernel == [3, 3], geometry.stride == [1, 1] { return (36, 144) }
    if kernel == [4, 4], geometry.stride == [2, 2] { return (25, 64) }
    return (1, 1)
  }
}

extension Job {
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
