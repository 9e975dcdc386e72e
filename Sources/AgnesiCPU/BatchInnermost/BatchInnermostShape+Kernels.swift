extension BatchInnermostShape {
  /// The convolution, with what follows it.
  ///
  /// Arguments: source, weights `[filters, channels, kernel…]` (plain), bias `[filters]` (if any),
  /// destination, and argmax (if wanted): for each lane of the destination a byte that says which
  /// element of its window was the first of the largest, or 255 where no gradient passes ReLU.
  ///
  /// - Complexity: one product for each pair of weight and pixel that meet; nothing is padded.
  package func forward(
    name: String, epilogue: ConvolutionEpilogue = ConvolutionEpilogue(), target: LanesTarget
  ) -> BatchInnermostKernel {
    BatchInnermostGather(
      name: name, target: target, outputs: filters, inputs: channels, operand: size,
      result: output, kernel: kernel, rows: axis(0), columns: axis(1),
      outputStride: channels * kernel[0] * kernel[1], inputStride: kernel[0] * kernel[1],
      epilogue: epilogue
    ).kernelText()
  }

  /// The gradient of the source. Arguments: gradient of the convolution's result, weights, gradient
  /// of the source.
  package func backwardData(name: String, target: LanesTarget) -> BatchInnermostKernel {
    BatchInnermostGather(
      name: name, target: target, outputs: channels, inputs: filters, operand: output,
      result: size, kernel: kernel, rows: adjointAxis(0), columns: adjointAxis(1),
      outputStride: kernel[0] * kernel[1], inputStride: channels * kernel[0] * kernel[1]
    ).kernelText()
  }

  /// The gradient before pooling (and ReLU) from the one behind it.
  ///
  /// Arguments: gradient of the pooled result, argmax, gradient of the convolution's result, which
  /// is zero beyond the last sample (`sizes[1]` are their number).
  package func unpool(name: String, pool: [Int], target: LanesTarget) -> BatchInnermostKernel {
    let (height, width) = (output[0], output[1])
    let pooled = [height / pool[0], width / pool[1]]
    var text = CText()
    text.block("void \(name)(\(kernelParameters))") { text in
      text.block("for (int64_t plane = begin; plane < end; plane++)") { text in
        let area = pooled[0] * pooled[1]
        let block = "plane / \(filters) * \(target.lanes)"
        text.line("const lanes_mask used = lanes_first(sizes[1] - \(block));")
        text.line("const lanes *restrict g = (const lanes *)args[0] + plane * \(area);")
        text.line(
          "const lanes_argmax *restrict c = (const lanes_argmax *)args[1] + plane * \(area);")
        text.line("lanes *restrict y = (lanes *)args[2] + plane * \(height * width);")
        if pooled[0] * pool[0] < height || pooled[1] * pool[1] < width {
          // What fills no window has no part in the result.
          text.line("for (int i = 0; i < \(height * width); i++) y[i] = (lanes){0};")
        }
        text.loop("i", 0, "\(pooled[0])") { text in
          text.loop("j", 0, "\(pooled[1])") { text in
            let place = "i * \(pooled[1]) + j"
            text.line("lanes_mask argmax = __builtin_convertvector(c[\(place)], lanes_mask);")
            text.line("lanes_mask gradient = (lanes_mask)g[\(place)] & used;")
            for (index, (u, v)) in pairs(pool[0], pool[1]).enumerated() {
              let target = "(i * \(pool[0]) + \(u)) * \(width) + j * \(pool[1]) + \(v)"
              text.line("y[\(target)] = (lanes)((argmax == \(index)) & gradient);")
            }
          }
        }
      }
    }
    return BatchInnermostKernel(name: name, text: text.finished, extent: filters, isPerBlock: true)
  }
}
