import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// The gradients of kernels that each have a channel of their own, from images in channel blocks:
/// the lanes of a vector are channels, so that no sum crosses lanes.
///
/// The library has a kernel for few sizes only, and for the others one that is a hundred times slower.
/// One thread's part is whole blocks of channels. The sums of one image and one row of the kernel
/// stay in registers, two for each tap, and images follow one another, so results do not depend on
/// the number of threads.
struct DepthwiseBackwardWeights: Operation {
  static let name = "depthwiseBackwardWeights"

  /// The same for the library.
  private let base: ChannelBlockedConvolution

  /// Nil for what is no such convolution.
  init?(_ convolution: ChannelBlockedConvolution, channels: Size, filters: Size) {
    let groups = Size(convolution.geometry.groups)
    guard convolution.kind == .backwardWeights, convolution.geometry.axisCount == 2,
      channels == groups,
      filters == groups, convolution.size.count == 2, convolution.kernelSides != nil,
      convolution.blocks.width == LanesTarget.host.lanes
    else { return nil }
    base = convolution
  }

  private init(_ base: ChannelBlockedConvolution) { self.base = base }

  var roles: [String] { base.roles }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try base.types(of: operands)
  }

  func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray] {
    try base.reference(operands, types: types)
  }

  func substituting(_ sizes: [String: Size]) -> DepthwiseBackwardWeights {
    DepthwiseBackwardWeights(base.substituting(sizes))
  }
}

extension ChannelBlockedConvolution {
  /// Rows and columns of the kernels; nil where they are not numbers.
  fileprivate var kernelSides: (Int, Int)? {
    guard size.count == 2, let rows = size[0].known, let columns = size[1].known else { return nil }
    return (rows, columns)
  }
}

extension DepthwiseBackwardWeights: CountsWork {
  func multiplyAdds(of operands: [TensorType]) -> Size { base.multiplyAdds(of: operands) }
}

extension DepthwiseBackwardWeights: WrittenOperation {
  func kernelText(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> KernelText {
    let (image, gradients) = (operands[0].shape, operands[1].shape)
    let work = multiplyAdds(of: operands)
    let name = "agnesi_depthwise_to_kernels"
    return KernelText(
      name: name, text: text(name), prelude: LanesC.prelude(target), extent: image[1],
      sizes: [image[0], image[1], image[2], image[3], gradients[2], gradients[3]], cost: work,
      multiplyAdds: work, producer: "channel-blocked, depthwise")
  }

  private func text(_ name: String) -> String {
    let (rows, columns) = base.kernelSides ?? (0, 0)
    let count = rows * columns
    var text = CText()
    text.block("void \(name)(\(kernelParameters))") { text in
      text.line("const int64_t batch = sizes[0], blocks = sizes[1], rows = sizes[2];")
      text.line("const int64_t columns = sizes[3], down = sizes[4], across = sizes[5];")
      writeBounds(columns, &text)
      text.block("for (int64_t item = begin; item < end; item++)") { text in
        text.line("lanes total[\(count)] = {0};")
        text.block("for (int64_t n = 0; n < batch; n++)") { text in
          text.line("const int64_t part = n * blocks + item;")
          text.line("const lanes_loose *x = (const lanes_loose *)args[0] + part * rows * columns;")
          text.line("const lanes_loose *g = (const lanes_loose *)args[1] + part * down * across;")
          text.block("for (int64_t ky = 0; ky < \(rows); ky++)") { writeRow(columns, &$0) }
        }
        text.line("float *w = (float *)args[2] + item * \(base.blocks.width * count);")
        text.loop("lane", 0, "\(base.blocks.width)") { text in
          text.loop("tap", 0, "\(count)") {
            $0.line("w[lane * \(count) + tap] = total[tap][lane];")
          }
        }
      }
    }
    return text.finished
  }

  /// The results whose windows lie within the columns are `first..<last`.
  private func writeBounds(_ columns: Int, _ text: inout CText) {
    let (stride, pad) = (base.geometry.stride[1], base.geometry.padBegin[1])
    let reach = (columns - 1) * base.geometry.dilation[1]
    text.line("int64_t first = \((pad + stride - 1) / stride);")
    text.line("int64_t room = columns - 1 + \(pad) - \(reach);")
    text.line("int64_t last = room < 0 ? 0 : room / \(stride) + 1;")
    text.line("if (last > across) last = across;")
    text.line("if (first > last) first = last = across;")
  }

  private func writeRow(_ columns: Int, _ text: inout CText) {
    let geometry = base.geometry
    let (stride, pad, dilation) = (geometry.stride, geometry.padBegin, geometry.dilation)
    for tap in 0..<columns { text.line("lanes a\(tap) = {0}, b\(tap) = {0};") }
    text.block("for (int64_t row = 0; row < down; row++)") { text in
      text.line("const int64_t line = row * \(stride[0]) + ky * \(dilation[0]) - \(pad[0]);")
      text.line("if (line < 0 || line >= rows) continue;")
      text.line("const lanes_loose *r = x + line * columns, *s = g + row * across;")
      text.line("int64_t column = 0;")
      writeBorder("first", columns, &text)
      text.line("LANES_LOOP")
      text.block("for (; column + 2 <= last; column += 2)") { text in
        text.line("const lanes_loose *p = r + column * \(stride[1]) - \(pad[1]);")
        text.line("const lanes u = s[column], v = s[column + 1];")
        for tap in 0..<columns {
          let place = tap * dilation[1]
          text.line("a\(tap) = LANES_FMA(u, (lanes)p[\(place)], a\(tap));")
          text.line("b\(tap) = LANES_FMA(v, (lanes)p[\(place + stride[1])], b\(tap));")
        }
      }
      writeBorder("across", columns, &text)
    }
    for tap in 0..<columns {
      text.line("total[ky * \(columns) + \(tap)] += a\(tap) + b\(tap);")
    }
  }

  /// Results up to `end`, with a look at each tap.
  private func writeBorder(_ end: String, _ columns: Int, _ text: inout CText) {
    let (stride, pad) = (base.geometry.stride[1], base.geometry.padBegin[1])
    text.line("LANES_LOOP")
    text.block("for (; column < \(end); column++)") { text in
      text.line("const lanes u = s[column];")
      text.line("const int64_t place = column * \(stride) - \(pad);")
      for tap in 0..<columns {
        let position = "place + \(tap * base.geometry.dilation[1])"
        text.line(
          "if (\(position) >= 0 && \(position) < columns) "
            + "a\(tap) = LANES_FMA(u, (lanes)r[\(position)], a\(tap));")
      }
    }
  }
}
