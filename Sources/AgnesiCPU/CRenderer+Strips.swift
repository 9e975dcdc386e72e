import AgnesiArrays
import AgnesiLoops

/// Neighbouring iterations of a vector loop that has loops inside, run side by side.
///
/// C compilers make vectors of innermost loops only. A loop over columns with a reduction over
/// rows inside is therefore cut into strips of lanes, and each statement of its body becomes a
/// loop over the lanes; locals hold one value a lane. Each lane runs in the reduction's order.
struct CStrip {
  let lanes: CLanes
  /// The C name of the lane while a lane's statements are written.
  var lane = ""

  /// Whether `loop` can be run in strips, and most of what it loads lies side by side.
  static func isUseful(_ loop: Statement.Loop) -> Bool {
    guard loop.isVector, !loop.body.allSatisfy(\.isSimple) else { return false }
    var survey = CStripSurvey(variable: loop.variable)
    survey.visit(loop.body)
    return survey.isPossible && survey.neighbours > survey.strangers
      && survey.assigned.isSubset(of: survey.defined)
  }
}

private struct CStripSurvey {
  let variable: String
  var isPossible = true
  var defined: Set<Int> = []
  var assigned: Set<Int> = []
  /// Loads and stores at stride 1, and at strides other than 0 and 1.
  var neighbours = 0
  var strangers = 0

  mutating func visit(_ statements: [Statement]) {
    for statement in statements { visit(statement) }
  }

  private mutating func visit(_ statement: Statement) {
    for node in Scalar.ordered(statement.roots) {
      if case .load(_, let index) = node.kind { count(index) }
    }
    switch statement {
    case .loop(let loop):
      if loop.isVector || loop.extent.mentions(variable) { isPossible = false }
      visit(loop.body)
    case .reduce(let reduction):
      if reduction.extent.mentions(variable) { isPossible = false }
      assigned.formUnion(reduction.folds.map(\.local))
    case .define(let id, _): defined.insert(id)
    case .assign(let id, _): assigned.insert(id)
    case .store(_, let index, _): count(index)
    case .when(_, let body):
      if !statement.isSimple { isPossible = false }
      visit(body)
    case .tiles, .scratch: isPossible = false
    }
  }

  private mutating func count(_ index: Scalar) {
    let stride = index.stride(along: variable)
    if stride?.isOne == true {
      neighbours += 1
    } else if stride?.isZero != true {
      strangers += 1
    }
  }
}

// MARK: - Rendering

extension CFunction {
  mutating func renderStrips(_ loop: Statement.Loop, _ lower: String, _ upper: String) {
    let variable = declareVariable(loop.variable, loop.extent)
    let (start, end) = (freshName("b"), freshName("e"))
    let known = loop.isParallel ? nil : loop.extent.known
    let widths = loop.isStreaming ? [CLanes.wideWidth, loop.stripWidth] : [loop.stripWidth]
    block("") { function in
      function.line("const int64_t \(end) = \(upper);")
      function.line("int64_t \(start) = \(lower);")
      for width in widths where known.map({ $0 >= width }) ?? true {
        function.block("for (; \(start) + \(width) <= \(end); \(start) += \(width))") {
          $0.renderStrip(loop.body, CLanes(width: width, index: start, variable: variable))
        }
      }
      if known.map({ $0 % loop.stripWidth != 0 }) ?? true {
        function.block("for (; \(start) < \(end); \(start) += \(CLanes.tailWidth))") {
          let lanes = $0.partialLanes(index: start, end: end, variable: variable)
          $0.renderStrip(loop.body, lanes)
        }
      }
    }
  }

  private mutating func renderStrip(_ body: [Statement], _ lanes: CLanes) {
    strip = CStrip(lanes: lanes)
    renderInStrip(body)
    strip = nil
  }

  /// Runs of simple statements share one loop over the lanes.
  mutating func renderInStrip(_ statements: [Statement]) {
    let outer = laneLocals
    var run: [Statement] = []
    for (index, statement) in statements.enumerated() {
      if statement.isSimple {
        run.append(statement)
      } else {
        renderRun(run, before: statements[index...])
        run = []
        renderLooping(statement)
      }
    }
    renderRun(run, before: [])
    laneLocals = outer
  }

  private mutating func renderRun(_ run: [Statement], before rest: ArraySlice<Statement>) {
    guard let strip, !run.isEmpty else { return }
    for case .define(let id, let value) in run where rest.contains(where: { $0.uses(local: id) }) {
      let isPartial = strip.lanes.count != nil
      line(
        "\(value.dtype.cValue) l\(id)[\(strip.lanes.width)] AGNESI_ALIGNED\(isPartial ? " = {0}" : "");"
      )
      laneLocals.insert(id)
    }
    renderLaneLoop(strip.lanes) { function, lane in
      function.strip?.lane = lane
      for statement in run { function.renderSimple(statement) }
    }
  }

  private mutating func renderLooping(_ statement: Statement) {
    switch statement {
    case .loop(let loop):
      let name = declareVariable(loop.variable, loop.extent)
      let upper = text(loop.extent)
      block("for (int64_t \(name) = 0; \(name) < \(upper); ++\(name))") {
        $0.renderInStrip(loop.body)
      }
    case .reduce(let reduction): renderInStrip(reduction)
    default: break
    }
  }

  /// The running values of all lanes stay in vectors while the reduction's loop runs.
  private mutating func renderInStrip(_ reduction: Statement.Reduction) {
    guard let lanes = strip?.lanes else { return }
    let name = declareVariable(reduction.variable, reduction.extent)
    let upper = text(reduction.extent)
    let head = "for (int64_t \(name) = 0; \(name) < \(upper); ++\(name))"
    if lanes.width == CLanes.wideWidth {
      block(head) { function in
        function.renderLaneLoop(lanes) { function, lane in
          function.strip?.lane = lane
          function.renderLaneValues(reduction, [])
        }
      }
      return
    }
    let floats = reduction.folds.filter { $0.value.dtype.isFloating }
    let accumulators = floats.map { fold in
      helpers.insert(.vectors(fold.value.dtype))
      return CAccumulator(fold: fold, name: freshName("r"), width: lanes.width)
    }
    for accumulator in accumulators { move(accumulator, isStore: false) }
    block(head) { function in
      function.renderLanes(reduction, accumulators, lanes)
    }
    for accumulator in accumulators { move(accumulator, isStore: true) }
  }

  /// Between a local's array and its vectors.
  private mutating func move(_ accumulator: CAccumulator, isStore: Bool) {
    for (number, part) in accumulator.parts.enumerated() {
      let place = "(l\(accumulator.fold.local) + \(number * accumulator.lanes))"
      line(
        isStore
          ? "*(\(accumulator.type) *)\(place) = \(part);"
          : "\(accumulator.type) \(part) = *(const \(accumulator.type) *)\(place);")
    }
  }
}

extension Statement.Loop {
  /// As many lanes as keep the running values of the reductions inside in eight vectors.
  fileprivate var stripWidth: Int {
    var width = 64
    let bytes = body.map(\.foldedBytes).max() ?? 0
    while width > CLanes.tailWidth, width * bytes > 8 * CLanes.vectorBytes { width /= 2 }
    if let known = extent.known, !isParallel {
      while width > CLanes.tailWidth, width > known { width /= 2 }
      // Channels in blocks of eight, and odd multiples of them: whole strips need no mask.
      if known % CLanes.tailWidth != 0, known % CLanes.narrowWidth == 0 {
        return CLanes.narrowWidth
      }
    }
    return width
  }
}

extension Statement.Loop {
  /// Whether a reduction inside reads rows that lie far apart once each. Memory is then as fast as
  /// possible only when it is read in long pieces, and running values in the first-level cache
  /// cost nothing.
  fileprivate var isStreaming: Bool {
    body.contains { statement in
      guard case .reduce(let reduction) = statement else { return false }
      return Scalar.ordered(reduction.folds.map(\.value)).contains { node in
        guard case .load(_, let index) = node.kind else { return false }
        let step = index.stride(along: reduction.variable)
        return index.stride(along: variable)?.isOne == true
          && (step?.known.map { $0 >= CLanes.wideWidth } ?? true)
      }
    }
  }
}

extension Statement {
  fileprivate var foldedBytes: Int {
    if case .reduce(let reduction) = self {
      return reduction.folds.reduce(0) { $0 + $1.value.dtype.size }
    }
    return children.map(\.foldedBytes).max() ?? 0
  }

  /// Whether the statement, or one inside it, reads or writes local `id`.
  fileprivate func uses(local id: Int) -> Bool {
    switch self {
    case .assign(id, _): return true
    case .reduce(let reduction) where reduction.folds.contains { $0.local == id }: return true
    default: break
    }
    let reads = Scalar.ordered(roots).contains { node in
      if case .local(id) = node.kind { return true }
      return false
    }
    return reads || children.contains { $0.uses(local: id) }
  }
}
