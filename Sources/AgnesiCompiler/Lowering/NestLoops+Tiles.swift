import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// How many results of a matrix product a processor's registers hold while they are summed.
package struct TileShape: Sendable {
  package var rows: Int
  package var columns: Int
  /// Elements of a right factor that stay near while row after row reads them: half of a core's
  /// second-level cache, of which the smallest in use has 512 KiB.
  package var near = 1 << 16

  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// 16 vectors of 16 lanes, which leaves as many for what is multiplied.
  package static let wide = TileShape(rows: 8, columns: 32)
}

extension NestLoops {
  /// Lanes of a vector; a transposition in registers has as many rows.
  private static let lanes = 16

  /// Rectangles of sums of products; nil where the nest is something else.
  var productTiles: [Statement]? {
    guard nest.reductions.count == 1, nest.reductions[0].combiner == .sum, !inner.axes.isEmpty,
      let value = reductionValues.first, value.dtype == .float32, let (row, column) = lastAxes,
      inner.axes.allSatisfy({
        $0.extent.symbols.isDisjoint(with: [row.variable, column.variable])
      }),
      let product = TileProduct(
        value, row: row.variable, column: column.variable, width: tile.columns),
      product.right.loadedBuffer.map({ buffers[$0.index].dtype == .float32 }) ?? false
    else { return nil }
    let isNarrow = column.extent.known.map { $0 <= Self.lanes } ?? false
    let width = isNarrow ? Self.lanes : tile.columns
    let terms = inner.axes.reduce(1) { $0.saturatingProduct(library.expected($1.extent)) }
    let across = column.extent.known.map { ($0 + width - 1) / width } ?? Int.max
    let near = max(1, tile.near / max(1, terms) / width)
    return tiles(
      row, by: tile.rows, column, by: width, group: max(1, min(across, near)),
      body: starts + reducing + stores)
  }

  /// Squares of a copy that reads along another axis than it writes; nil where nothing is read so.
  var transposingTiles: [Statement]? {
    guard nest.reductions.isEmpty, let column = outer.last else { return nil }
    let loads = nest.stores.map { $0.value.substituting(outer.replacements) }.reachable()
    let row = outer.axes.dropLast().first { row in
      let square = Statement.Tiles(
        rows: .init(row.variable, row.extent, by: Self.lanes),
        columns: .init(column.variable, column.extent, by: Self.lanes), body: [])
      return loads.contains { scalar in
        guard case .load(_, let index) = scalar.kind,
          scalar.loadedBuffer.map({ buffers[$0.index].dtype == .float32 }) ?? false
        else { return false }
        return square.columnStride(of: index) != nil
      }
    }
    return row.map { tiles($0, by: Self.lanes, column, by: Self.lanes, body: stores) }
  }

  private var lastAxes: (Axes.Axis, Axes.Axis)? {
    let axes = outer.axes.suffix(2)
    guard axes.count == 2, let row = axes.first, let column = axes.last else { return nil }
    return (row, column)
  }

  private func tiles(
    _ row: Axes.Axis, by height: Int, _ column: Axes.Axis, by width: Int, group: Int = 1,
    body: [Statement]
  ) -> [Statement] {
    let others = outer.axes.filter { ![row.variable, column.variable].contains($0.variable) }
    let statement = Statement.tiles(
      .init(
        rows: .init(row.variable, row.extent, by: height),
        columns: .init(column.variable, column.extent, by: width), group: group,
        isParallel: true, body: body))
    return loops(others, body: [statement], isVector: false, areParallel: true)
  }
}
