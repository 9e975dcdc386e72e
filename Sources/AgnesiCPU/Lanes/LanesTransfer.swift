/// Conversion between plain arrays, whose samples follow one another, and lanes of samples.
package enum LanesTransfer {
  /// Elements that one iteration of the outermost loop converts.
  private static let chunk = 256

  /// To lanes; lanes beyond the last sample become zero. Arguments: plain, lanes.
  ///
  /// `sizes` are the number of blocks and the number of samples.
  ///
  /// - Parameter elements: Elements of one sample.
  package static func pack(name: String, elements: Int, target: LanesTarget) -> LanesKernel {
    transfer(name: name, elements: elements, target: target) { text, lanes in
      text.line("const float *restrict x = (const float *)args[0] + first * \(elements);")
      text.line("float *restrict y = (float *)args[1] + block * \(elements * lanes);")
      text.block("for (int64_t i = start; i < stop; i++)") { text in
        text.block("for (int64_t lane = 0; lane < \(lanes); lane++)") {
          $0.line("y[i * \(lanes) + lane] = lane < count ? x[lane * \(elements) + i] : 0;")
        }
      }
    }
  }

  /// From lanes; arguments: lanes, plain. See ``pack(name:elements:target:)``.
  package static func unpack(name: String, elements: Int, target: LanesTarget) -> LanesKernel {
    transfer(name: name, elements: elements, target: target) { text, lanes in
      text.line("const float *restrict x = (const float *)args[0] + block * \(elements * lanes);")
      text.line("float *restrict y = (float *)args[1] + first * \(elements);")
      text.block("for (int64_t lane = 0; lane < count; lane++)") { text in
        text.block("for (int64_t i = start; i < stop; i++)") {
          $0.line("y[lane * \(elements) + i] = x[i * \(lanes) + lane];")
        }
      }
    }
  }

  private static func transfer(
    name: String, elements: Int, target: LanesTarget, _ body: (inout CText, Int) -> Void
  ) -> LanesKernel {
    let chunks = pieces(elements, chunk).count
    var text = CText()
    text.block("void \(name)(\(kernelParameters))") { text in
      text.block("for (int64_t item = begin; item < end; item++)") { text in
        text.line("int64_t block = item / \(chunks), start = item % \(chunks) * \(chunk);")
        text.line("int64_t stop = start + \(chunk);")
        text.line("if (stop > \(elements)) stop = \(elements);")
        text.line("int64_t first = block * \(target.lanes), count = sizes[1] - first;")
        text.line("if (count > \(target.lanes)) count = \(target.lanes);")
        body(&text, target.lanes)
      }
    }
    return LanesKernel(name: name, text: text.text, extent: chunks, isPerBlock: true)
  }
}
