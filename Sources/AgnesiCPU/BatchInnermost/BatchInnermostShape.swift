import CAgnesi

/// A two-dimensional convolution whose arrays are *batch-innermost*: samples in the lanes of
/// vectors.
///
/// An array is `[blocks, channels, height, width, lanes]`: sample n is in lane n % lanes of block
/// n / lanes. Every operation is then a plain loop nest over channels and pixels in which each scalar
/// is a vector of samples, so that no channel is padded, and pooling and ReLU join the convolution
/// while its results are in registers. It pays where channels are few and samples many.
///
/// The kernels that the generators return take the number of blocks from `sizes[0]`; all other sizes
/// are constants of the text. Lanes beyond the last sample must hold zeros in gradients from which those
/// of weights are made, and elsewhere what a sample may hold. Groups are not supported.
package struct BatchInnermostShape: Hashable, Sendable {
  package var channels: Int
  package var filters: Int
  /// Height and width.
  package var size: [Int]
  package var kernel: [Int]
  package var stride: [Int]
  package var padBegin: [Int]
  package var padEnd: [Int]
  /// 1 is an ordinary kernel.
  package var dilation: [Int]

  package init(
    channels: Int, filters: Int, size: [Int], kernel: [Int], stride: [Int] = [1, 1],
    padBegin: [Int] = [0, 0], padEnd: [Int] = [0, 0], dilation: [Int] = [1, 1]
  ) {
    self.channels = channels
    self.filters = filters
    self.size = size
    self.kernel = kernel
    self.stride = stride
    self.padBegin = padBegin
    self.padEnd = padEnd
    self.dilation = dilation
  }

  /// Height and width of the convolution's result.
  package var output: [Int] {
    (0..<2).map { axis in
      let reach = (kernel[axis] - 1) * dilation[axis] + 1
      let room = size[axis] + padBegin[axis] + padEnd[axis] - reach
      return room < 0 ? 0 : room / stride[axis] + 1
    }
  }
}

/// What a processor's vectors are like.
package struct LanesTarget: Hashable, Sendable {
  /// float32 numbers in a vector.
  package var lanes: Int
  /// Vectors that a tile may keep in registers.
  package var accumulators: Int

  package init(lanes: Int, accumulators: Int) {
    self.lanes = lanes
    self.accumulators = accumulators
  }

  /// The processor that runs this.
  package static var host: LanesTarget {
    switch agnesi_vector_lanes() {
    case 16: .avx512
    case 8: .avx2
    default: .neon
    }
  }

  package static let avx512 = LanesTarget(lanes: 16, accumulators: 25)
  package static let avx2 = LanesTarget(lanes: 8, accumulators: 12)
  package static let neon = LanesTarget(lanes: 4, accumulators: 25)
}

/// A rendered kernel, an `agnesi_kernel`.
package struct BatchInnermostKernel: Sendable {
  /// The function's name.
  package var name: String
  /// C text, to be preceded by ``LanesC/prelude(_:)``.
  package var text: String
  /// The extent of the outermost loop is `extent` times the number of blocks, or `extent` alone.
  package var extent: Int
  package var isPerBlock: Bool
}

/// How a tap of the kernel connects a coordinate of the result with one of the operand.
enum BatchInnermostAxis {
  /// Forward: operand = result · stride + tap · dilation − padding.
  case forward(stride: Int, dilation: Int, padding: Int, operand: Int)
  /// To data: the same, solved for the operand.
  case adjoint(stride: Int, dilation: Int, padding: Int, operand: Int)

  /// The operand's coordinate, or nil where the tap falls outside or between.
  func operand(_ result: Int, _ tap: Int) -> Int? {
    switch self {
    case .forward(let stride, let dilation, let padding, let operand):
      let place = result * stride + tap * dilation - padding
      return place >= 0 && place < operand ? place : nil
    case .adjoint(let stride, let dilation, let padding, let operand):
      let place = result + padding - tap * dilation
      guard place >= 0, place % stride == 0, place / stride < operand else { return nil }
      return place / stride
    }
  }

  /// The operand's coordinate that moves along with the result's, for results that are multiples of
  /// ``step``.
  func base(_ result: Int) -> Int {
    switch self {
    case .forward(let stride, _, _, _): result * stride
    case .adjoint(let stride, _, _, _): result / stride
    }
  }

  func baseText(_ result: String) -> String {
    switch self {
    case .forward(let stride, _, _, _): stride == 1 ? result : "\(result) * \(stride)"
    case .adjoint(let stride, _, _, _): stride == 1 ? result : "\(result) / \(stride)"
    }
  }

  /// Tiles must be as long as a multiple of this for ``base(_:)`` to move evenly.
  var step: Int {
    switch self {
    case .forward: 1
    case .adjoint(let stride, _, _, _): stride
    }
  }
}

extension BatchInnermostShape {
  func axis(_ axis: Int) -> BatchInnermostAxis {
    .forward(
      stride: stride[axis], dilation: dilation[axis], padding: padBegin[axis], operand: size[axis])
  }

  func adjointAxis(_ axis: Int) -> BatchInnermostAxis {
    .adjoint(
      stride: stride[axis], dilation: dilation[axis], padding: padBegin[axis],
      operand: output[axis])
  }
}
