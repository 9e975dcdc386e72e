import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// A convolution of images as they are, with what follows it: a bias, the rectifier, maxima of
/// disjoint windows.
///
/// Operands: source (already padded), kernels `[filters, channels, height, width]`, bias `[filters]`
/// (if any). Made by ``PixelsLayout``, written by ``PixelsKernel``.
struct PixelsConvolution: WrittenOperation {
  static let name = "pixelsConvolution"
  /// Without padding and groups, and with neighbours along a row (a stride of 1).
  let geometry: ConvolutionGeometry
  /// Without argmax.
  let epilogue: ConvolutionEpilogue

  var arity: ClosedRange<Int> { 2...3 }
  var roles: [String] { ["source", "kernels", "bias"] }

  /// The same in the batch-innermost layout, where each sample is a block of one lane.
  private var batchInnermost: BatchInnermostConvolution {
    BatchInnermostConvolution(geometry: geometry, epilogue: epilogue)
  }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard geometry.axisCount == 2, geometry.stride[1] == 1, !geometry.hasPadding else {
      throw TypeError("takes rows of neighbours without padding")
    }
    var operands = operands
    operands[0].shape.append(1)
    var results = try batchInnermost.types(of: operands)
    results[0].shape.removeLast()
    return results
  }

  func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray] {
    var (operands, types) = (operands, types)
    operands[0] = operands[0].batchInnermost(1)
    types[0].shape.append(1)
    return try batchInnermost.reference(operands, types: types).map { $0.batchOutermost }
  }

  func kernelText(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> KernelText {
    let shape = BatchInnermostShape(
      geometry, source: operands[0].plane, kernels: operands[1].shape.map { $0.known ?? 0 })
    let name = "agnesi_pixels_kernel"
    let kernel = PixelsKernel(name: name, shape: shape, epilogue: epilogue, target: target)
    let products = operands[1].shape.dropFirst().reduce(results[0].count) { $0 * $1 }
    let window = (epilogue.pool ?? []).product
    let work = products * Size(window)
    return KernelText(
      name: name, text: kernel.text, prelude: LanesC.prelude(target),
      extent: operands[0].shape[0] * Size(kernel.extent), sizes: [],
      cost: work, multiplyAdds: work, producer: "pixels in vectors")
  }
}

extension ConvolutionGeometry {
  /// Whether it reaches beyond the image.
  var hasPadding: Bool { (padBegin + padEnd).contains { $0 != 0 } }

  /// The same on images that are padded already.
  var onPadded: ConvolutionGeometry {
    var result = self
    result.padBegin = padBegin.map { _ in 0 }
    result.padEnd = padEnd.map { _ in 0 }
    return result
  }
}
