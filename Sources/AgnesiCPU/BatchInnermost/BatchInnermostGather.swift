/// What follows the sums of a forward convolution, in registers.
package struct ConvolutionEpilogue: Hashable, Sendable, Codable {
  package var bias: Bool
  package var relu: Bool
  /// Maxima of disjoint windows of this height and width; rows and columns that fill no window are
  /// left out.
  package var pool: [Int]?
  /// Whether it is written down where the maxima of windows were.
  package var argmax: Bool

  package init(
    bias: Bool = false, relu: Bool = false, pool: [Int]? = nil, argmax: Bool = false
  ) {
    self.bias = bias
    self.relu = relu
    self.pool = pool
    self.argmax = argmax
  }
}

/// The nest that both forward and to data are: sums of products, gathered for a tile of results.
struct BatchInnermostGather {
  var name: String
  var target: LanesTarget
  var outputs: Int
  var inputs: Int
  /// Of the operand and of the result (before pooling).
  var operand: [Int]
  var result: [Int]
  var kernel: [Int]
  var rows: BatchInnermostAxis
  var columns: BatchInnermostAxis
  /// Distances in the weights between output and input channels.
  var outputStride: Int
  var inputStride: Int
  var epilogue = ConvolutionEpilogue()

  private var pool: [Int] { epilogue.pool ?? [1, 1] }
  /// Results that are computed: whole windows only.
  private var used: [Int] { (0..<2).map { result[$0] / pool[$0] * pool[$0] } }
  private var pooled: [Int] { (0..<2).map { result[$0] / pool[$0] } }

  private var tile: BatchInnermostTile {
    let unit = pool[1] * columns.step / greatestCommonDivisor(pool[1], columns.step)
    return BatchInnermostTile.choose(
      outputs: outputs, columns: used[1], rows: pool[0], unit: unit, target: target)
  }

  func kernelText() -> BatchInnermostKernel {
    let groups = pieces(outputs, tile.outputs)
    var text = CText()
    // All groups but perhaps the last have the same number of outputs.
    let sizes = Array(Set(groups.map(\.count))).sorted(by: >)
    for size in sizes { writeGroup(size, &text) }
    text.block("void \(name)(\(kernelParameters))") { text in
      text.line("(void)sizes;")
      text.block("for (int64_t item = begin; item < end; item++)") { text in
        text.line("int64_t block = item / \(groups.count), group = item % \(groups.count);")
        for (index, size) in sizes.enumerated() {
          let last = "group == \(groups.count - 1)"
          let condition = sizes.count == 1 ? "1" : index == 0 ? "!(\(last))" : last
          text.line("if (\(condition)) \(name)_\(size)(args, block, group * \(tile.outputs));")
        }
      }
    }
    return BatchInnermostKernel(
      name: name, text: text.finished, extent: groups.count, isPerBlock: true)
  }

  /// The function that computes `size` output channels of one block.
  private func writeGroup(_ size: Int, _ text: inout CText) {
    let area = operand[0] * operand[1]
    let head = "static void \(name)_\(size)(void *const *args, int64_t block, int64_t output)"
    text.block(head) { text in
      text.line("const lanes *restrict x = (const lanes *)args[0] + block * \(inputs * area);")
      text.line("const float *restrict w = (const float *)args[1] + output * \(outputStride);")
      if epilogue.bias {
        text.line("const float *restrict bias = (const float *)args[2] + output;")
      }
      let place = epilogue.bias ? 3 : 2
      let pooledArea = pooled[0] * pooled[1]
      let origin = "(block * \(outputs) + output) * \(pooledArea)"
      text.line("lanes *restrict y = (lanes *)args[\(place)] + \(origin);")
      if epilogue.argmax {
        text.line("lanes_argmax *restrict argmax = (lanes_argmax *)args[\(place + 1)] + \(origin);")
      }
      let runs = BatchInnermostRun.cover(
        used[1], width: tile.columns, taps: kernel[1], axis: columns)
      text.loop("row", 0, "\(used[0])", by: pool[0]) { text in
        for run in runs {
          text.loop("x0", run.start, "\(run.end)", by: run.width) {
            writeTile(run, size, &$0)
          }
        }
      }
    }
  }

  private func writeTile(_ run: BatchInnermostRun, _ size: Int, _ text: inout CText) {
    for output in 0..<size {
      let start = epilogue.bias ? "lanes_all(bias[\(output)])" : "{0}"
      for (row, column) in pairs(pool[0], run.width) {
        text.line("lanes a\(output)_\(row)_\(column) = \(start);")
      }
    }
    text.loop("input", 0, "\(inputs)") { text in
      text.loop("ky", 0, "\(kernel[0])") { text in
        let taps = "input * \(inputStride) + ky * \(kernel[1])"
        text.line("const float *restrict v = w + \(taps);")
        writeRows(run, size, &text)
      }
    }
    for output in 0..<size { writeEpilogue(output, run, &text) }
  }

  /// The products of the tile with one row of the kernel. Rows of the tile that reach into the operand
  /// in any case share each weight, or the compiler keeps all weights for the next row, on the stack.
  private func writeRows(_ run: BatchInnermostRun, _ size: Int, _ text: inout CText) {
    let rows = (0..<pool[0]).map { row in
      let (condition, place) = rowText(row == 0 ? "row" : "(row + \(row))")
      return (row: row, condition: condition, place: place)
    }
    if rows.allSatisfy({ $0.condition == nil }) {
      for row in rows { writeStart(row.row, row.place, &text) }
      writeProducts(rows.map(\.row), run, size, &text)
      return
    }
    for row in rows {
      text.block(row.condition.map { "if (\($0))" } ?? "") { text in
        writeStart(row.row, row.place, &text)
        writeProducts([row.row], run, size, &text)
      }
    }
  }

  /// Where the operand's row lies that a row of the tile meets.
  private func writeStart(_ row: Int, _ place: String, _ text: inout CText) {
    let line = "(input * \(operand[0]) + \(place)) * \(operand[1]) + \(columns.baseText("x0"))"
    text.line("const lanes *restrict r\(row) = x + \(line);")
  }

  private func writeProducts(
    _ rows: [Int], _ run: BatchInnermostRun, _ size: Int, _ text: inout CText
  ) {
    for (tap, reaches) in run.taps.enumerated() where !reaches.isEmpty {
      for output in 0..<size {
        let weight = "lanes_all(v[\(output * outputStride + tap)])"
        for (row, reach) in rows.flatMap({ row in reaches.map { (row, $0) } }) {
          let sum = "a\(output)_\(row)_\(reach.column)"
          text.line("\(sum) = LANES_FMA(\(weight), r\(row)[\(reach.offset)], \(sum));")
        }
      }
    }
  }

  /// When a row of the kernel reaches into the operand (nil: always), and which row it reaches.
  private func rowText(_ result: String) -> (String?, String) {
    let all = (0..<used[0]).allSatisfy { row in
      (0..<kernel[0]).allSatisfy { rows.operand(row, $0) != nil }
    }
    switch rows {
    case .forward(let stride, let dilation, let padding, let operand):
      let place = "(\(result) * \(stride) + ky * \(dilation) - \(padding))"
      return (all ? nil : "\(place) >= 0 && \(place) < \(operand)", place)
    case .adjoint(let stride, let dilation, let padding, let operand):
      let place = "(\(result) + \(padding) - ky * \(dilation))"
      let divides = stride == 1 ? "" : " && \(place) % \(stride) == 0"
      let inside = "\(place) >= 0 && \(place) < \(operand * stride)\(divides)"
      return (all ? nil : inside, stride == 1 ? place : "\(place) / \(stride)")
    }
  }

  private func writeEpilogue(_ output: Int, _ run: BatchInnermostRun, _ text: inout CText) {
    let area = pooled[0] * pooled[1]
    for window in 0..<(run.width / pool[1]) {
      let row = pool[0] == 1 ? "row" : "row / \(pool[0])"
      let column = pool[1] == 1 ? "x0" : "x0 / \(pool[1])"
      let place = "\(output * area + window) + \(row) * \(pooled[1]) + \(column)"
      let values = pairs(pool[0], pool[1]).map { "a\(output)_\($0)_\(window * pool[1] + $1)" }
      text.block("") { text in
        text.line("lanes most = \(values[0]);")
        if epilogue.argmax { text.line("lanes_mask which = {0};") }
        for (index, value) in values.enumerated().dropFirst() {
          // NaN is the largest of all.
          text.line("lanes_mask is\(index) = ~(\(value) <= most) & (most == most);")
          text.line("most = lanes_select(is\(index), \(value), most);")
          if epilogue.argmax {
            text.line("which = (is\(index) & \(index)) | (~is\(index) & which);")
          }
        }
        if epilogue.relu, epilogue.argmax { text.line("which |= ~(most > 0);") }
        if epilogue.relu { text.line("most = lanes_select(most <= 0, (lanes){0}, most);") }
        text.line("y[\(place)] = most;")
        if epilogue.argmax {
          text.line("argmax[\(place)] = __builtin_convertvector(which, lanes_argmax);")
        }
      }
    }
  }
}

let kernelParameters = "void *const *args, const int64_t *sizes, int64_t begin, int64_t end"

func pairs(_ a: Int, _ b: Int) -> [(Int, Int)] {
  (0..<a).flatMap { i in (0..<b).map { (i, $0) } }
}

func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  b == 0 ? a : greatestCommonDivisor(b, a % b)
}
