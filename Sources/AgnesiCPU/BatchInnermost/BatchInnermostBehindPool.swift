import AgnesiArrays

// The two ways back through a convolution with pooling behind it, without the gradients in between:
// of each window only one gradient is not zero, so instead of multiplying with all, each lane
// selects what its one gradient meets. Selecting costs less than multiplying.
//
// The products with zeros that are left out this way could only have been 0 · ∞ or 0 · NaN.

extension BatchInnermostShape {
  /// Whether ``backwardData(name:behind:target:)`` and
  /// ``backwardWeights(name:bias:behind:target:)`` can be used, and are quicker than unpooling.
  package func paysBehind(pool: [Int], target: LanesTarget) -> Bool {
    let isPlain =
      (stride + dilation).allSatisfy { $0 == 1 } && (padBegin + padEnd).allSatisfy { $0 == 0 }
    // Selected values need registers too.
    let hasRegisters = target.accumulators >= 25 && kernel[1] + pool[1] <= target.accumulators
    return isPlain && hasRegisters && pool.product >= 4
  }

  /// The gradient of the source. Arguments: gradient of the pooled result, argmax, weights,
  /// gradient of the source.
  package func backwardData(
    name: String, behind pool: [Int], target: LanesTarget
  ) -> BatchInnermostKernel {
    BatchInnermostBehindPool(name: name, shape: self, pool: pool, target: target).backwardData()
  }

  /// The gradients of the weights and, if wanted, the bias. Arguments: source, gradient of the pooled
  /// result, argmax, gradient of the weights, gradient of the bias. `sizes[1]` is the number of
  /// samples; what lies beyond is left out.
  package func backwardWeights(
    name: String, bias: Bool, behind pool: [Int], target: LanesTarget
  ) -> BatchInnermostKernel {
    BatchInnermostBehindPool(name: name, shape: self, pool: pool, target: target).backwardWeights(
      bias: bias)
  }
}

private struct BatchInnermostBehindPool {
  var name: String
  var shape: BatchInnermostShape
  var pool: [Int]
  var target: LanesTarget

  private var pooled: [Int] { (0..<2).map { shape.output[$0] / pool[$0] } }
  private var pooledArea: Int { pooled[0] * pooled[1] }
  private var area: Int { shape.size[0] * shape.size[1] }
  private var kernelArea: Int { shape.kernel[0] * shape.kernel[1] }

  /// Reads the place and the gradient of one window.
  private func writeGradient(_ place: String, used: String? = nil, _ text: inout CText) {
    text.line("const lanes_mask argmax = __builtin_convertvector(c[\(place)], lanes_mask);")
    let kept = ["(argmax != 255)", used].compactMap { $0 }.joined(separator: " & ")
    text.line("const lanes gradient = (lanes)((lanes_mask)g[\(place)] & \(kept));")
  }

  /// Says for each lane whether the place is in column or row 1, 2 … of its window.
  private func writeMasks(_ text: inout CText) {
    for column in 1..<max(pool[1], 1) {
      let tests = (0..<pool[0]).map { "(argmax == \($0 * pool[1] + column))" }
      text.line("const lanes_mask column\(column) = \(tests.joined(separator: " | "));")
    }
    for row in 1..<max(pool[0], 1) {
      let tests = (0..<pool[1]).map { "(argmax == \(row * pool[1] + $0))" }
      text.line("const lanes_mask row\(row) = \(tests.joined(separator: " | "));")
    }
  }

  /// The one of `values` whose mask is set, the first where none is; nil stands for zero.
  private func selected(_ mask: String, _ values: [String?]) -> String? {
    if values.allSatisfy({ $0 == nil }) { return nil }
    let zero = "(lanes){0}"
    return values.enumerated().dropFirst().reduce(values[0] ?? zero) { text, next in
      "lanes_select(\(mask)\(next.offset), \(next.element ?? zero), \(text))"
    }
  }

  // MARK: Weights

  /// Rows of the kernel that are summed up in registers at once.
  private var kernelRows: [Range<Int>] {
    pieces(shape.kernel[0], max(1, target.accumulators / shape.kernel[1]))
  }

  func backwardWeights(bias: Bool) -> BatchInnermostKernel {
    var text = CText()
    for rows in kernelRows { writeWeights(rows, &text) }
    if bias { writeBias(&text) }
    text.block("void \(name)(\(kernelParameters))") { text in
      text.block("for (int64_t item = begin; item < end; item++)") { text in
        text.line(
          "const int64_t filter = item / \(shape.channels), channel = item % \(shape.channels);")
        text.line("const lanes *x = (const lanes *)args[0] + channel * \(area);")
        text.line("const lanes *g = (const lanes *)args[1] + filter * \(pooledArea);")
        text.line("const lanes_argmax *c = (const lanes_argmax *)args[2] + filter * \(pooledArea);")
        text.line("float *w = (float *)args[3] + item * \(kernelArea);")
        for rows in kernelRows {
          text.line("\(name)_\(rows.lowerBound)(x, g, c, sizes, w);")
        }
        if bias {
          text.line("if (channel == 0) ((float *)args[4])[filter] = \(name)_bias(g, c, sizes);")
        }
      }
    }
    return BatchInnermostKernel(
      name: name, text: text.finished, extent: shape.filters * shape.channels, isPerBlock: false)
  }

  /// Loops over all windows, block by block.
  private func writeWindows(
    _ text: inout CText, _ body: (inout CText) -> Void
  ) {
    let step = shape.filters * pooledArea
    text.block("for (int64_t block = 0; block < sizes[0]; block++, g += \(step), c += \(step))") {
      text in
      text.line("const lanes_mask used = lanes_first(sizes[1] - block * \(target.lanes));")
      text.loop("i", 0, "\(pooled[0])") { text in
        text.loop("j", 0, "\(pooled[1])") { text in
          writeGradient("i * \(pooled[1]) + j", used: "used", &text)
          body(&text)
        }
      }
    }
  }

  private func writeWeights(_ rows: Range<Int>, _ text: inout CText) {
    let (width, columns) = (shape.size[1], shape.kernel[1])
    let head =
      "static void \(name)_\(rows.lowerBound)(const lanes *restrict x, const lanes *restrict g,"
      + " const lanes_argmax *restrict c, const int64_t *sizes, float *restrict w)"
    text.block(head) { text in
      for (row, column) in pairs(rows.count, columns) {
        text.line("lanes a\(row)_\(column) = {0};")
      }
      writeWindows(&text) { text in
        writeMasks(&text)
        let image = "block * \(shape.channels * area)"
        let place = "(i * \(pool[0]) + \(rows.lowerBound)) * \(width) + j * \(pool[1])"
        text.line("const lanes *restrict r = x + \(image) + \(place);")
        for row in 0..<(rows.count + pool[0] - 1) {
          for column in 0..<columns {
            let values = (0..<pool[1]).map { "r[\(row * width + column + $0)]" }
            text.line("lanes p\(row)_\(column) = \(selected("column", values) ?? "");")
          }
          let first = row - pool[0] + 1
          guard first >= 0 else { continue }
          for column in 0..<columns {
            let values = (0..<pool[0]).map { "p\(first + $0)_\(column)" }
            let sum = "a\(first)_\(column)"
            text.line("\(sum) = LANES_FMA(gradient, \(selected("row", values) ?? ""), \(sum));")
          }
        }
      }
      let sums = pairs(rows.count, columns).map { "a\($0)_\($1)" }.joined(separator: ", ")
      text.line("lanes sums[\(rows.count * columns)] = {\(sums)};")
      text.loop("k", 0, "\(rows.count * columns)") {
        $0.line("w[\(rows.lowerBound * columns) + k] = lanes_sum(&sums[k]);")
      }
    }
  }

  private func writeBias(_ text: inout CText) {
    let head =
      "static float \(name)_bias(const lanes *restrict g, const lanes_argmax *restrict c,"
      + " const int64_t *sizes)"
    text.block(head) { text in
      text.line("lanes sum = {0};")
      writeWindows(&text) { $0.line("sum += gradient;") }
      text.line("return lanes_sum(&sum);")
    }
  }

  // MARK: Data

  /// Height and width of what a window sees of the source.
  private var patch: [Int] { (0..<2).map { shape.kernel[$0] + pool[$0] - 1 } }

  /// Rows of a patch that are summed up at once. Half as many sums again as there are registers for
  /// cost less than selecting weights twice.
  private var patchRows: [Range<Int>] {
    pieces(patch[0], max(1, target.accumulators * 3 / 2 / patch[1]))
  }

  func backwardData() -> BatchInnermostKernel {
    var text = CText()
    for rows in patchRows { writePatch(rows, &text) }
    text.block("void \(name)(\(kernelParameters))") { text in
      text.line("(void)sizes;")
      text.block("for (int64_t item = begin; item < end; item++)") { text in
        text.line(
          "const int64_t block = item / \(shape.channels), channel = item % \(shape.channels);")
        text.line(
          "const lanes *g = (const lanes *)args[0] + block * \(shape.filters * pooledArea);")
        text.line(
          "const lanes_argmax *c = (const lanes_argmax *)args[1] + block * \(shape.filters * pooledArea);"
        )
        text.line("const float *w = (const float *)args[2] + channel * \(kernelArea);")
        text.line("lanes *y = (lanes *)args[3] + item * \(area);")
        text.line("for (int64_t k = 0; k < \(area); k++) y[k] = (lanes){0};")
        text.loop("i", 0, "\(pooled[0])") { text in
          text.loop("j", 0, "\(pooled[1])") { text in
            let window = "i * \(pooled[1]) + j"
            for rows in patchRows {
              let row = "(i * \(pool[0]) + \(rows.lowerBound)) * \(shape.size[1])"
              text.line(
                "\(name)_\(rows.lowerBound)(g + \(window), c + \(window), w,"
                  + " y + \(row) + j * \(pool[1]));")
            }
          }
        }
      }
    }
    return BatchInnermostKernel(
      name: name, text: text.finished, extent: shape.channels, isPerBlock: true)
  }

  private func writePatch(_ rows: Range<Int>, _ text: inout CText) {
    let head =
      "static void \(name)_\(rows.lowerBound)(const lanes *restrict g, const lanes_argmax *restrict c,"
      + " const float *restrict w, lanes *restrict y)"
    text.block(head) { text in
      let places = pairs(rows.count, patch[1])
      for (row, column) in places { text.line("lanes a\(row)_\(column) = {0};") }
      text.loop("filter", 0, "\(shape.filters)") { text in
        text.line("const float *restrict v = w + filter * \(shape.channels * kernelArea);")
        writeGradient("filter * \(pooledArea)", &text)
        writeMasks(&text)
        let kernelRows =
          max(0, rows.lowerBound - pool[0] + 1)..<min(rows.upperBound, shape.kernel[0])
        // Column by column, so that few selected weights are in registers at a time.
        for column in 0..<patch[1] {
          for row in kernelRows {
            let shifted = selected("column", (0..<pool[1]).map { weight(row, column - $0) })
            text.line("const lanes w\(row)_\(column) = \(shifted ?? "(lanes){0}");")
          }
          for row in 0..<rows.count {
            let weights = (0..<pool[0]).map { shift -> String? in
              let kernelRow = rows.lowerBound + row - shift
              return kernelRows.contains(kernelRow) ? "w\(kernelRow)_\(column)" : nil
            }
            let sum = "a\(row)_\(column)"
            let weight = selected("row", weights) ?? "(lanes){0}"
            text.line("\(sum) = LANES_FMA(gradient, \(weight), \(sum));")
          }
        }
      }
      // An array of vectors also aligns the stack, where the compiler puts what it has no register for.
      let sums = places.map { "a\($0)_\($1)" }.joined(separator: ", ")
      text.line("lanes sums[\(places.count)] = {\(sums)};")
      text.loop("row", 0, "\(rows.count)") { text in
        text.loop("column", 0, "\(patch[1])") {
          let place = "row * \(shape.size[1]) + column"
          $0.line("y[\(place)] += sums[row * \(patch[1]) + column];")
        }
      }
    }
  }

  /// A weight in all lanes; nil outside of the kernel.
  private func weight(_ row: Int, _ column: Int) -> String? {
    let isInside = column >= 0 && column < shape.kernel[1]
    return isInside ? "lanes_all(v[\(row * shape.kernel[1] + column)])" : nil
  }
}
