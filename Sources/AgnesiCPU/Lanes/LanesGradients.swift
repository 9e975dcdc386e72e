import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// ``ConvolutionToInput`` with lanes. Operands: slopes of the result, kernels.
struct LanesToInput: LanesOperation {
  static let name = "lanesToInput"
  let geometry: ConvolutionGeometry
  /// Height and width of the source.
  let size: [Int]

  var roles: [String] { ["slopes", "kernels"] }

  private var plain: ConvolutionToInput {
    ConvolutionToInput(geometry: geometry, size: size.map { Size($0) })
  }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let slopes = operands[0]
    try slopes.requireLanes()
    let result = try plain.types(
      of: [TensorType(.float32, Array(slopes.shape.prefix(4))), operands[1]])[0]
    return [.lanes(blocks: slopes.shape[0], result.plane, slopes.shape[4])]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let slopes = operands[0].withoutLanes
    let shape = [Size(slopes.shape[0])] + types[0].shape.dropFirst().prefix(3)
    let result = plain.reference([slopes, operands[1]], types: [TensorType(.float32, shape)])[0]
    return [result.withLanes(operands[0].shape[4])]
  }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> LanesKernel {
    LanesShape(
      geometry, source: results[0].plane, kernels: operands[1].shape.map { $0.known ?? 0 }
    ).toData(name: Self.placeholder, target: target)
  }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Size {
    operands[1].shape.dropFirst().reduce(operands[0].count) { $0 * $1 }
  }
}

/// ``ConvolutionToKernels`` with lanes, and the slopes of the bias if wanted. Operands: source, slopes
/// of the result, which are zero beyond the last sample.
struct LanesToKernels: LanesOperation {
  static let name = "lanesToKernels"
  let geometry: ConvolutionGeometry
  /// Height and width of the kernels.
  let size: [Int]
  let bias: Bool

  var roles: [String] { ["source", "slopes"] }
  var resultCount: Int { bias ? 2 : 1 }

  private var plain: ConvolutionToKernels {
    ConvolutionToKernels(geometry: geometry, size: size.map { Size($0) })
  }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try operands[0].requireLanes()
    try operands[1].requireLanes()
    guard operands[0].shape[4] == operands[1].shape[4] else {
      throw TypeError("lanes differ, \(operands[0].shape[4]) ≠ \(operands[1].shape[4])")
    }
    let kernels = try plain.types(
      of: operands.map { TensorType(.float32, Array($0.shape.prefix(4))) })
    return kernels + (bias ? [TensorType(.float32, [operands[1].shape[1]])] : [])
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (source, slopes) = (operands[0].withoutLanes, operands[1].withoutLanes)
    let kernels = plain.reference([source, slopes], types: [types[0]])
    guard bias else { return kernels }
    var sums = [Double](repeating: 0, count: slopes.shape[1])
    let area = slopes.shape[2] * slopes.shape[3]
    for (place, slope) in slopes.doubles.enumerated() { sums[place / area % sums.count] += slope }
    return kernels + [NDArray(rounding: sums, shape: [sums.count], .float32)]
  }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> LanesKernel {
    LanesShape(
      geometry, source: operands[0].plane, kernels: results[0].shape.map { $0.known ?? 0 }
    ).toWeights(name: Self.placeholder, bias: bias, target: target)
  }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Size {
    let kernel = [operands[0].shape[1]] + size.map { Size($0) }
    return kernel.reduce(operands[1].count) { $0 * $1 }
  }
}
