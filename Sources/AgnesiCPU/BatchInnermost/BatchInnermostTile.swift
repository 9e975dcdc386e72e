/// A run of tiles along a row that touch the operand in the same way, relative to where they are.
struct BatchInnermostRun: Equatable {
  /// The first tile's first column, and the column where the next run begins.
  var start: Int
  var end: Int
  /// Columns of a tile.
  var width: Int
  /// For each tap, the columns of the tile that it reaches, and where from: an offset to the base.
  var taps: [[Reach]]

  struct Reach: Equatable {
    var column: Int
    var offset: Int
  }

  /// The runs that cover `columns` results with tiles of `width`, each product exactly once.
  static func cover(
    _ columns: Int, width: Int, taps: Int, axis: BatchInnermostAxis
  ) -> [BatchInnermostRun] {
    var runs: [BatchInnermostRun] = []
    for piece in pieces(columns, width) {
      let base = axis.base(piece.lowerBound)
      let reaches = (0..<taps).map { tap in
        piece.compactMap { column in
          axis.operand(column, tap).map {
            Reach(column: column - piece.lowerBound, offset: $0 - base)
          }
        }
      }
      let isLike = runs.last.map { $0.width == piece.count && $0.taps == reaches } ?? false
      if isLike {
        runs[runs.count - 1].end = piece.upperBound
      } else {
        runs.append(
          BatchInnermostRun(
            start: piece.lowerBound, end: piece.upperBound, width: piece.count, taps: reaches))
      }
    }
    return runs
  }
}

/// The sizes of a register tile: `outputs` channels × `columns` pixels (of each of its rows).
struct BatchInnermostTile: Equatable {
  var outputs: Int
  var columns: Int

  /// The tile that needs the fewest cycles by a simple count: a product each, or the time that
  /// dependent products take where there are few; and a part of a cycle for each load.
  ///
  /// - Parameters:
  ///   - rows: Rows of a tile, a pooling window's.
  ///   - unit: What the number of columns must be a multiple of.
  static func choose(
    outputs: Int, columns: Int, rows: Int, unit: Int, target: LanesTarget
  ) -> BatchInnermostTile {
    var best = BatchInnermostTile(outputs: 1, columns: unit)
    var least = Double.infinity
    for tileColumns in stride(from: unit, through: max(columns, unit), by: unit) {
      let most = target.accumulators / (tileColumns * rows)
      guard most > 0 else { break }
      for tileOutputs in 1...most {
        let tile = BatchInnermostTile(outputs: tileOutputs, columns: tileColumns)
        let cycles = tile.cycles(outputs: outputs, columns: columns, rows: rows)
        if cycles < least - 1e-9 { (least, best) = (cycles, tile) }
      }
    }
    return best
  }

  /// The cycles of a row of results for one channel and one tap.
  func cycles(outputs: Int, columns: Int, rows: Int = 1) -> Double {
    var cycles = 0.0
    for across in pieces(columns, self.columns) {
      for down in pieces(outputs, self.outputs) {
        let products = down.count * across.count * rows
        cycles += Double(max(products, 10))
        cycles += 0.4 * Double(down.count + across.count * rows)
      }
    }
    return cycles
  }
}
