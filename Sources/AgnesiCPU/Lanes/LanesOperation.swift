import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// An operation on tensors that have *lanes of samples*: `[blocks, channels, height, width, lanes]`.
///
/// Only ``LanesArrangement`` makes them, after everything else was rewritten, so they have no
/// gradients and stand in no file. What a lane beyond the last sample holds is that of some sample,
/// or zero; nothing plain is ever made from it.
protocol LanesOperation: WrittenOperation {
  /// The operation in C, on operands and results in memory.
  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> LanesKernel

  /// The number of samples where the kernel asks for it.
  func samples(_ operands: [TensorType]) -> Size

  /// Whether its operations are multiplications with an addition.
  var isProduct: Bool { get }

  /// An estimate of operations, altogether.
  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Size
}

extension LanesOperation {
  func samples(_ operands: [TensorType]) -> Size { 0 }

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
    let inLanes = (operands + results).first { $0.rank == 5 && $0.shape[4] == Size(target.lanes) }
    let blocks = inLanes?.shape[0] ?? 0
    let cost = cost(operands, results)
    return KernelText(
      name: kernel.name, text: kernel.text, prelude: LanesC.prelude(target),
      extent: Size(kernel.extent) * (kernel.isPerBlock ? blocks : 1),
      sizes: [blocks, samples(operands)], cost: cost, multiplyAdds: isProduct ? cost : 0,
      producer: "lanes of samples")
  }
}

extension TensorType {
  /// Channels, height and width of a type with lanes; zeros where they are no numbers.
  var plane: [Int] { shape.dropFirst().prefix(3).map { $0.known ?? 0 } }

  /// A tensor with lanes, of numbers of `dtype`.
  static func lanes(
    _ dtype: DType = .float32, blocks: Size, _ plane: [Int], _ lanes: Size
  ) -> TensorType {
    TensorType(dtype, [blocks] + plane.map { Size($0) } + [lanes])
  }

  /// Throws where this is no tensor with lanes.
  func requireLanes(_ dtype: DType = .float32) throws(TypeError) {
    guard rank == 5, self.dtype == dtype, shape.dropFirst().allSatisfy({ $0.known != nil }) else {
      throw TypeError("needs \(dtype)[blocks, channels, height, width, lanes], got \(self)")
    }
  }
}

extension NDArray {
  /// `[blocks, channels, height, width, lanes]` as `[blocks · lanes, channels, height, width]`.
  var withoutLanes: NDArray {
    transposed([0, 4, 1, 2, 3]).reshaped([shape[0] * shape[4]] + shape[1..<4])
  }

  /// The opposite.
  func withLanes(_ lanes: Int) -> NDArray {
    reshaped([shape[0] / lanes, lanes] + shape.dropFirst()).transposed([0, 2, 3, 4, 1])
      .contiguous()
  }
}

/// Samples that follow one another → lanes of samples. What lanes beyond the last sample hold are
/// copies of it, so that no formula is ever computed from values that no sample has.
struct LanesPack: LanesOperation {
  static let name = "lanesPack"
  let lanes: Int

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let plain = operands[0]
    let numbers = plain.shape.dropFirst().compactMap(\.known)
    guard plain.rank == 4, plain.dtype == .float32, numbers.count == 3 else {
      throw TypeError("needs float32[samples, channels, height, width], got \(plain)")
    }
    let blocks = (plain.shape[0] + Size(lanes - 1)) / Size(lanes)
    return [.lanes(blocks: blocks, numbers, Size(lanes))]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let count = operands[0].shape[0]
    let all = (count + lanes - 1) / lanes * lanes
    return [operands[0].gathered((0..<all).map { min($0, count - 1) }).withLanes(lanes)]
  }

  func samples(_ operands: [TensorType]) -> Size { operands[0].shape[0] }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> LanesKernel {
    LanesTransfer.pack(
      name: Self.placeholder, elements: results[0].plane.product, target: target)
  }
}

/// Lanes of samples → samples that follow one another.
struct LanesUnpack: LanesOperation {
  static let name = "lanesUnpack"
  /// How many there are.
  let samples: Size

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try operands[0].requireLanes()
    let blocks = (samples + operands[0].shape[4] - 1) / operands[0].shape[4]
    guard blocks.mayEqual(operands[0].shape[0]) else {
      throw TypeError("\(samples) samples in \(operands[0].shape[0]) blocks")
    }
    return [TensorType(.float32, [samples] + operands[0].plane.map { Size($0) })]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    [operands[0].withoutLanes[rows: 0..<(samples.known ?? 0)].contiguous()]
  }

  func samples(_ operands: [TensorType]) -> Size { samples }

  func kernel(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> LanesKernel {
    LanesTransfer.unpack(
      name: Self.placeholder, elements: operands[0].plane.product, target: target)
  }

  func substituting(_ sizes: [String: Size]) -> LanesUnpack {
    LanesUnpack(samples: samples.substituting(sizes))
  }
}
