import AgnesiArrays
import AgnesiLoops

// Sums of products in tiles: a rectangle of running values in vector registers.

/// A body that is one sum of products and what is done with it.
struct CTileProduct {
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
        fold.value, row: tiles.rows.variable, column: tiles.columns.variable,
        width: tiles.columns.step),
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

extension CFunction {
  mutating func render(_ sum: CTileProduct, _ it: CRectangle) {
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
    let lanes = CLanes.registerWidth
    let known = it.tiles.columns.extent.known
    let exact = isWhole ? it.width : known.map { $0 % it.width }
    let vectors = ((exact ?? it.width) + lanes - 1) / lanes
    if renderCall(sum, it, height, vectors, count: exact == it.width ? nil : it.columns, done, sums)
    {
      return
    }
    let name = freshName("a")
    let start = CValues.literal(.constant(0, .float32))
    for row in 0..<height {
      for vector in 0..<vectors {
        line(
          "agnesi_f32x\(lanes) \(name)_\(row)_\(vector) = agnesi_splat\(lanes)(\(startText(sum) ?? start));"
        )
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
              "\(running) = agnesi_fma\(lanes)(\(factor), \(name)_\(vector), \(running));")
          }
        }
      }
      for row in 0..<height {
        for vector in 0..<vectors {
          function.line("AGNESI_IN_REGISTER\(lanes)(\(name)_\(row)_\(vector));")
        }
      }
    }
    for row in 0..<height {
      for vector in 0..<vectors {
        let place = "\(sums) + (\(done) + \(row)) * \(it.width) + \(vector * lanes)"
        line("*(agnesi_f32x\(lanes) *)(\(place)) = \(name)_\(row)_\(vector);")
      }
    }
  }

  /// The sums of `height` rows by a function of their own, where the steps of both factors are even.
  ///
  /// In the kernel's own function, C compilers keep the constants of what follows in registers
  /// throughout, and the sums in memory.
  private mutating func renderCall(
    _ sum: CTileProduct, _ it: CRectangle, _ height: Int, _ vectors: Int, count: String?,
    _ done: String, _ sums: String
  ) -> Bool {
    let (step, isZero) = (sum.reduction.variable, sum.start == .constant(0, .float32))
    guard sum.loops.isEmpty, isZero, case .load(let left, let leftIndex) = sum.product.left.kind,
      case .load(let right, let rightIndex) = sum.product.right.kind,
      storage(of: left) == .float32, let along = leftIndex.stride(along: step),
      let down = rightIndex.stride(along: step)
    else { return false }
    helpers.insert(.tileSums(rows: height, vectors: vectors, isPartial: count != nil))
    let first = [step: Size(0)]
    var arguments = [
      renderPlace(right, rightIndex.substituting(first), it.column, it.firstColumn), text(down),
    ]
    for row in 0..<height {
      let place = "\(it.firstRow) + \(done) + \(row)"
      arguments.append(renderPlace(left, leftIndex.substituting(first), it.row, place))
    }
    arguments += [
      text(along), text(sum.reduction.extent), "\(sums) + \(done) * \(it.width)", "\(it.width)",
    ]
    if let count { arguments.append(count) }
    let name = CHelpers.tileSumsName(rows: height, vectors: vectors, isPartial: count != nil)
    line("\(name)(\(arguments.joined(separator: ", ")));")
    return true
  }

  /// A pointer to where `index` is for one value of a variable.
  private mutating func renderPlace(
    _ buffer: Buffer, _ index: Scalar, _ variable: String, _ value: String
  ) -> String {
    let pointer = freshName("p")
    line("const float *\(pointer);")
    block("") { function in
      function.line("const int64_t \(variable) = \(value);")
      var values = CValues([index])
      let place = values.emit(index, into: &function)
      function.line("\(pointer) = \(buffer) + \(place);")
    }
    return pointer
  }

  /// Loops inside of each other.
  private mutating func renderLoops(
    _ axes: [(variable: String, extent: Size)], _ body: (inout CFunction) -> Void
  ) {
    guard let (name, extent) = axes.first else { return body(&self) }
    let (variable, upper) = (declareVariable(name, extent), text(extent))
    // The registers are full: two steps at once would move sums through memory.
    if axes.count == 1 { line("AGNESI_ONE_BY_ONE") }
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
    let lanes = CLanes.registerWidth
    line("agnesi_f32x\(lanes) \(name);")
    block("") { function in
      let first = "\(it.firstColumn) + \(vector * lanes)"
      function.line("const int64_t \(it.column) = \(first);")
      var values = CValues([index])
      let place = "\(buffer) + \(values.emit(index, into: &function))"
      let call = count.map { "agnesi_load_some\(lanes)(\(place), \($0))" }
      function.line("\(name) = \(call ?? "agnesi_load\(lanes)(\(place))");")
    }
  }

  private mutating func renderLeft(
    _ value: Scalar, _ it: CRectangle, row: String, _ body: (inout CFunction, String) -> Void
  ) {
    block("") { function in
      function.line("const int64_t \(it.row) = \(it.firstRow) + \(row);")
      var values = CValues([value])
      let text = values.emit(value, into: &function)
      let (factor, lanes) = (function.freshName("f"), CLanes.registerWidth)
      function.line("const agnesi_f32x\(lanes) \(factor) = agnesi_splat\(lanes)(\(text));")
      body(&function, factor)
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
