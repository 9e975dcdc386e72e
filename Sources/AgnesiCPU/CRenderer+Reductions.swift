import AgnesiArrays
import AgnesiLoops
import CAgnesi

// Reductions outside of strips: floats are reduced in lanes, everything else in order.

extension CFunction {
  mutating func render(_ reduction: Statement.Reduction) {
    let isFloating = reduction.folds.contains { $0.value.dtype.isFloating }
    let isShort = reduction.extent.known.map { $0 < 4 } ?? false
    if isFloating, !isShort {
      renderInLanes(reduction)
    } else {
      renderInOrder(reduction)
    }
  }

  private mutating func renderInOrder(_ reduction: Statement.Reduction) {
    let name = declareVariable(reduction.variable, reduction.extent)
    let upper = text(reduction.extent)
    block("for (int64_t \(name) = 0; \(name) < \(upper); ++\(name))") { function in
      var values = CValues(reduction.folds.map(\.value))
      let texts = values.emit(reduction.folds.map(\.value), into: &function)
      for (fold, text) in zip(reduction.folds, texts) { function.renderFold(fold, text) }
    }
  }

  /// `local = local ⊕ value` for one value.
  mutating func renderFold(_ fold: Statement.Reduction.Fold, _ value: String) {
    let local = localText(fold.local)
    let text = fold.combiner.function.cText(local, value, fold.value.dtype, &helpers)
    line("\(local) = \(text);")
  }

  private mutating func renderInLanes(_ reduction: Statement.Reduction) {
    let variable = declareVariable(reduction.variable, reduction.extent)
    let (start, count) = (freshName("b"), freshName("n"))
    let upper = text(reduction.extent)
    let accumulators = makeAccumulators(reduction)
    let width = accumulators.width
    block("") { function in
      function.line("const int64_t \(count) = \(upper);")
      function.line("int64_t \(start) = 0;")
      for accumulator in accumulators.list { function.declare(accumulator) }
      let known = reduction.extent.known
      if known.map({ $0 >= width }) ?? true {
        let head = "for (; \(start) + \(width) <= \(count); \(start) += \(width))"
        function.block(head) { function in
          let lanes = CLanes(width: width, index: start, variable: variable)
          function.renderLanes(reduction, accumulators.list, lanes)
        }
      }
      if known.map({ $0 % width != 0 }) ?? true {
        let tail = CLanes.tailWidth
        function.block("for (; \(start) < \(count); \(start) += \(tail))") { function in
          let lanes = function.partialLanes(index: start, end: count, variable: variable)
          function.renderLanes(reduction, accumulators.list, lanes)
        }
      }
      for accumulator in accumulators.list { function.finish(accumulator) }
    }
  }

  /// As many lanes as fit eight vectors, at most 64.
  private mutating func makeAccumulators(
    _ reduction: Statement.Reduction
  ) -> (width: Int, list: [CAccumulator]) {
    let floats = reduction.folds.filter { $0.value.dtype.isFloating }
    let bytes = floats.reduce(0) { $0 + $1.value.dtype.size }
    var width = 64
    while width > CLanes.tailWidth, width * bytes > 8 * CLanes.vectorBytes { width /= 2 }
    if let known = reduction.extent.known {
      while width > CLanes.tailWidth, width > known { width /= 2 }
    }
    let list = floats.map { fold in
      helpers.insert(.vectors(fold.value.dtype))
      return CAccumulator(fold: fold, name: freshName("r"), width: width)
    }
    return (width, list)
  }

  private mutating func declare(_ accumulator: CAccumulator) {
    let identity = accumulator.identity
    for part in accumulator.parts {
      line("\(accumulator.type) \(part) = (\(accumulator.type)){0} + \(identity);")
    }
  }

  /// One block of lanes: values into arrays, lane by lane, then arrays into vectors.
  mutating func renderLanes(
    _ reduction: Statement.Reduction, _ accumulators: [CAccumulator], _ lanes: CLanes
  ) {
    let arrays = accumulators.map { accumulator in
      let array = freshName("v")
      line("\(accumulator.dtype.cValue) \(array)[\(lanes.width)] AGNESI_ALIGNED;")
      return array
    }
    // Lanes that do not exist count as the identity. One store a lane: a masked store could not be
    // forwarded to the load that follows.
    let results = lanes.count == nil ? nil : accumulators.map { _ in freshName("t") }
    renderLaneLoop(lanes) { function, lane in
      function.strip?.lane = lane
      function.renderLaneValues(reduction, results ?? arrays.map { "\($0)[\(lane)]" })
    } before: { function in
      for (result, accumulator) in zip(results ?? [], accumulators) {
        function.line("\(accumulator.dtype.cValue) \(result) = \(accumulator.identity);")
      }
    } after: { function, lane in
      for (array, result) in zip(arrays, results ?? []) {
        function.line("\(array)[\(lane)] = \(result);")
      }
    }
    for (array, accumulator) in zip(arrays, accumulators) {
      combine(array, into: accumulator, width: lanes.width)
    }
  }

  /// The values of one iteration: floats into `targets`, what has no target folded at once.
  mutating func renderLaneValues(_ reduction: Statement.Reduction, _ targets: [String]) {
    var values = CValues(reduction.folds.map(\.value))
    let texts = values.emit(reduction.folds.map(\.value), into: &self)
    var rest = targets[...]
    for (fold, text) in zip(reduction.folds, texts) {
      if fold.value.dtype.isFloating, let target = rest.popFirst() {
        line("\(target) = \(text);")
      } else {
        renderFold(fold, text)
      }
    }
  }

  mutating func combine(_ array: String, into accumulator: CAccumulator, width: Int) {
    for (number, part) in accumulator.parts.enumerated() {
      let start = number * accumulator.lanes
      if start >= width { break }
      let loaded = "*(const \(accumulator.type) *)(\(array) + \(start))"
      line("\(part) = \(accumulator.combined(part, loaded));")
    }
  }

  /// Pairs of vectors, then halves of the last one, then the local.
  private mutating func finish(_ accumulator: CAccumulator) {
    var parts = accumulator.parts
    while parts.count > 1 {
      let half = parts.count / 2
      for index in 0..<half {
        line("\(parts[index]) = \(accumulator.combined(parts[index], parts[index + half]));")
      }
      parts = Array(parts.prefix(half))
    }
    let suffix = "\(accumulator.fold.combiner.rawValue)_\(accumulator.dtype.cSuffix)"
    let result = freshName("t")
    line("const \(accumulator.dtype.cValue) \(result) = agnesi_fold_\(suffix)(\(parts[0]));")
    renderFold(accumulator.fold, result)
  }

  /// The last lanes before `end`. Their number is an int, so that the mask is one comparison.
  mutating func partialLanes(index: String, end: String, variable: String) -> CLanes {
    let count = freshName("m")
    line("const int \(count) = (int)(\(end) - \(index));")
    return CLanes(width: CLanes.tailWidth, index: index, variable: variable, count: count)
  }

  /// A loop over lanes that the C compiler turns into vectors. Where lanes may be missing, `body`
  /// runs under a mask, `before` and `after` do not.
  mutating func renderLaneLoop(
    _ lanes: CLanes, _ body: (inout CFunction, String) -> Void,
    before: (inout CFunction) -> Void = { _ in },
    after: (inout CFunction, String) -> Void = { _, _ in }
  ) {
    let lane = freshName("j")
    let isShort = lanes.count != nil || lanes.width <= CLanes.tailWidth
    line(isShort ? "AGNESI_VECTOR_ONCE" : "AGNESI_VECTOR")
    block("for (int \(lane) = 0; \(lane) < \(lanes.width); ++\(lane))") { function in
      function.line("const int64_t \(lanes.variable) = \(lanes.index) + \(lane);")
      guard let count = lanes.count else {
        body(&function, lane)
        return
      }
      before(&function)
      function.block("if (\(lane) < \(count))") { body(&$0, lane) }
      after(&function, lane)
    }
  }
}

/// A block of neighbouring iterations of the C variable `variable`, from `index` on.
struct CLanes {
  var width: Int
  var index: String
  var variable: String
  /// The C name of the number of lanes that exist; nil where all do.
  var count: String?

  static let vectorBytes = 64
  /// Lanes of a full block of a loop that folds nothing.
  static let blockWidth = 64
  /// Lanes of a block that may be partly filled.
  static let tailWidth = 16
  /// Lanes of one register, with which tiles count: two of AVX2's are one of AVX-512's.
  static let registerWidth = agnesi_vector_lanes() >= 16 ? 16 : 8
  /// Lanes of a strip of few iterations.
  static let narrowWidth = 8
  /// Lanes of a strip that streams through memory: a page of float32.
  static let wideWidth = 1024
}

/// The vectors that hold the running values of one fold.
struct CAccumulator {
  let fold: Statement.Reduction.Fold
  let name: String
  let width: Int

  var dtype: DType { fold.value.dtype }
  /// Values in one vector.
  var lanes: Int { min(CLanes.vectorBytes / dtype.size, width) }
  var type: String { "agnesi_\(dtype.cSuffix)x\(lanes)" }
  var identity: String { CValues.literal(fold.combiner.identity(dtype)) }
  var parts: [String] { (0..<(width / lanes)).map { "\(name)_\($0)" } }

  func combined(_ a: String, _ b: String) -> String {
    switch fold.combiner {
    case .sum: "\(a) + \(b)"
    case .product: "\(a) * \(b)"
    default: "agnesi_\(fold.combiner.rawValue)_\(dtype.cSuffix)x\(lanes)(\(a), \(b))"
    }
  }
}
