/// Conversion between plain arrays, whose samples follow one another, and the batch-innermost
/// layout.
package enum BatchInnermostTransfer {
  /// Elements that one iteration of the outermost loop converts.
  private static let chunk = 256

  /// To batch-innermost; lanes beyond the last sample become copies of it. Arguments: plain, lanes.
  ///
  /// `sizes` are the number of blocks and the number of samples.
  ///
  /// - Parameter elements: Elements of one sample.
  package static func pack(
    name: String, elements: Int, target: LanesTarget
  ) -> BatchInnermostKernel {
    transfer(name: name, elements: elements, target: target) { text in
      let lanes = target.lanes
      text.line("const float *const x = (const float *)args[0] + first * \(elements);")
      text.line("lanes *const y = (lanes *)args[1] + block * \(elements);")
      for lane in 0..<lanes {
        let sample = "(\(lane) < count ? \(lane) : count - 1)"
        text.line("const float *const x\(lane) = x + \(sample) * \(elements);")
      }
      text.block("for (; i + \(lanes) <= stop; i += \(lanes))") { text in
        let rows = (0..<lanes).map { "*(const lanes_loose *)(x\($0) + i)" }
        text.line("lanes rows[\(lanes)] = {\(rows.joined(separator: ", "))};")
        text.line("lanes_transpose(rows);")
        for row in 0..<lanes { text.line("y[i + \(row)] = rows[\(row)];") }
      }
      text.block("for (; i < stop; i++)") { text in
        let elements = (0..<lanes).map { "x\($0)[i]" }
        text.line("y[i] = (lanes){\(elements.joined(separator: ", "))};")
      }
    }
  }

  /// From batch-innermost; arguments: lanes, plain. See ``pack(name:elements:target:)``.
  package static func unpack(
    name: String, elements: Int, target: LanesTarget
  ) -> BatchInnermostKernel {
    transfer(name: name, elements: elements, target: target) { text in
      let lanes = target.lanes
      text.line("const lanes *const x = (const lanes *)args[0] + block * \(elements);")
      text.line("float *const y = (float *)args[1] + first * \(elements);")
      text.block("for (; i + \(lanes) <= stop; i += \(lanes))") { text in
        let rows = (0..<lanes).map { "x[i + \($0)]" }
        text.line("lanes rows[\(lanes)] = {\(rows.joined(separator: ", "))};")
        text.line("lanes_transpose(rows);")
        for lane in 0..<lanes {
          let row = "*(lanes_loose *)(y + \(lane * elements) + i) = rows[\(lane)];"
          text.line("if (\(lane) < count) \(row)")
        }
      }
      text.block("for (; i < stop; i++)") { text in
        text.line("lanes all = x[i];")
        text.line(
          "for (int64_t lane = 0; lane < count; lane++) y[lane * \(elements) + i] = all[lane];")
      }
    }
  }

  private static func transfer(
    name: String, elements: Int, target: LanesTarget, _ body: (inout CText) -> Void
  ) -> BatchInnermostKernel {
    let chunks = max(1, pieces(elements, chunk).count)
    var text = CText()
    text.block("void \(name)(\(kernelParameters))") { text in
      text.block("for (int64_t item = begin; item < end; item++)") { text in
        text.line("int64_t block = item / \(chunks), i = item % \(chunks) * \(chunk);")
        text.line("int64_t stop = i + \(chunk);")
        text.line("if (stop > \(elements)) stop = \(elements);")
        text.line("int64_t first = block * \(target.lanes), count = sizes[1] - first;")
        text.line("if (count > \(target.lanes)) count = \(target.lanes);")
        body(&text)
      }
    }
    return BatchInnermostKernel(name: name, text: text.finished, extent: chunks, isPerBlock: true)
  }
}
