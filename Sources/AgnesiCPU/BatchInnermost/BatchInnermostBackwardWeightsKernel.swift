extension BatchInnermostShape {
  /// The gradients of the weights and, if wanted, the bias.
  ///
  /// Arguments: source, gradient of the convolution's result, gradient of the weights (plain),
  /// gradient of the bias. Sums run over blocks in order, then over the lanes by halves, so they do
  /// not depend on the number of threads.
  package func backwardWeights(
    name: String, bias: Bool, target: LanesTarget
  ) -> BatchInnermostKernel {
    BatchInnermostBackwardWeightsKernel(name: name, shape: self, bias: bias, target: target)
      .kernelText()
  }
}

/// The nest of a gradient of weights: a tile of filters × one row of the kernel is summed up in
/// registers over all pixels of a block.
private struct BatchInnermostBackwardWeightsKernel {
  var name: String
  var shape: BatchInnermostShape
  var bias: Bool
  var target: LanesTarget

  private var height: Int { shape.kernel[0] }
  private var width: Int { shape.kernel[1] }

  /// Filters of a tile, as even as their number allows.
  private var tile: Int {
    let most = max(target.accumulators / width, 1)
    let groups = (shape.filters + most - 1) / most
    return (shape.filters + groups - 1) / groups
  }

  func kernelText() -> BatchInnermostKernel {
    let groups = pieces(shape.filters, tile)
    let sizes = Array(Set(groups.map(\.count))).sorted(by: >)
    var text = CText()
    for size in sizes { writeGroup(size, &text) }
    text.block("void \(name)(\(kernelParameters))") { text in
      text.block("for (int64_t item = begin; item < end; item++)") { text in
        // Rows of the kernel are outermost, so that threads share the work evenly even with one
        // channel and few filters.
        text.line("int64_t ky = item % \(height), rest = item / \(height);")
        text.line("int64_t group = rest / \(shape.channels), channel = rest % \(shape.channels);")
        for (index, size) in sizes.enumerated() {
          let last = "group == \(groups.count - 1)"
          let condition = sizes.count == 1 ? "1" : index == 0 ? "!(\(last))" : last
          let call = "\(name)_\(size)(args, sizes[0], group * \(tile), channel, ky);"
          text.line("if (\(condition)) \(call)")
        }
      }
    }
    return BatchInnermostKernel(
      name: name, text: text.finished, extent: groups.count * shape.channels * height,
      isPerBlock: false)
  }

  private func writeGroup(_ size: Int, _ text: inout CText) {
    let (area, resultArea) = (shape.size[0] * shape.size[1], shape.output[0] * shape.output[1])
    let parameters =
      "void *const *args, int64_t blocks, int64_t filter, int64_t channel, int64_t ky"
    text.block("static void \(name)_\(size)(\(parameters))") { text in
      for (filter, tap) in pairs(size, width) { text.line("lanes a\(filter)_\(tap) = {0};") }
      text.block("for (int64_t block = 0; block < blocks; block++)") { text in
        text.line(
          "const lanes *restrict x = (const lanes *)args[0] + (block * \(shape.channels) + channel)"
            + " * \(area);")
        text.line(
          "const lanes *restrict g = (const lanes *)args[1] + (block * \(shape.filters) + filter)"
            + " * \(resultArea);")
        text.loop("row", 0, "\(shape.output[0])") { text in
          let place = "row * \(shape.stride[0]) + ky * \(shape.dilation[0]) - \(shape.padBegin[0])"
          text.line("int64_t line = \(place);")
          text.line("if (line < 0 || line >= \(shape.size[0])) continue;")
          text.line("const lanes *restrict r = x + line * \(shape.size[1]);")
          text.line("const lanes *restrict s = g + row * \(shape.output[1]);")
          writeColumns(size, resultArea, &text)
        }
      }
      writeSums(size, &text)
      if bias { writeBias(size, resultArea, &text) }
    }
  }

  private func writeColumns(_ size: Int, _ resultArea: Int, _ text: inout CText) {
    let axis = shape.axis(1)
    let runs = BatchInnermostRun.cover(shape.output[1], width: 1, taps: width, axis: axis)
    for run in runs {
      text.loop("x0", run.start, "\(run.end)") { text in
        text.line("const lanes *restrict p = r + \(axis.baseText("x0"));")
        for (tap, reaches) in run.taps.enumerated() {
          if let reach = reaches.first { text.line("lanes p\(tap) = p[\(reach.offset)];") }
        }
        for filter in 0..<size {
          text.block("") { text in
            text.line("lanes gradient = s[x0 + \(filter * resultArea)];")
            for (tap, reaches) in run.taps.enumerated() where !reaches.isEmpty {
              let sum = "a\(filter)_\(tap)"
              text.line("\(sum) = LANES_FMA(gradient, p\(tap), \(sum));")
            }
          }
        }
      }
    }
  }

  private func writeSums(_ size: Int, _ text: inout CText) {
    let place = "((filter * \(shape.channels) + channel) * \(height) + ky) * \(width)"
    text.line("float *restrict w = (float *)args[2] + \(place);")
    let sums = pairs(size, width).map { "a\($0)_\($1)" }.joined(separator: ", ")
    text.line("lanes sums[\(size * width)] = {\(sums)};")
    text.loop("f", 0, "\(size)") { text in
      let next = shape.channels * height * width
      text.loop("kx", 0, "\(width)") {
        $0.line("w[f * \(next) + kx] = lanes_sum(&sums[f * \(width) + kx]);")
      }
    }
  }

  private func writeBias(_ size: Int, _ resultArea: Int, _ text: inout CText) {
    text.line("if (channel != 0 || ky != 0) return;")
    text.loop("f", 0, "\(size)") { text in
      text.line("lanes sum = {0};")
      text.block("for (int64_t block = 0; block < blocks; block++)") { text in
        let place = "(block * \(shape.filters) + filter + f) * \(resultArea)"
        text.line("const lanes *restrict g = (const lanes *)args[1] + \(place);")
        text.line("for (int64_t i = 0; i < \(resultArea); i++) sum += g[i];")
      }
      text.line("((float *)args[3])[filter + f] = lanes_sum(&sum);")
    }
  }
}
