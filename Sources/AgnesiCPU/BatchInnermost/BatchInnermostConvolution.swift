import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// A convolution with what follows it: a bias, the rectifier, maxima of disjoint windows.
///
/// Operands: source, kernels `[filters, channels, height, width]`, bias `[filters]` (if any).
/// Results: values, and, if wanted, a byte for each that says which element of its window was the
/// first of the largest, or 255 where no gradient passes the rectifier.
struct BatchInnermostConvolution: BatchInnermostOperation {
  static let name = "batchInnermostConvolution"
  let geometry: ConvolutionGeometry
  let epilogue: ConvolutionEpilogue

  var arity: ClosedRange<Int> { 2...3 }
  var roles: [String] { ["source", "kernels", "bias"] }
  var resultCount: Int { epilogue.argmax ? 2 : 1 }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard operands.count == (epilogue.bias ? 3 : 2) else {
      throw TypeError("takes \(epilogue.bias ? 3 : 2) operands, got \(operands.count)")
    }
    let (source, kernels) = (operands[0], operands[1])
    try source.requireBatchInnermost()
    let result = try ConvolutionKind.forward.operation(geometry).types(
      of: [TensorType(.float32, Array(source.shape.prefix(4))), kernels])[0]
    if epilogue.bias, operands[2] != TensorType(.float32, [kernels.shape[0]]) {
      throw TypeError("a bias \(operands[2]) for \(kernels.shape[0]) filters")
    }
    var plane = result.plane
    if let pool = epilogue.pool {
      plane = [plane[0], plane[1] / pool[0], plane[2] / pool[1]]
    }
    let values = TensorType.batchInnermost(blocks: source.shape[0], plane, source.shape[4])
    return epilogue.argmax ? [values, TensorType(.uint8, values.shape)] : [values]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray] {
    let source = operands[0].batchOutermost
    let shape = [source.shape[0]] + (types[0].knownShape ?? []).dropFirst().dropLast()
    let forward = ConvolutionKind.forward.operation(geometry)
    let operandTypes = [source, operands[1]].map { TensorType($0.dtype, $0.shape.map { Size($0) }) }
    let plain = try forward.types(of: operandTypes)
    var values = try forward.reference([source, operands[1]], types: plain)[0]
    if epilogue.bias {
      let area = values.shape[2] * values.shape[3]
      let bias = operands[2].doubles
      let sums = values.doubles.enumerated().map { $1 + bias[$0 / area % bias.count] }
      values = NDArray(rounding: sums, shape: values.shape, .float32)
    }
    var argmax: [Double] = []
    if let pool = epilogue.pool {
      let geometry = PoolingGeometry(disjoint: pool)
      let pooled = try geometry.maximum.reference(
        [values],
        types: [.float32, .int32].map { TensorType($0, shape.map { Size($0) }) })
      (values, argmax) = (pooled[0], pooled[1].doubles)
    }
    if epilogue.relu {
      argmax = zip(argmax, values.doubles).map { $1 > 0 ? $0 : 255 }
      let rectified = values.doubles.map { $0 <= 0 ? 0 : $0 }
      values = NDArray(rounding: rectified, shape: values.shape, .float32)
    }
    let lanes = operands[0].shape[4]
    guard epilogue.argmax else { return [values.batchInnermost(lanes)] }
    return [
      values.batchInnermost(lanes),
      NDArray(rounding: argmax, shape: shape, .uint8).batchInnermost(lanes),
    ]
  }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> BatchInnermostKernel {
    let shape = BatchInnermostShape(
      geometry, source: operands[0].plane, kernels: operands[1].shape.map { $0.known ?? 0 })
    return shape.forward(name: Self.placeholder, epilogue: epilogue, target: target)
  }

  var isProduct: Bool { true }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Size {
    let area = (epilogue.pool ?? []).product
    let products = operands[1].shape.dropFirst().reduce(results[0].count) { $0 * $1 }
    return products * Size(area)
  }
}

/// What arrived behind disjoint windows → what arrives before them: gradients go where the maxima
/// were. Lanes beyond the last sample become zero.
struct BatchInnermostUnpool: BatchInnermostOperation {
  static let name = "batchInnermostUnpool"
  let pool: [Int]
  /// Height and width before pooling.
  let size: [Int]
  let samples: Size

  var roles: [String] { ["gradients", "argmax"] }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let gradients = operands[0]
    try gradients.requireBatchInnermost()
    guard operands[1] == TensorType(.uint8, gradients.shape) else {
      throw TypeError("argmax \(operands[1]) for gradients \(gradients)")
    }
    guard [size[0] / pool[0], size[1] / pool[1]] == Array(gradients.plane.dropFirst()) else {
      throw TypeError("gradients \(gradients) of windows \(pool) in \(size)")
    }
    return [
      .batchInnermost(blocks: gradients.shape[0], [gradients.plane[0]] + size, gradients.shape[4])
    ]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray] {
    let lanes = operands[0].shape[4]
    let (gradients, argmax) = (operands[0].batchOutermost, operands[1].batchOutermost)
    let shape = gradients.shape.prefix(2) + size
    let type = TensorType(.float32, shape.map { Size($0) })
    let positions = argmax.cast(to: .int32)
    let all = try PoolingGeometry(disjoint: pool).unpooling(to: size.map { Size($0) })
      .reference([gradients, positions], types: [type])[0]
    let used = (samples.known ?? 0) * shape.dropFirst().product
    let kept = all.doubles.enumerated().map { $0 < used ? $1 : 0 }
    return [NDArray(rounding: kept, shape: Array(shape), .float32).batchInnermost(lanes)]
  }

  func samples(_ operands: [TensorType]) -> Size { samples }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> BatchInnermostKernel {
    // Of the convolution only its result matters.
    let filters = operands[0].plane[0]
    let shape = BatchInnermostShape(channels: 1, filters: filters, size: size, kernel: [1, 1])
    return shape.unpool(name: Self.placeholder, pool: pool, target: target)
  }

  func substituting(_ sizes: [String: Size]) -> BatchInnermostUnpool {
    BatchInnermostUnpool(pool: pool, size: size, samples: samples.substituting(sizes))
  }
}

extension PoolingGeometry {
  /// Windows side by side.
  init(disjoint window: [Int]) {
    self.init(
      window: window, stride: window, padBegin: window.map { _ in 0 },
      padEnd: window.map { _ in 0 })
  }
}

extension BatchInnermostShape {
  /// - Parameters:
  ///   - source: channels, height and width.
  ///   - kernels: filters, channels, height and width.
  init(_ geometry: ConvolutionGeometry, source: [Int], kernels: [Int]) {
    self.init(
      channels: source[0], filters: kernels[0], size: Array(source.dropFirst()),
      kernel: Array(kernels.suffix(2)), stride: geometry.stride, padBegin: geometry.padBegin,
      padEnd: geometry.padEnd, dilation: geometry.dilation)
  }
}
