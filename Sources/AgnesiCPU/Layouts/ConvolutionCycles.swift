import AgnesiExpressions
import AgnesiLoops

/// About how long a convolution takes in each layout, in cycles of one core.
///
/// Products of two vectors with an addition are counted: those of a layout, with channels and samples that
/// only fill up vectors, and by the tiles of kernels of our own. How many cycles one takes beside loads and
/// borders is measured (``Factors``). Nothing here depends on the process, so equal sizes run equal code.
struct ConvolutionCycles {
  private let kind: ConvolutionKind
  private let geometry: ConvolutionGeometry
  private let samples: Int
  private let channels: Int
  private let filters: Int
  /// Spatial sizes of the image, the result and the kernels.
  private let image: [Int]
  private let output: [Int]
  private let kernel: [Int]
  private let target: LanesTarget
  private let factors: Factors

  /// Nil where channels, filters or sizes of kernels have names.
  init?(_ convolution: ConvolutionDescription, sizes: [String: Int], target: LanesTarget) {
    func numbers(_ shape: Shape) -> [Int] {
      shape.map { $0.evaluated(sizes) ?? SizeRegime.unknown }
    }
    guard convolution.kernels.shape.allSatisfy({ $0.known != nil }) else { return nil }
    (kind, geometry) = (convolution.kind, convolution.geometry)
    let (image, output) = (numbers(convolution.image.shape), numbers(convolution.output.shape))
    (samples, channels, filters) = (image[0], image[1], output[1])
    self.image = Array(image.dropFirst(2))
    self.output = Array(output.dropFirst(2))
    kernel = numbers(convolution.kernelSize)
    self.target = target
    factors = target.lanes >= 16 ? .avx512 : .avx2
  }

  // MARK: Library

  /// Products of a channel with a filter, of all samples.
  private var pairs: Double { Double(samples * output.product * kernel.product) }

  /// So many channels with those that fill the last block.
  private func whole(_ count: Int) -> Int {
    (count + target.lanes - 1) / target.lanes * target.lanes
  }

  /// The products of the library's kernels, whose lanes are the channels of what they make. Weights are made
  /// by blocks of channels and of filters.
  private var libraryProducts: Double {
    let lanes = kind == .backwardData ? channels : filters
    let inner =
      switch kind {
      case .forward: channels
      case .backwardData: filters
      case .backwardWeights: geometry.groups == 1 ? whole(channels) : channels
      }
    let products = pairs * Double(inner / geometry.groups * whole(lanes)) / Double(target.lanes)
    // A tile of few vectors loads nearly as often as it multiplies.
    let vectors = Double(max(1, whole(lanes) / target.lanes))
    return products * (1 + Factors.loading / vectors)
  }

  /// What kernels of our own do while results are in registers, and the library leaves to passes over memory:
  /// activation and pooling, and on the way back their gradients, of which each adjoint has a half.
  private var epilogue: Double {
    Double(samples * filters * output.product) * Factors.pass * (kind == .forward ? 1 : 0.5)
  }

  /// The library brings images and results into blocks and out of them, for each call anew.
  var rowMajor: Double {
    let isWhole = channels % target.lanes == 0 && filters % target.lanes == 0
    let moved = Double(
      samples * (whole(channels) * image.product + whole(filters) * output.product))
    return Factors.call + moved * Factors.movedInside + epilogue
      + libraryProducts * (isWhole ? factors.blocked : factors.partlyBlocked)[kind]
  }

  func channelBlocked(_ convolution: ChannelBlockedConvolution) -> Double {
    let isWhole = convolution.blocksImage && convolution.blocksOutput
    return Factors.call + epilogue
      + libraryProducts * (isWhole ? factors.blocked : factors.partlyBlocked)[kind]
  }

  // MARK: Kernels of our own

  var batchInnermost: Double {
    let blocks = (samples + target.lanes - 1) / target.lanes
    // Channels of results and of operands, their planes, and what a tile's columns must be a multiple of.
    let (outputs, inputs, made, read, unit) =
      switch kind {
      case .forward, .backwardWeights: (filters, channels, output, image, 1)
      case .backwardData: (channels, filters, image, output, geometry.stride[1])
      }
    let tile = BatchInnermostTile.choose(
      outputs: outputs, columns: made[1], rows: 1, unit: unit, target: target)
    // With loads, and with what small tiles wait for.
    let product =
      tile.cycles(outputs: outputs, columns: made[1]) / Double(max(1, outputs * made[1]))
    let taps = kind == .backwardWeights ? output.product * kernel.product : meetings
    let products = Double(blocks * inputs * outputs * taps) * product
    let groups = (outputs + tile.outputs - 1) / tile.outputs
    let numbers = target.lanes * (inputs * read.product * groups + outputs * made.product)
    let isCached =
      target.lanes * (inputs * read.product + outputs * made.product) <= Factors.cache
    let waiting = isCached ? 0 : Double(blocks * numbers) * Factors.waiting
    return Factors.call + products * factors.batchInnermost[kind] + waiting
  }

  /// How often a tap of a kernel meets an element, not padding, in all results of a channel and a filter.
  private var meetings: Int {
    output.indices.map { axis in
      (0..<output[axis]).reduce(0) { count, place in
        let begin = place * geometry.stride[axis] - geometry.padBegin[axis]
        return count
          + (0..<kernel[axis]).count {
            (0..<image[axis]).contains(begin + $0 * geometry.dilation[axis])
          }
      }
    }.product
  }

  /// Nil for what the kernel does not do: strides along rows, and rows that are too long for its buffer.
  var rowVectors: Double? {
    let longest = 512
    guard geometry.axisCount == 2, geometry.groups == 1, geometry.stride[1] == 1,
      (1...longest).contains(output[1])
    else { return nil }
    // Always of eight.
    let vectors = Double(samples * output[0] * ((output[1] + 7) / 8))
    let products = vectors * Double(kernel.product * channels * filters)
    return Factors.call + products * factors.rowVectors
  }
}

/// Cycles that were measured, by `agnesi-bench layouts` and the profiles of the networks that it times.
private struct Factors {
  /// A number for each pass.
  struct Passes {
    var forward: Double
    var backwardData: Double
    var backwardWeights: Double

    subscript(kind: ConvolutionKind) -> Double {
      switch kind {
      case .forward: forward
      case .backwardData: backwardData
      case .backwardWeights: backwardWeights
      }
    }
  }

  /// The library, where both images fill their blocks.
  var blocked: Passes
  /// The library, where one does not, as in the first convolution of a network.
  var partlyBlocked: Passes
  var batchInnermost: Passes
  var rowVectors: Double

  /// Zen 4, where a vector of sixteen takes a cycle.
  static let avx512 = Factors(
    blocked: Passes(forward: 1.15, backwardData: 1.15, backwardWeights: 1.35),
    partlyBlocked: Passes(forward: 1.6, backwardData: 1.6, backwardWeights: 1.8),
    batchInnermost: Passes(forward: 1.2, backwardData: 1.2, backwardWeights: 1.4),
    rowVectors: 0.85)

  /// Zen 3, which does two of eight in a cycle.
  static let avx2 = Factors(
    blocked: Passes(forward: 0.65, backwardData: 0.62, backwardWeights: 0.85),
    partlyBlocked: Passes(forward: 0.9, backwardData: 1, backwardWeights: 1),
    batchInnermost: Passes(forward: 0.95, backwardData: 0.9, backwardWeights: 0.72),
    rowVectors: 1)

  /// A call of a kernel, with handing it to the threads.
  static let call = 4000.0
  /// Bringing an element from one layout to another, by steps of their own and by the library.
  static let moved = 2.5
  static let movedInside = 1.1
  /// An element in a pass of activation or pooling.
  static let pass = 1.5
  /// What the library's products take more where what they make is one vector of channels.
  static let loading = 0.5
  /// Float32 numbers that a core's own cache holds, and the cycles to wait for one that it does not.
  static let cache = 1 << 18
  static let waiting = 0.25
}

extension ConvolutionCycles {
  /// Bringing so many elements from one layout to another.
  static func reorder(_ elements: Double) -> Double {
    Factors.call + elements * Factors.moved
  }
}
