import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi

/// The operations that the CPU hands to oneDNN and OpenBLAS, and those that it writes in C itself.
/// Everything else is rendered loops.
struct CPULibrary: LibraryTable {
  var expectedSizes: [String: Int] = [:]

  /// With 16 registers of 8 lanes, ten of them hold sums: with twelve, compilers run out of registers
  /// for what is multiplied and move sums through memory.
  var tile: TileShape {
    agnesi_vector_lanes() >= 16 ? .wide : TileShape(rows: 5, columns: 16)
  }

  func takes(_ node: Node) -> Bool {
    if node.operation is any WrittenOperation { return true }
    guard let kind = LibraryKernel.kind(of: node) else { return false }
    if case .matmul = kind { return !isQuickInTiles(node) }
    return true
  }

  /// Elements of a right factor that the second-level cache holds, one thread's part of it. Few rows
  /// read each element once or a few times, so that storing them in panels does not pay, and from
  /// this cache on the library's order of reading is better.
  private static let fewRowsLimit = 1 << 18
  private static let fewRows = 8

  /// Whether tiles multiply these matrices at least as fast as the library: for all but few rows they
  /// do (measured up to 4096 × 4096), and what comes after the product is done on the way.
  private func isQuickInTiles(_ node: Node) -> Bool {
    let (a, b) = (node.operands[0], node.operands[1])
    guard a.dtype == .float32 else { return false }
    let (m, k) = (expected(a.shape[a.rank - 2]), expected(a.shape[a.rank - 1]))
    let n = expected(b.shape[b.rank - 1])
    // One column is not a tile but one sum after the other.
    if n == 1 { return m * k <= Self.fewRowsLimit }
    return m >= Self.fewRows || n * k <= Self.fewRowsLimit
  }

  func kernel(for node: Node) -> KernelText? {
    (node.operation as? any WrittenOperation)?.kernelText(
      node.operands.map(\.type), node.types, target: .host)
  }

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
    var kind: ConvolutionKind
    var geometry: ConvolutionGeometry
    var hasBias = false
    /// The blocks that images lie in, for the image and for the convolution's result.
    var blocks: (image: ChannelBlocks?, output: ChannelBlocks?) = (nil, nil)
  }

  static func kind(of node: Node) -> LibraryKernel? {
    guard let dtype = node.types.first?.dtype else { return nil }
    let isDouble = dtype == .float64
    guard dtype == .float32 || isDouble else { return nil }
    if let convolution = node.convolution, !isDouble {
      return .convolution(.init(kind: convolution.kind, geometry: convolution.geometry))
    }
    switch node.operation {
    case is MatMul: return .matmul
    case let it as ChannelBlockedConvolution: return .convolution(it.call)
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

extension ConvolutionKind {
  /// What the library calls it.
  var call: agnesi_convolution_kind {
    switch self {
    case .forward: agnesi_convolution_forward
    case .backwardData: agnesi_convolution_backward_data
    case .backwardWeights: agnesi_convolution_backward_weights
    }
  }
}
