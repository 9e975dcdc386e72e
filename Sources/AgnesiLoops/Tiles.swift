import AgnesiArrays

extension Statement {
  /// Two loops, one inside of the other, whose iterations run in rectangles.
  ///
  /// The body runs once for each row and column. All iterations are independent: those of a
  /// rectangle run side by side, so that what a whole row or a whole column of it has in common is
  /// read once. Neighbouring columns touch neighbouring elements.
  ///
  /// A parallel statement counts rectangles, in the order in which they run: group of columns after
  /// group, in each of them row after row, so that what a group reads stays near.
  public struct Tiles: Hashable, Sendable {
    public var rows: Axis
    public var columns: Axis
    /// Rectangles of a row that follow one another before the next row does.
    public var group: Int
    public var isParallel: Bool
    public var body: [Statement]

    public struct Axis: Hashable, Sendable {
      /// The symbol that stands for the iteration, `0..<extent`, in formulas.
      public var variable: String
      public var extent: Size
      /// Iterations side by side, except at the end.
      public var step: Int

      public init(_ variable: String, _ extent: Size, by step: Int) {
        self.variable = variable
        self.extent = extent
        self.step = step
      }

      /// How often the steps reach into the extent.
      public var count: Size { (extent + Size(step - 1)) / Size(step) }
    }

    public init(
      rows: Axis, columns: Axis, group: Int = 1, isParallel: Bool = false, body: [Statement]
    ) {
      self.rows = rows
      self.columns = columns
      self.group = group
      self.isParallel = isParallel
      self.body = body
    }

    /// The number of rectangles.
    public var count: Size { columns.count * rows.count }

    /// How far apart neighbouring columns are where neighbouring rows touch at `index`; nil where
    /// rows do not, or columns do as well.
    package func columnStride(of index: Scalar) -> Size? {
      guard index.stride(along: rows.variable)?.isOne == true,
        let stride = index.stride(along: columns.variable), !stride.isZero, !stride.isOne
      else { return nil }
      return stride
    }
  }
}

/// A value of a rectangle that is a product of what its columns have in common and what its rows
/// have in common: what a matrix product adds up.
package struct TileProduct {
  /// The same for all columns.
  package let left: Scalar
  /// A load that is the same for all rows; neighbouring columns of a tile read neighbouring elements.
  package let right: Scalar

  /// Nil where `value` is no such product.
  ///
  /// - Parameter width: columns of a tile, which begins at a multiple of it.
  package init?(_ value: Scalar, row: String, column: String, width: Int) {
    guard case .binary(.multiply, let x, let y) = value.kind else { return nil }
    func isRight(_ scalar: Scalar) -> Bool {
      guard case .load(_, let index) = scalar.kind else { return false }
      return !index.symbols.contains(row)
        && index.stride(along: column, within: width)?.isOne == true
    }
    if isRight(y), !x.symbols.contains(column) {
      (left, right) = (x, y)
    } else if isRight(x), !y.symbols.contains(column) {
      (left, right) = (y, x)
    } else {
      return nil
    }
  }
}

extension Scalar {
  /// What an index grows by when `variable` does; nil where that is not the same everywhere.
  ///
  /// - Parameter width: how many values of the variable matter, from a multiple of this number on.
  package func stride(along variable: String, within width: Int = 1) -> Size? {
    guard symbols.contains(variable) else { return 0 }
    switch kind {
    case .index(let size):
      return (width == 1 ? size : size.within(width, of: variable)).coefficient(of: variable)
    case .binary(let function, let x, let y) where [.add, .subtract].contains(function):
      guard let a = x.stride(along: variable, within: width),
        let b = y.stride(along: variable, within: width)
      else { return nil }
      return function == .add ? a + b : a - b
    default: return nil
    }
  }
}
