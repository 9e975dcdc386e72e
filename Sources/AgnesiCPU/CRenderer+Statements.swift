import AgnesiArrays
import AgnesiLoops

// Statements outside of strips.

extension CFunction {
  mutating func render(_ statements: [Statement]) {
    if strip != nil {
      renderInStrip(statements)
    } else {
      for statement in statements { render(statement) }
    }
  }

  private mutating func render(_ statement: Statement) {
    switch statement {
    case .loop(let loop): render(loop)
    case .tiles(let tiles): render(tiles)
    case .reduce(let reduction): render(reduction)
    case .scratch(let id, let dtype, let count):
      line("\(dtype.cStorage) s\(id)[\(count)] AGNESI_ALIGNED;")
    default: renderSimple(statement)
    }
  }

  /// A statement without loops inside.
  mutating func renderSimple(_ statement: Statement) {
    var values = CValues(statement.roots)
    switch statement {
    case .define(let id, let value):
      let text = values.emit(value, into: &self)
      line(
        laneLocals.contains(id)
          ? "\(localText(id)) = \(text);" : "\(value.dtype.cValue) l\(id) = \(text);")
    case .assign(let id, let value):
      let text = values.emit(value, into: &self)
      line("\(localText(id)) = \(text);")
    case .store(let buffer, let index, let value):
      let texts = values.emit([index, value], into: &self)
      line(storeLine(buffer, texts[0], texts[1]))
    case .when(let condition, let body):
      let text = values.emit(condition, into: &self)
      let isInLane = strip != nil
      block("if (\(text))") { function in
        for statement in body {
          if isInLane { function.renderSimple(statement) } else { function.render(statement) }
        }
      }
    case .loop, .tiles, .reduce, .scratch: break
    }
  }

  private mutating func render(_ loop: Statement.Loop) {
    let name = declareVariable(loop.variable, loop.extent)
    if loop.isParallel, let inner = loop.body.parallelExtent {
      renderParallel(loop, over: inner, name)
      return
    }
    let (lower, upper) = loop.isParallel ? parallelBounds : ("0", text(loop.extent))
    if CStrip.isUseful(loop) {
      renderStrips(loop, lower, upper)
      return
    }
    let isFlat = loop.isVector && loop.body.allSatisfy(\.isSimple)
    if isFlat, !loop.isParallel, loop.extent.known == nil {
      renderBlocks(loop, name)
      return
    }
    if isFlat { line(loop.hasShortTail ? "AGNESI_VECTOR_MASKED" : "AGNESI_VECTOR") }
    block("for (int64_t \(name) = \(lower); \(name) < \(upper); ++\(name))") { function in
      function.render(loop.body)
    }
  }

  /// A parallel loop over another: the range of both together, cut at each end of the inner one.
  private mutating func renderParallel(
    _ loop: Statement.Loop, over inner: Size, _ variable: String
  ) {
    let (each, outer) = (freshName("n"), parallelBounds)
    let (from, to) = (freshName("b"), freshName("e"))
    line("const int64_t \(each) = \(text(inner)) > 0 ? \(text(inner)) : 1;")
    let head = "for (int64_t \(variable) = \(outer.lower) / \(each)"
    block("\(head); \(variable) * \(each) < \(outer.upper); ++\(variable))") { function in
      let start = "\(variable) * \(each)"
      function.line(
        "const int64_t \(from) = \(start) < \(outer.lower) ? \(outer.lower) - \(start) : 0;")
      function.line(
        "const int64_t \(to) = \(start) + \(each) < \(outer.upper) ? \(each) : \(outer.upper) - \(start);"
      )
      function.parallelBounds = (from, to)
      function.render(loop.body)
      function.parallelBounds = outer
    }
  }

  /// A vector loop inside of others: often short, so its rest runs under a mask as well.
  private mutating func renderBlocks(_ loop: Statement.Loop, _ variable: String) {
    let (start, end) = (freshName("b"), freshName("e"))
    let upper = text(loop.extent)
    block("") { function in
      function.line("const int64_t \(end) = \(upper);")
      function.line("int64_t \(start) = 0;")
      let width = CLanes.blockWidth
      function.block("for (; \(start) + \(width) <= \(end); \(start) += \(width))") { function in
        let lanes = CLanes(width: width, index: start, variable: variable)
        function.renderLaneLoop(lanes) { function, _ in function.render(loop.body) }
      }
      function.block("for (; \(start) < \(end); \(start) += \(CLanes.tailWidth))") { function in
        let lanes = function.partialLanes(index: start, end: end, variable: variable)
        function.renderLaneLoop(lanes) { function, _ in function.render(loop.body) }
      }
    }
  }
}

extension Statement {
  /// Whether the statement holds neither loops nor scratch, so that it runs lane by lane.
  var isSimple: Bool {
    switch self {
    case .define, .assign, .store: true
    case .when(_, let body): body.allSatisfy(\.isSimple)
    case .loop, .tiles, .reduce, .scratch: false
    }
  }
}

extension Statement.Loop {
  /// Whether scalar iterations after the last whole vector would take most of the time.
  fileprivate var hasShortTail: Bool {
    guard !isParallel, let count = extent.known else { return false }
    return count < 128 && count % 16 != 0
  }
}
