import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// A matrix in panels: groups of `width` columns, in each of them row after row.
///
/// A tile as wide as a panel walks straight through it, whatever the matrix is like: neither do the
/// rows of a panel fall on one another's place in a cache, as rows do that lie a power of two apart,
/// nor is each on a page of its own. The last panel is filled up with zeros.
///
/// Source: Goto and van de Geijn, *Anatomy of high-performance matrix multiplication*, 2008.
struct Panels {
  /// `[…, panels, length, width]`; leading axes along which all matrices are one have size 1.
  let shape: Shape
  private let width: Scalar
  /// Whether panels are groups of rows, in each of them column after column.
  private let areRows: Bool
  /// Columns that there are, or rows.
  private let extent: Size

  /// - Parameter isShared: of each leading axis, whether the matrices along it are one.
  init(of matrix: Shape, width: Int, areRows: Bool, isShared: [Bool]) {
    var sides = Array(matrix.suffix(2))
    if areRows { sides.reverse() }
    self.areRows = areRows
    self.width = .index(Size(width))
    extent = sides[1]
    let leading = zip(matrix, isShared).map { $1 ? Size(1) : $0 }
    shape = leading + [(extent + Size(width - 1)) / Size(width), sides[0], Size(width)]
  }

  /// What is stored at an index of `shape`.
  func element(at index: [Scalar], of read: Reader) -> Scalar {
    let last = index.count - 1
    let place = index[last - 2] * width + index[last]
    let pair = areRows ? [place, index[last - 1]] : [index[last - 1], place]
    let value = read(Array(index.dropLast(3)) + pair)
    let isFull = extent.known.map { Size($0) % shape[last] == 0 } ?? false
    return isFull ? value : .select(place .< .index(extent), value, .constant(0, value.dtype))
  }

  /// Reads the matrices' elements in `buffer`.
  func reader(_ buffer: Buffer, _ dtype: DType) -> Reader {
    let strides = shape.rowMajorStrides.map { Scalar.index($0) }
    return { index in
      let last = index.count - 1
      let (place, along) = areRows ? (index[last - 1], index[last]) : (index[last], index[last - 1])
      let panel = Scalar.binary(.floorDivide, place, width)
      let leading = (0..<(last - 1)).filter { !shape[$0].isOne }
        .reduce(Scalar.index(0)) { $0 + index[$1] * strides[$1] }
      let inside = along * width + (place - panel * width)
      return .load(buffer, leading + panel * strides[last - 1] + inside, dtype)
    }
  }
}

/// How the factors of a product of matrices lie in memory, and which are worth storing again.
struct ProductFactors {
  let left: Panels
  let right: Panels
  let storesLeft: Bool
  let storesRight: Bool
  private let row: String
  private let column: String
  private let width: Int

  /// A factor that tiles cannot read otherwise is stored again where each of its elements is read at
  /// least so often.
  private static let leastReads = 8
  /// And one that they read slowly: storing an element takes as long as 70 products that read it
  /// gain where all of them miss (measured on a Zen 3), and rarely do all.
  private static let leastSlowReads = 128

  /// Nil where `value` is no product of two matrices in vectors.
  init?(_ node: Node, _ value: Scalar, _ library: any LibraryTable) {
    let shape = node.results[0].shape
    guard case .binary(.multiply, let x, let y) = value.kind, node.operation is MatMul,
      shape.count >= 2, value.dtype == .float32, !shape[shape.count - 1].isOne
    else { return nil }
    let (last, terms) = (shape.count - 1, "_r0")
    (row, column, width) = ("_i\(last - 1)", "_i\(last)", library.tile.columns)
    func isShared(_ factor: Scalar) -> [Bool] {
      (0..<(last - 1)).map { !factor.symbols.contains("_i\($0)") }
    }
    left = Panels(
      of: node.operands[0].shape, width: width, areRows: true, isShared: isShared(x))
    right = Panels(
      of: node.operands[1].shape, width: width, areRows: false, isShared: isShared(y))
    /// How often an element of a factor is read.
    func reads(_ factor: Scalar) -> Int {
      shape.indices.reduce(1) { product, axis in
        factor.symbols.contains("_i\(axis)")
          ? product : product.saturatingProduct(library.expected(shape[axis]))
      }
    }
    let length = library.expected(node.operands[1].shape[last - 1])
    /// Whether the lines that a tile reads of a factor push one another out of the cache.
    func isSlow(_ factor: Scalar) -> Bool {
      guard case .load(_, let index) = factor.kind,
        let stride = index.stride(along: terms).map(library.expected)
      else { return false }
      return stride > 1 && length > CacheSets.lines(apart: 4 * stride)
    }
    let isRead = TileProduct(value, row: row, column: column, width: width) != nil
    storesRight =
      isRead ? isSlow(y) && reads(y) >= Self.leastSlowReads : reads(y) >= Self.leastReads
    storesLeft = isSlow(x) && reads(x) >= Self.leastSlowReads
  }

  /// Whether tiles run through a product.
  func isTiled(_ value: Scalar) -> Bool {
    TileProduct(value, row: row, column: column, width: width) != nil
  }
}

/// A first-level cache as today's processors have it: 64 sets, chosen by the address, of eight lines or
/// more.
private enum CacheSets {
  private static let sets = 64
  private static let ways = 8
  private static let line = 64

  /// How many lines it holds that lie `bytes` apart.
  static func lines(apart bytes: Int) -> Int {
    var (a, b) = (sets * line, bytes)
    while b > 0 { (a, b) = (b, a % b) }
    // `a` is the greatest common divisor now: addresses repeat after as many steps.
    return ways * min(sets, sets * line / max(line, a))
  }
}
