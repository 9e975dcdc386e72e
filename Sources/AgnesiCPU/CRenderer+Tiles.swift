import AgnesiArrays
import AgnesiLoops

// Tiles. A sum of products keeps a rectangle of running values in vector registers while its loop
// runs, and so loads few elements for each multiplication; the rest of the body then runs row by
// row over what was summed. Elements that lie along rows are transposed in registers.

/// The C names of one rectangle: where it begins and how much of it exists.
struct CRectangle {
  let tiles: Statement.Tiles
  let row: String
  let column: String
  let firstRow: String
  let firstColumn: String
  let rows: String
  let columns: String

  var width: Int { tiles.columns.step }

  /// Whether some rectangle has all its columns, and whether some has not.
  var hasWhole: Bool { tiles.columns.extent.known.map { $0 >= width } ?? true }
  var hasRest: Bool { tiles.columns.extent.known.map { $0 % width != 0 } ?? true }

  /// Numbers of rows that add up to any number that a rectangle has, largest first.
  var heights: [Int] {
    let step = tiles.rows.step
    if let known = tiles.rows.extent.known {
      return (known >= step ? [step] : []) + (known % step == 0 ? [] : [known % step])
    }
    // Any smaller number is a sum of different powers of two.
    var heights = [step]
    var power = 1 << (Int.bitWidth - 1 - max(1, step - 1).leadingZeroBitCount)
    while power > 0, power < step {
      heights.append(power)
      power /= 2
    }
    return heights
  }
}

extension CFunction {
  mutating func render(_ tiles: Statement.Tiles) {
    let rectangle = CRectangle(
      tiles: tiles, row: declareVariable(tiles.rows.variable, tiles.rows.extent),
      column: declareVariable(tiles.columns.variable, tiles.columns.extent),
      firstRow: freshName("y"), firstColumn: freshName("x"), rows: freshName("m"),
      columns: freshName("n"))
    let index = freshName("i")
    let (from, to) = tiles.isParallel ? parallelBounds : ("0", text(tiles.count))
    block("for (int64_t \(index) = \(from); \(index) < \(to); ++\(index))") { function in
      let (row, column) = function.place(of: index, in: tiles)
      function.begin(rectangle, at: row, column)
      if let sum = CTileProduct(tiles, storage: function.storage) {
        function.render(sum, rectangle)
      } else if let move = CTileMove(tiles, storage: function.storage) {
        function.render(move, rectangle)
      } else {
        function.renderOneByOne(rectangle)
      }
    }
  }

  /// Which rectangle a number stands for, counted in rows and in columns of rectangles.
  private mutating func place(of index: String, in tiles: Statement.Tiles) -> (String, String) {
    let (down, across) = (text(tiles.rows.count), text(tiles.columns.count))
    if let known = tiles.columns.count.known, known <= tiles.group {
      return ("\(index) / \(across)", "\(index) % \(across)")
    }
    if tiles.group == 1 { return ("\(index) % \(down)", "\(index) / \(down)") }
    let (first, left, inside) = (freshName("g"), freshName("w"), freshName("k"))
    let each = "(\(tiles.group) * \(down))"
    line("const int64_t \(first) = \(index) / \(each) * \(tiles.group);")
    let rest = "\(across) - \(first)"
    line("const int64_t \(left) = \(rest) < \(tiles.group) ? \(rest) : \(tiles.group);")
    line("const int64_t \(inside) = \(index) % \(each);")
    return ("\(inside) / \(left)", "\(first) + \(inside) % \(left)")
  }

  private mutating func begin(_ it: CRectangle, at row: String, _ column: String) {
    let axes = [
      (it.tiles.rows, row, it.firstRow, it.rows),
      (it.tiles.columns, column, it.firstColumn, it.columns),
    ]
    for (axis, number, first, count) in axes {
      line("const int64_t \(first) = (\(number)) * \(axis.step);")
      let left = "\(text(axis.extent)) - \(first)"
      line("const int \(count) = (int)(\(left) < \(axis.step) ? \(left) : \(axis.step));")
    }
  }

  private mutating func renderOneByOne(_ it: CRectangle) {
    let last = "\(it.firstRow) + \(it.rows)"
    block("for (int64_t \(it.row) = \(it.firstRow); \(it.row) < \(last); ++\(it.row))") {
      let end = "\(it.firstColumn) + \(it.columns)"
      $0.block(
        "for (int64_t \(it.column) = \(it.firstColumn); \(it.column) < \(end); ++\(it.column))"
      ) { $0.render(it.tiles.body) }
    }
  }

  /// What `body` writes for all columns of a rectangle, and for some of them.
  mutating func forColumns(
    _ it: CRectangle, _ body: (inout CFunction, _ isWhole: Bool) -> Void
  ) {
    if it.hasWhole, it.hasRest {
      block("if (\(it.columns) == \(it.width))") { body(&$0, true) }
      block("else") { body(&$0, false) }
    } else {
      body(&self, it.hasWhole)
    }
  }

  /// `body` for each row, with arrays of a value for each lane as locals.
  mutating func renderRows(
    _ it: CRectangle, _ body: [Statement], locals: [(id: Int, array: String)]
  ) {
    let (row, outer) = (freshName("r"), laneLocals)
    laneLocals.formUnion(locals.map(\.id))
    block("for (int \(row) = 0; \(row) < \(it.rows); ++\(row))") { function in
      function.line("const int64_t \(it.row) = \(it.firstRow) + \(row);")
      function.forColumns(it) { function, isWhole in
        let place = "\(row) * \(it.width)"
        if isWhole {
          let lanes = CLanes(width: it.width, index: it.firstColumn, variable: it.column)
          function.renderLanes(body, lanes, locals.map { ($0.id, "\($0.array) + \(place)") })
          return
        }
        let (start, tail) = (function.freshName("b"), CLanes.tailWidth)
        let end = "\(it.firstColumn) + \(it.columns)"
        let head =
          "for (int64_t \(start) = \(it.firstColumn); \(start) < \(end); \(start) += \(tail))"
        function.block(head) { function in
          let lanes = function.partialLanes(index: start, end: end, variable: it.column)
          let offset = "\(place) + \(start) - \(it.firstColumn)"
          function.renderLanes(body, lanes, locals.map { ($0.id, "\($0.array) + \(offset)") })
        }
      }
    }
    laneLocals = outer
  }

  private mutating func renderLanes(
    _ body: [Statement], _ lanes: CLanes, _ locals: [(id: Int, place: String)]
  ) {
    block("") { function in
      for local in locals { function.line("const float *const l\(local.id) = \(local.place);") }
      function.strip = CStrip(lanes: lanes)
      function.renderLaneLoop(lanes) { function, lane in
        function.strip?.lane = lane
        for statement in body { function.renderSimple(statement) }
      }
      function.strip = nil
    }
  }
}

// MARK: - Transposition

/// A body without loops that loads elements which lie side by side along the rows.
private struct CTileMove {
  /// What is loaded, and the local that takes its place.
  let loads: [Load]
  let body: [Statement]

  struct Load {
    var buffer: Buffer
    var index: Scalar
    /// Elements between columns.
    var stride: Size
    var local: Int
  }

  /// Nil where there are no such loads, or where a condition may guard them.
  init?(_ tiles: Statement.Tiles, storage: (Buffer) -> DType) {
    guard tiles.rows.step == CLanes.tailWidth, tiles.columns.step == CLanes.tailWidth,
      tiles.body.allSatisfy(\.isUnconditional)
    else { return nil }
    var loads: [Load] = []
    let nextLocal = 1 + (tiles.body.compactMap(\.definedLocal).max() ?? -1)
    body = tiles.body.map { statement in
      statement.mappingValues { value in
        value.rewritten { scalar in
          guard case .load(let buffer, let index) = scalar.kind, storage(buffer) == .float32,
            let stride = tiles.columnStride(of: index)
          else { return nil }
          if let known = loads.first(where: { $0.buffer == buffer && $0.index == index }) {
            return .local(known.local, scalar.dtype)
          }
          let local = nextLocal + loads.count
          loads.append(Load(buffer: buffer, index: index, stride: stride, local: local))
          return .local(local, scalar.dtype)
        }
      }
    }
    self.loads = loads
    if loads.isEmpty { return nil }
  }
}

extension CFunction {
  private mutating func render(_ move: CTileMove, _ it: CRectangle) {
    helpers.insert(.tiles)
    let arrays = move.loads.map { load -> (id: Int, array: String) in
      let array = freshName("s")
      line("float \(array)[\(it.tiles.rows.step * it.width)] AGNESI_ALIGNED;")
      renderTransposed(load, it, into: array)
      return (load.local, array)
    }
    renderRows(it, move.body, locals: arrays)
  }

  private mutating func renderTransposed(
    _ load: CTileMove.Load, _ it: CRectangle, into array: String
  ) {
    let isWhole = "\(it.rows) == \(it.tiles.rows.step) && \(it.columns) == \(it.width)"
    block("if (\(isWhole))") { function in
      function.line("const int64_t \(it.row) = \(it.firstRow), \(it.column) = \(it.firstColumn);")
      var values = CValues([load.index])
      let place = "\(load.buffer) + \(values.emit(load.index, into: &function))"
      let stride = function.text(load.stride)
      function.line("agnesi_tile_transpose(\(place), \(stride), \(array));")
    }
    let (row, column) = (freshName("r"), freshName("c"))
    block("else for (int \(row) = 0; \(row) < \(it.rows); ++\(row))") { function in
      function.block("for (int \(column) = 0; \(column) < \(it.columns); ++\(column))") {
        $0.line("const int64_t \(it.row) = \(it.firstRow) + \(row);")
        $0.line("const int64_t \(it.column) = \(it.firstColumn) + \(column);")
        var values = CValues([load.index])
        let index = values.emit(load.index, into: &$0)
        $0.line("\(array)[\(row) * \(it.width) + \(column)] = \(load.buffer)[\(index)];")
      }
    }
  }
}

extension Statement {
  fileprivate var definedLocal: Int? {
    if case .define(let id, _) = self { return id }
    return nil
  }

  /// Whether every load of the statement takes place whatever the values are.
  fileprivate var isUnconditional: Bool {
    switch self {
    case .define, .assign, .store:
      !Scalar.ordered(roots).contains { node in
        if case .select = node.kind { return true }
        return false
      }
    case .loop, .tiles, .reduce, .when, .scratch: false
    }
  }
}
