import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// The gradient of the image with lanes.
///
/// Operands: gradients of the result and kernels; behind pooling the gradients of what is pooled,
/// argmax and kernels.
struct BatchInnermostBackwardData: BatchInnermostOperation {
  static let name = "batchInnermostBackwardData"
  let geometry: ConvolutionGeometry
  /// Height and width of the source.
  let size: [Int]
  /// Windows behind the convolution, which are taken back on the way.
  var pool: [Int]?

  var arity: ClosedRange<Int> { 2...3 }
  var roles: [String] {
    pool == nil ? ["gradients", "kernels"] : ["gradients", "argmax", "kernels"]
  }

  private var plain: any Operation {
    ConvolutionKind.backwardData.operation(geometry, size: size.map { Size($0) })
  }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let kernels = operands[operands.count - 1]
    var gradients = operands[0]
    if let unpool = try unpool(operands) {
      gradients = try unpool.types(of: Array(operands[0..<2]))[0]
    }
    try gradients.requireBatchInnermost()
    let result = try plain.types(
      of: [TensorType(.float32, Array(gradients.shape.prefix(4))), kernels])[0]
    return [.batchInnermost(blocks: gradients.shape[0], result.plane, gradients.shape[4])]
  }

  /// What stands before this where there is pooling. All lanes count here.
  private func unpool(_ operands: [TensorType]) throws(TypeError) -> BatchInnermostUnpool? {
    guard let pool else { return nil }
    let kernels = operands[2].shape
    let source =
      [operands[0].shape[0], kernels.count == 4 ? kernels[1] : 0] + size.map { Size($0) }
    let result = try ConvolutionKind.forward.operation(geometry).types(
      of: [TensorType(.float32, source), operands[2]])[0]
    let lanes = operands[0].rank == 5 ? operands[0].shape[4] : 1
    return BatchInnermostUnpool(
      pool: pool, size: Array(result.plane.dropFirst()), samples: operands[0].shape[0] * lanes)
  }

  func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray] {
    let lanes = operands[0].shape[4]
    let known = operands.map { TensorType($0.dtype, $0.shape.map { Size($0) }) }
    var gradients = operands[0]
    if let unpool = try unpool(known) {
      let before = try unpool.types(of: Array(known[0..<2]))
      gradients = try unpool.reference(Array(operands[0..<2]), types: before)[0]
    }
    let shape = [Size(gradients.shape[0] * lanes)] + types[0].shape.dropFirst().prefix(3)
    let result = try plain.reference(
      [gradients.batchOutermost, operands[operands.count - 1]],
      types: [TensorType(.float32, shape)])[0]
    return [result.batchInnermost(lanes)]
  }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> BatchInnermostKernel {
    let kernels = operands[operands.count - 1].shape.map { $0.known ?? 0 }
    let shape = BatchInnermostShape(geometry, source: results[0].plane, kernels: kernels)
    guard let pool else { return shape.backwardData(name: Self.placeholder, target: target) }
    return shape.backwardData(name: Self.placeholder, behind: pool, target: target)
  }

  var isProduct: Bool { true }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Size {
    operands[operands.count - 1].shape.dropFirst().reduce(operands[0].count) { $0 * $1 }
  }
}

/// The gradient of the kernels with lanes, and the gradients of the bias if wanted.
///
/// Operands: source and gradients of the result, which are zero beyond the last sample; behind
/// pooling source, gradients of what is pooled, which may be anything there, and argmax.
struct BatchInnermostBackwardWeights: BatchInnermostOperation {
  static let name = "batchInnermostBackwardWeights"
  let geometry: ConvolutionGeometry
  /// Height and width of the kernels.
  let size: [Int]
  let bias: Bool
  /// Windows behind the convolution, which are taken back on the way.
  var pool: [Int]?
  /// How many there are; asked for where there is pooling.
  var samples: Size = 0

  var arity: ClosedRange<Int> { 2...3 }
  var roles: [String] { ["source", "gradients", "argmax"] }
  var resultCount: Int { bias ? 2 : 1 }

  private var plain: any Operation {
    ConvolutionKind.backwardWeights.operation(geometry, size: size.map { Size($0) })
  }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try operands[0].requireBatchInnermost()
    var gradients = operands[1]
    if let unpool = try unpool(operands) {
      gradients = try unpool.types(of: Array(operands[1...]))[0]
    }
    try gradients.requireBatchInnermost()
    guard operands[0].shape[4] == gradients.shape[4] else {
      throw TypeError("lanes differ, \(operands[0].shape[4]) ≠ \(gradients.shape[4])")
    }
    let kernels = try plain.types(
      of: [operands[0], gradients].map { TensorType(.float32, Array($0.shape.prefix(4))) })
    return kernels + (bias ? [TensorType(.float32, [gradients.shape[1]])] : [])
  }

  /// What stands before this where there is pooling.
  private func unpool(_ operands: [TensorType]) throws(TypeError) -> BatchInnermostUnpool? {
    guard let pool else { return nil }
    let result = try geometry.outputShape(
      input: operands[0].plane.dropFirst().map { Size($0) }, kernel: size.map { Size($0) })
    return BatchInnermostUnpool(pool: pool, size: result.map { $0.known ?? 0 }, samples: samples)
  }

  func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray] {
    let known = operands.map { TensorType($0.dtype, $0.shape.map { Size($0) }) }
    var gradients = operands[1]
    if let unpool = try unpool(known) {
      let before = try unpool.types(of: Array(known[1...]))
      gradients = try unpool.reference(Array(operands[1...]), types: before)[0]
    }
    gradients = gradients.batchOutermost
    let kernels = try plain.reference([operands[0].batchOutermost, gradients], types: [types[0]])
    guard bias else { return kernels }
    var sums = [Double](repeating: 0, count: gradients.shape[1])
    let area = gradients.shape[2] * gradients.shape[3]
    for (place, gradient) in gradients.doubles.enumerated() {
      sums[place / area % sums.count] += gradient
    }
    return kernels + [NDArray(rounding: sums, shape: [sums.count], .float32)]
  }

  func samples(_ operands: [TensorType]) -> Size { samples }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> BatchInnermostKernel {
    let kernels = results[0].shape.map { $0.known ?? 0 }
    let shape = BatchInnermostShape(geometry, source: operands[0].plane, kernels: kernels)
    guard let pool else {
      return shape.backwardWeights(name: Self.placeholder, bias: bias, target: target)
    }
    return shape.backwardWeights(name: Self.placeholder, bias: bias, behind: pool, target: target)
  }

  var isProduct: Bool { true }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Size {
    let kernel = [operands[0].shape[1]] + size.map { Size($0) }
    return kernel.reduce(operands[1].count) { $0 * $1 }
  }

  func substituting(_ sizes: [String: Size]) -> BatchInnermostBackwardWeights {
    BatchInnermostBackwardWeights(
      geometry: geometry, size: size, bias: bias, pool: pool,
      samples: samples.substituting(sizes))
  }
}
