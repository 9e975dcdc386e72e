import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// An operation on *batch-innermost* tensors: `[blocks, channels, height, width, lanes]`.
///
/// Only ``BatchInnermostLayout`` makes them, after everything else was rewritten, so they have no
/// gradients and stand in no file. What a lane beyond the last sample holds is that of some sample,
/// or zero; nothing plain is ever made from it.
protocol BatchInnermostOperation: WrittenOperation {
  /// The operation in C, on operands and results in memory.
  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> BatchInnermostKernel

  /// The number of samples where the kernel asks for it.
  func samples(_ operands: [TensorType]) -> Size

  /// The number of blocks of samples.
  func blocks(_ operands: [TensorType], _ results: [TensorType], lanes: Int) -> Size

  /// Whether its operations are multiplications with an addition.
  var isProduct: Bool { get }

  /// An estimate of operations, altogether.
  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Size
}

extension BatchInnermostOperation {
  func samples(_ operands: [TensorType]) -> Size { 0 }

  func blocks(_ operands: [TensorType], _ results: [TensorType], lanes: Int) -> Size {
    let batchInnermost = (operands + results).first { $0.rank == 5 && $0.shape[4] == Size(lanes) }
    return batchInnermost?.shape[0] ?? 0
  }

  var isProduct: Bool { false }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Size {
    results.reduce(operands[0].count) { $0 + $1.count }
  }

  /// What the function is called before equal ones become one.
  static var placeholder: String { "agnesi_lanes_kernel" }

  func kernelText(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> KernelText {
    let kernel = kernel(operands, results, target: target)
    let blocks = blocks(operands, results, lanes: target.lanes)
    let cost = cost(operands, results)
    return KernelText(
      name: kernel.name, text: kernel.text, prelude: LanesC.prelude(target),
      extent: Size(kernel.extent) * (kernel.isPerBlock ? blocks : 1),
      sizes: [blocks, samples(operands)], cost: cost, multiplyAdds: isProduct ? cost : 0,
      producer: "batch-innermost")
  }
}

extension TensorType {
  /// Channels, height and width of a batch-innermost type; zeros where they are no numbers.
  var plane: [Int] { shape.dropFirst().prefix(3).map { $0.known ?? 0 } }

  /// The elements of a sample, of a type with lanes.
  fileprivate var elementsOfSample: Int {
    shape.dropFirst().dropLast().map { $0.known ?? 0 }.product
  }

  /// A batch-innermost tensor, of numbers of `dtype`.
  static func batchInnermost(
    _ dtype: DType = .float32, blocks: Size, _ plane: [Int], _ lanes: Size
  ) -> TensorType {
    TensorType(dtype, [blocks] + plane.map { Size($0) } + [lanes])
  }

  /// Throws where this is no batch-innermost tensor.
  func requireBatchInnermost(_ dtype: DType = .float32) throws(TypeError) {
    guard rank == 5, self.dtype == dtype, shape.dropFirst().allSatisfy({ $0.known != nil }) else {
      throw TypeError("needs \(dtype)[blocks, channels, height, width, lanes], got \(self)")
    }
  }
}

extension NDArray {
  /// `[blocks, …, lanes]` as `[blocks · lanes, …]`.
  var batchOutermost: NDArray {
    let last = rank - 1
    return transposed([0, last] + Array(1..<last)).reshaped(
      [shape[0] * shape[last]] + shape[1..<last])
  }

  /// The opposite.
  func batchInnermost(_ lanes: Int) -> NDArray {
    reshaped([shape[0] / lanes, lanes] + shape.dropFirst())
      .transposed([0] + Array(2...rank) + [1]).contiguous()
  }
}

/// Samples that follow one another → batch-innermost. What lanes beyond the last sample hold are
/// copies of it, so that no formula is ever computed from values that no sample has.
struct BatchInnermostPack: BatchInnermostOperation {
  static let name = "batchInnermostPack"
  let lanes: Int

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let plain = operands[0]
    guard plain.rank >= 2, plain.dtype.size == 4,
      plain.shape.dropFirst().allSatisfy({ $0.known != nil })
    else { throw TypeError("needs [samples, …] of four bytes each, got \(plain)") }
    let layout = Layout.blocked(axis: 0, by: lanes, rank: plain.rank)
    return [TensorType(plain.dtype, layout.shape(of: plain.shape))]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let count = operands[0].shape[0]
    let all = (count + lanes - 1) / lanes * lanes
    return [operands[0].gathered((0..<all).map { min($0, count - 1) }).batchInnermost(lanes)]
  }

  func samples(_ operands: [TensorType]) -> Size { operands[0].shape[0] }
  func blocks(_ operands: [TensorType], _ results: [TensorType], lanes: Int) -> Size {
    results[0].shape[0]
  }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> BatchInnermostKernel {
    BatchInnermostTransfer.pack(
      name: Self.placeholder, elements: results[0].elementsOfSample, target: target)
  }
}

/// Batch-innermost → samples that follow one another.
struct BatchInnermostUnpack: BatchInnermostOperation {
  static let name = "batchInnermostUnpack"
  /// How many there are.
  let samples: Size

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let laidOut = operands[0]
    guard laidOut.rank >= 3, laidOut.dtype.size == 4, let lanes = laidOut.shape.last,
      laidOut.shape.dropFirst().allSatisfy({ $0.known != nil })
    else { throw TypeError("needs [blocks, …, lanes] of four bytes each, got \(laidOut)") }
    let blocks = (samples + lanes - 1) / lanes
    guard blocks.mayEqual(laidOut.shape[0]) else {
      throw TypeError("\(samples) samples in \(laidOut.shape[0]) blocks")
    }
    return [TensorType(laidOut.dtype, [samples] + laidOut.shape.dropFirst().dropLast())]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    [operands[0].batchOutermost[rows: 0..<(samples.known ?? 0)].contiguous()]
  }

  func samples(_ operands: [TensorType]) -> Size { samples }
  func blocks(_ operands: [TensorType], _ results: [TensorType], lanes: Int) -> Size {
    operands[0].shape[0]
  }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> BatchInnermostKernel {
    BatchInnermostTransfer.unpack(
      name: Self.placeholder, elements: operands[0].elementsOfSample, target: target)
  }

  func substituting(_ sizes: [String: Size]) -> BatchInnermostUnpack {
    BatchInnermostUnpack(samples: samples.substituting(sizes))
  }
}
