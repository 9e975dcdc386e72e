import AgnesiArrays
import AgnesiLoops

// Tiles. A sum of products keeps a rectangle of running values in vector registers while its loop
// runs, and so loads few elements for each multiplication; the rest of the body then runs row by
// row over what was summed. Elements that lie along rows are transposed in registers.

/// A body that is one sum of products and what is done with it.
private struct CTileProduct {
  let local: Int
  let start: Scalar
  /// The loops around the reduction, the outermost first, where it runs over several axes.
  let loops: [Statement.Loop]
  let reduction: Statement.Reduction
  let product: TileProduct
  let rest: [Statement]

  init?(_ tiles: Statement.Tiles, storage: (Buffer) -> DType) {
    guard tiles.body.count > 2, case .define(let local, let start) = tiles.body[0],
      case .constant = start.kind, let (loops, reduction) = Self.reduction(tiles.body[1]),
      reduction.folds.count == 1, let fold = reduction.folds.first, fold.local == local,
      fold.combiner == .sum, start.dtype == .float32, tiles.columns.step % CLanes.tailWidth == 0,
      (loops.map(\.extent) + [reduction.extent]).allSatisfy({
        $0.symbols.isDisjoint(with: [tiles.rows.variable, tiles.columns.variable])
      }),
      let product = TileProduct(
        fold.value, row: tiles.rows.variable, column: tiles.columns.variable),
      case .load(let buffer, _) = product.right.kind, storage(buffer) == .float32,
      tiles.body.dropFirst(2).allSatisfy(\.isSimple)
    else { return nil }
    self.local = local
    self.start = start
    self.loops = loops
    self.reduction = reduction
    self.product = product
    rest = Array(tiles.body.dropFirst(2))
  }

  /// A reduction with the loops around it, which hold nothing else.
  private static func reduction(
    _ statement: Statement
  ) -> (loops: [Statement.Loop], Statement.Reduction)? {
    switch statement {
    case .reduce(let reduction): return ([], reduction)
    case .loop(let loop):
      guard loop.body.count == 1, let (loops, reduction) = reduction(loop.body[0]) else {
        return nil
      }
      return ([loop] + loops, reduction)
    default: return nil
    }
  }
}

/// The C names of one rectangle: where it begins and how much of it exists.
private struct CRectangle {
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
    var heights = [step]
    while let last = heights.last, last > 1 { heights.append(last / 2) }
    // Each may be needed once; a step that is no power of two needs the 1 twice.
    return step & (step - 1) == 0 ? heights : heights + [Int](repeating: 1, count: step)
  }
}

extension CFunction {
  mutating func render(_ tiles: Statement.Tiles) {
    let rectangle = CRectangle(
      tiles: tiles, row: declareVariable(tiles.rows.variable, tiles.rows.extent),
      column: declareVariable(tiles.columns.variable, tiles.columns.extent),
      firstRow: freshName("y"), firstColumn: freshName("x"), rows: freshName("m"),
      columns: freshName("n"))
    let (index, down) = (freshName("i"), freshName("d"))
    line("const int64_t \(down) = \(text(tiles.rows.count));")
    let upper = text(tiles.count)
    let (from, to) = tiles.isParallel ? ("begin", "end") : ("0", upper)
    block("for (int64_t \(index) = \(from); \(index) < \(to); ++\(index))") { function in
      function.begin(rectangle, at: "\(index) % \(down)", "\(index) / \(down)")
      if let sum = CTileProduct(tiles, storage: function.storage) {
        function.render(sum, rectangle)
      } else if let move = CTileMove(tiles, storage: function.storage) {
        function.render(move, rectangle)
      } else {
        function.renderOneByOne(rectangle)
      }
    }
  }

  private mutating func begin(_ it: CRectangle, at row: String, _ column: String) {
    let axes = [
      (it.tiles.rows, row, it.firstRow, it.rows),
      (it.tiles.columns, column, it.firstColumn, it.columns),
    ]
    for (axis, number, first, count) in axes {
      line("const int64_t \(first) = \(number) * \(axis.step);")
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
  private mutating func forColumns(
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
  private mutating func renderRows(
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

// MARK: - Sums of products

extension CFunction {
  private mutating func render(_ sum: CTileProduct, _ it: CRectangle) {
    helpers.insert(.tiles)
    let (sums, done) = (freshName("s"), freshName("o"))
    line("float \(sums)[\(it.tiles.rows.step * it.width)] AGNESI_ALIGNED;")
    renderPrefetches(sum.rest, it)
    forColumns(it) { function, isWhole in
      function.block("") { function in
        function.line("int \(done) = 0;")
        for height in it.heights {
          function.block("if (\(it.rows) - \(done) >= \(height))") { function in
            function.renderFold(sum, it, height, after: done, into: sums, isWhole: isWhole)
            function.line("\(done) += \(height);")
          }
        }
      }
    }
    renderRows(it, sum.rest, locals: [(sum.local, sums)])
  }

  /// Asks for the memory that results go to, which then arrives while sums are made.
  ///
  /// Not where the rest of the body reads a rectangle as well: that is mostly what it overwrites, an
  /// update, and there asking takes longer than it saves (5 % of a product with k = 100).
  private mutating func renderPrefetches(_ rest: [Statement], _ it: CRectangle) {
    let columns = it.tiles.columns.variable
    func spans(_ index: Scalar) -> Bool {
      index.symbols.contains(it.tiles.rows.variable) && index.stride(along: columns)?.isOne == true
    }
    let readsRectangle = Scalar.ordered(rest.flatMap(\.roots)).contains { node in
      if case .load(_, let index) = node.kind { return spans(index) }
      return false
    }
    if readsRectangle { return }
    for case .store(let buffer, let index, _) in rest where spans(index) && !index.readsLocals {
      let row = freshName("r")
      block("for (int \(row) = 0; \(row) < \(it.rows); ++\(row))") { function in
        function.line("const int64_t \(it.row) = \(it.firstRow) + \(row);")
        function.line("const int64_t \(it.column) = \(it.firstColumn);")
        var values = CValues([index])
        let place = values.emit(index, into: &function)
        for vector in stride(from: 0, to: it.width, by: CLanes.tailWidth) {
          function.line("__builtin_prefetch(\(buffer) + \(place) + \(vector));")
        }
      }
    }
  }

  /// The sums of `height` rows.
  private mutating func renderFold(
    _ sum: CTileProduct, _ it: CRectangle, _ height: Int, after done: String, into sums: String,
    isWhole: Bool
  ) {
    let lanes = CLanes.tailWidth
    let known = it.tiles.columns.extent.known
    let exact = isWhole ? it.width : known.map { $0 % it.width }
    let vectors = ((exact ?? it.width) + lanes - 1) / lanes
    let name = freshName("a")
    let start = CValues.literal(.constant(0, .float32))
    for row in 0..<height {
      for vector in 0..<vectors {
        line(
          "agnesi_f32x16 \(name)_\(row)_\(vector) = agnesi_tile_splat(\(startText(sum) ?? start));")
      }
    }
    let axes =
      sum.loops.map { ($0.variable, $0.extent) } + [(sum.reduction.variable, sum.reduction.extent)]
    renderLoops(axes) { function in
      for vector in 0..<vectors {
        let left = exact.map { min(lanes, $0 - vector * lanes) }
        let count = left.map(String.init) ?? "\(it.columns) - \(vector * lanes)"
        function.renderRight(
          sum.product.right, it, into: "\(name)_\(vector)", vector: vector,
          count: left == lanes ? nil : count)
      }
      for row in 0..<height {
        function.renderLeft(sum.product.left, it, row: "\(done) + \(row)") { function, factor in
          for vector in 0..<vectors {
            let running = "\(name)_\(row)_\(vector)"
            function.line(
              "\(running) = agnesi_tile_fma(\(factor), \(name)_\(vector), \(running));")
          }
        }
      }
    }
    for row in 0..<height {
      for vector in 0..<vectors {
        let place = "\(sums) + (\(done) + \(row)) * \(it.width) + \(vector * lanes)"
        line("*(agnesi_f32x16 *)(\(place)) = \(name)_\(row)_\(vector);")
      }
    }
  }

  /// Loops inside of each other.
  private mutating func renderLoops(
    _ axes: [(variable: String, extent: Size)], _ body: (inout CFunction) -> Void
  ) {
    guard let (name, extent) = axes.first else { return body(&self) }
    let (variable, upper) = (declareVariable(name, extent), text(extent))
    block("for (int64_t \(variable) = 0; \(variable) < \(upper); ++\(variable))") {
      $0.renderLoops(Array(axes.dropFirst()), body)
    }
  }

  private func startText(_ sum: CTileProduct) -> String? {
    guard case .constant = sum.start.kind else { return nil }
    return CValues.literal(sum.start)
  }

  private mutating func renderRight(
    _ load: Scalar, _ it: CRectangle, into name: String, vector: Int, count: String?
  ) {
    guard case .load(let buffer, let index) = load.kind else { return }
    line("agnesi_f32x16 \(name);")
    block("") { function in
      let first = "\(it.firstColumn) + \(vector * CLanes.tailWidth)"
      function.line("const int64_t \(it.column) = \(first);")
      var values = CValues([index])
      let place = "\(buffer) + \(values.emit(index, into: &function))"
      let call = count.map { "agnesi_tile_load_some(\(place), \($0))" }
      function.line("\(name) = \(call ?? "agnesi_tile_load(\(place))");")
    }
  }

  private mutating func renderLeft(
    _ value: Scalar, _ it: CRectangle, row: String, _ body: (inout CFunction, String) -> Void
  ) {
    block("") { function in
      function.line("const int64_t \(it.row) = \(it.firstRow) + \(row);")
      var values = CValues([value])
      let text = values.emit(value, into: &function)
      let factor = function.freshName("f")
      function.line("const agnesi_f32x16 \(factor) = agnesi_tile_splat(\(text));")
      body(&function, factor)
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

extension Scalar {
  fileprivate var readsLocals: Bool {
    Scalar.ordered([self]).contains { node in
      if case .local = node.kind { return true }
      return false
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
