import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi

/// The operations that the CPU hands to oneDNN and OpenBLAS. Everything else is rendered loops.
struct CPULibrary: LibraryTable {
  func takes(_ node: Node) -> Bool { LibraryKernel.kind(of: node) != nil }

  func accepts(_ view: StridedView, for node: Node, operand position: Int) -> Bool {
    switch LibraryKernel.kind(of: node) {
    case .matmul: MatrixLayout(view) != nil
    default: view.isContiguous
    }
  }
}

/// What a library call is, seen from its node.
enum LibraryKernel {
  case matmul
  case convolution(Convolution)

  /// One of the three passes of a convolution.
  struct Convolution {
    var kind: agnesi_convolution_kind
    var geometry: ConvolutionGeometry
    var hasBias = false
    /// The blocks that images lie in, for the image and for the convolution's result.
    var blocks: (image: ChannelBlocks?, output: ChannelBlocks?) = (nil, nil)
  }

  static func kind(of node: Node) -> LibraryKernel? {
    guard let dtype = node.types.first?.dtype else { return nil }
    let isDouble = dtype == .float64
    guard dtype == .float32 || isDouble else { return nil }
    switch node.operation {
    case is MatMul: return .matmul
    case let it as ConvolutionForward where !isDouble:
      return .convolution(.init(kind: agnesi_convolution_forward, geometry: it.geometry))
    case let it as ConvolutionToInput where !isDouble:
      return .convolution(.init(kind: agnesi_convolution_to_data, geometry: it.geometry))
    case let it as ConvolutionToKernels where !isDouble:
      return .convolution(.init(kind: agnesi_convolution_to_weights, geometry: it.geometry))
    case let it as BlockedConvolution: return .convolution(it.call)
    default: return nil
    }
  }
}

/// How a matrix (the last two axes of a view) lies in memory: row after row, or transposed.
struct MatrixLayout {
  var isTransposed: Bool
  /// Elements between rows as stored.
  var row: Size
  /// Elements between matrices; 0 where all are one.
  var batch: Size

  /// Nil where the memory is no matrix that BLAS reads.
  init?(_ view: StridedView) {
    let rank = view.shape.count
    guard rank >= 2 else { return nil }
    let (rows, columns) = (view.shape[rank - 2], view.shape[rank - 1])
    let (down, along) = (view.strides[rank - 2], view.strides[rank - 1])
    if along.isOne || columns.isOne {
      (isTransposed, row) = (false, rows.isOne ? columns : down)
    } else if down.isOne || rows.isOne {
      (isTransposed, row) = (true, columns.isOne ? rows : along)
    } else {
      return nil
    }
    if view.isContiguous {
      // Also where a size of 0 makes the strides say nothing.
      batch = rows * columns
      return
    }
    // A stride of 0 repeats a row, which BLAS cannot say.
    if row.isZero || (!isTransposed && down.isZero && !rows.isOne) { return nil }
    if isTransposed && along.isZero && !columns.isOne { return nil }
    guard let step = MatrixLayout.batchStep(view) else { return nil }
    batch = step
  }

  /// One step for all leading axes; nil where they do not follow one another evenly.
  private static func batchStep(_ view: StridedView) -> Size? {
    let leading = view.shape.dropLast(2)
    if leading.isEmpty { return 0 }
    if view.strides.dropLast(2).allSatisfy(\.isZero) { return 0 }
    let last = leading.count - 1
    for axis in 0..<last where view.strides[axis] != view.strides[axis + 1] * leading[axis + 1] {
      return nil
    }
    return view.strides[last]
  }
}
