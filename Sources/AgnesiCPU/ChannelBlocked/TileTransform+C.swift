import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

// The transforms in C. Each holds a tile of one block of channels (for kernels: of filters) in
// registers and treats it column by column, then row by row.

extension TileTransform: WrittenOperation {
  func kernelText(
    _ operands: [TensorType], _ results: [TensorType], target: LanesTarget
  ) -> KernelText {
    let name = "agnesi_tile_transform"
    let channels = shape[1]
    let (extent, sizes): (Size, [Size])
    switch (form, direction) {
    case (.kernels, _):
      (extent, sizes) = (isTransposed ? shape[0] : channels, [channels, shape[0]])
    case (.image, .fromWinogradDomain):
      // Tiles overlap, so that an image is one thread's.
      extent = shape[0] * (channels / Size(blocks.width))
      sizes = [shape[0], channels / Size(blocks.width), shape[2], shape[3]]
    default:
      let rows = form == .image ? shape[2] / 2 : shape[2]
      extent = shape[0] * Self.tiles(rows)
      sizes = [shape[0], channels / Size(blocks.width), shape[2], shape[3]]
    }
    return KernelText(
      name: name, text: "LANES_BEGIN\n\(text(name, width: blocks.width))LANES_END\n",
      prelude: LanesC.prelude(target), extent: extent, sizes: sizes,
      cost: operands[0].count + results[0].count, multiplyAdds: 0,
      producer: "channel-blocked, tile transform")
  }

  private func text(_ name: String, width: Int) -> String {
    switch (form, direction) {
    case (.image, .toWinogradDomain): line(name) + imageToWinogradDomain(name)
    case (.image, .fromWinogradDomain): line(name) + imageFromWinogradDomain(name)
    case (.result, .toWinogradDomain): line(name) + resultToWinogradDomain(name)
    case (.result, .fromWinogradDomain): line(name) + resultFromWinogradDomain(name)
    case (.kernels, .toWinogradDomain): line(name) + kernelsToWinogradDomain(name, width)
    case (.kernels, .fromWinogradDomain): line(name) + kernelsFromWinogradDomain(name, width)
    }
  }

  /// `count` calls of the transform of one line.
  private func calls(
    _ count: Int, _ name: String, _ arguments: (_ index: Int) -> String
  ) -> String {
    (0..<count).map { "\(name)_line(\(arguments($0)));" }.joined(separator: "\n      ")
  }

  // MARK: One line

  /// The transform along one axis, `s` and `t` vectors apart: a product with a constant matrix, in
  /// few operations.
  private func line(_ name: String) -> String {
    let body =
      switch (form, direction) {
      case (.image, .toWinogradDomain):
        """
          lanes d = x[3 * s] - x[s], e = x[2 * s] - x[s];
          y[0] = LANES_FMA(lanes_all(2), x[0] - x[2 * s], d);
          y[t] = d - (x[s] + x[2 * s]);
          y[2 * t] = LANES_FMA(lanes_all(-3), e, d);
          y[3 * t] = d;
          y[4 * t] = LANES_FMA(lanes_all(-2), d, x[4 * s] - x[2 * s]);
        """
      case (.image, .fromWinogradDomain):
        """
          lanes a = x[0] + x[0], b = x[s], c = x[2 * s], e = x[4 * s];
          lanes d = LANES_FMA(lanes_all(-2), e, x[0] + b + c + x[3 * s]);
          y[0] = a;
          y[t] = LANES_FMA(lanes_all(3), c, -d) - b;
          y[2 * t] = LANES_FMA(lanes_all(-3), c, -a - b) - e;
          y[3 * t] = d;
          y[4 * t] = e;
        """
      case (.result, .toWinogradDomain):
        """
          lanes a = x[0], b = x[s], c = x[2 * s], d = x[3 * s], two = lanes_all(2);
          y[0] = a;
          y[t] = (a + c) + (b + d);
          y[2 * t] = (a + c) - (b + d);
          y[3 * t] = LANES_FMA(two, LANES_FMA(two, LANES_FMA(two, d, c), b), a);
          y[4 * t] = d;
        """
      case (.result, .fromWinogradDomain):
        """
          lanes d = x[3 * s], sum = x[s] + x[2 * s], difference = x[s] - x[2 * s];
          lanes last = x[4 * s];
          y[0] = x[0] + sum + d;
          y[t] = LANES_FMA(lanes_all(2), d, difference);
          y[2 * t] = LANES_FMA(lanes_all(4), d, sum);
          y[3 * t] = LANES_FMA(lanes_all(8), d, difference) + last;
        """
      case (.kernels, .toWinogradDomain):
        """
          lanes a = x[0], b = x[s], sixth = lanes_all(1 / 6.0f);
          y[0] = lanes_all(0.5f) * a;
          y[t] = lanes_all(-0.5f) * (a + b);
          y[2 * t] = sixth * (b - a);
          y[3 * t] = sixth * LANES_FMA(lanes_all(2), b, a);
          y[4 * t] = b;
        """
      case (.kernels, .fromWinogradDomain):
        """
          lanes half = lanes_all(0.5f), sixth = lanes_all(1 / 6.0f);
          lanes b = half * x[s], c = sixth * x[2 * s], d = sixth * x[3 * s];
          y[0] = LANES_FMA(half, x[0], d) - (b + c);
          y[t] = LANES_FMA(lanes_all(2), d, c) + (x[4 * s] - b);
        """
      }
    // The first of two passes may read from any address, the second write to any.
    return """
      static inline __attribute__((always_inline)) void \(name)_line(
          const lanes_loose *x, int64_t s, lanes_loose *y, int64_t t) {
      \(body)
      }

      """
  }

  // MARK: Images

  private func imageToWinogradDomain(_ name: String) -> String {
    """
    void \(name)(\(kernelParameters)) {
      const int64_t samples = sizes[0], blocks = sizes[1], height = sizes[2], width = sizes[3];
      const int64_t down = (height / 2 + 3) / 4, across = (width / 2 + 3) / 4;
      const int64_t step = samples * down * across * blocks * 4;
      for (int64_t item = begin; item < end; item++)
      for (int64_t tile = 0; tile < across; tile++)
      for (int64_t block = 0; block < blocks; block++) {
        const int64_t top = item % down * 8 - 1, left = tile * 8 - 1;
        const lanes_loose *const image =
            (const lanes_loose *)args[0] + (item / down * blocks + block) * height * width;
        lanes_loose pixels[100], lines[25];
        for (int64_t i = 0; i < 10; i++) {
          const int64_t y = top + i;
          const lanes_loose *const row = image + y * width + left;
          for (int64_t j = 0; j < 10; j++) {
            const int isInside = 0 <= y && y < height && 0 <= left + j && left + j < width;
            pixels[i * 10 + j] = isInside ? row[j] : (lanes){0};
          }
        }
        lanes_loose *const values =
            (lanes_loose *)args[1] + ((item * across + tile) * blocks + block) * 4;
        for (int phase = 0; phase < 4; phase++) {
          const lanes_loose *const x = pixels + phase / 2 * 10 + phase % 2;
          \(calls(5, name) { "x + \(2 * $0), 20, lines + \($0), 5" })
          \(calls(5, name) { "lines + \(5 * $0), 1, values + phase + \(5 * $0) * step, step" })
        }
      }
    }

    """
  }

  private func imageFromWinogradDomain(_ name: String) -> String {
    """
    void \(name)(\(kernelParameters)) {
      const int64_t samples = sizes[0], blocks = sizes[1], height = sizes[2], width = sizes[3];
      const int64_t down = (height / 2 + 3) / 4, across = (width / 2 + 3) / 4;
      const int64_t step = samples * down * across * blocks * 4;
      for (int64_t item = begin; item < end; item++) {
        const int64_t sample = item / blocks, block = item % blocks;
        lanes_loose *const image = (lanes_loose *)args[1] + item * height * width;
        for (int64_t i = 0; i < height * width; i++) image[i] = (lanes){0};
        for (int64_t tile = 0; tile < down * across; tile++) {
          const lanes_loose *const values = (const lanes_loose *)args[0]
              + ((sample * down * across + tile) * blocks + block) * 4;
          for (int phase = 0; phase < 4; phase++) {
            lanes_loose lines[25], pixels[25];
            \(calls(5, name) { "values + phase + \($0) * step, 5 * step, lines + \($0), 5" })
            \(calls(5, name) { "lines + \(5 * $0), 1, pixels + \(5 * $0), 1" })
            const int64_t top = tile / across * 8 - 1 + phase / 2;
            const int64_t left = tile % across * 8 - 1 + phase % 2;
            for (int64_t i = 0; i < 5; i++) {
              const int64_t y = top + 2 * i;
              if (y < 0 || y >= height) continue;
              for (int64_t j = 0; j < 5; j++) {
                const int64_t x = left + 2 * j;
                if (0 <= x && x < width) image[y * width + x] += pixels[i * 5 + j];
              }
            }
          }
        }
      }
    }

    """
  }

  // MARK: Results

  private func resultToWinogradDomain(_ name: String) -> String {
    let read = "pixels[i * 4 + j] = isInside ? image[y * width + x] : (lanes){0};"
    let lines = calls(4, name) { "pixels + \($0), 4, lines + \($0), 4" }
    let values = calls(5, name) { "lines + \(4 * $0), 1, values + \(5 * $0) * step, step" }
    return result(name, values: 1, image: 0, [pixelLoop(read), lines, values])
  }

  private func resultFromWinogradDomain(_ name: String) -> String {
    let write = "if (isInside) image[y * width + x] = pixels[i * 4 + j];"
    let lines = calls(5, name) { "values + \($0) * step, 5 * step, lines + \($0), 5" }
    let pixels = calls(4, name) { "lines + \(5 * $0), 1, pixels + \(4 * $0), 1" }
    return result(name, values: 0, image: 1, [lines, pixels, pixelLoop(write)])
  }

  private func pixelLoop(_ body: String) -> String {
    """
    for (int64_t i = 0; i < 4; i++)
          for (int64_t j = 0; j < 4; j++) {
            const int64_t y = item % down * 4 + i, x = tile * 4 + j;
            const int isInside = y < height && x < width;
            \(body)
          }
    """
  }

  private func result(_ name: String, values: Int, image: Int, _ parts: [String]) -> String {
    """
    void \(name)(\(kernelParameters)) {
      const int64_t samples = sizes[0], blocks = sizes[1], height = sizes[2], width = sizes[3];
      const int64_t down = (height + 3) / 4, across = (width + 3) / 4;
      const int64_t step = samples * down * across * blocks;
      for (int64_t item = begin; item < end; item++)
      for (int64_t tile = 0; tile < across; tile++)
      for (int64_t block = 0; block < blocks; block++) {
        lanes_loose *const image =
            (lanes_loose *)args[\(image)] + (item / down * blocks + block) * height * width;
        lanes_loose *const values =
            (lanes_loose *)args[\(values)] + (item * across + tile) * blocks + block;
        lanes_loose pixels[16], lines[20];
        \(parts.joined(separator: "\n    "))
      }
    }

    """
  }

  // MARK: Kernels

  /// The 16 taps of as many kernels as lanes are transposed in registers.
  private func kernelsToWinogradDomain(_ name: String, _ width: Int) -> String {
    let read = """
      for (int i = 0; i < \(width); i++)
                rows[i] = *(const lanes_loose *)(kernels + i * apart + tap);
              lanes_transpose(rows);
              for (int i = 0; i < \(width); i++) taps[tap + i] = rows[i];
      """
    let lines = calls(2, name) { "x + \(2 * $0), 8, lines + \($0), 2" }
    let points = calls(5, name) { "lines + \(2 * $0), 1, points + \(5 * $0), 1" }
    let write = """
      for (int i = 0; i < 25; i++) *(lanes_loose *)(values + i * step) = points[i];
      """
    return kernels(
      name, width, values: 1, kernels: 0, before: read,
      [lines, points, write], after: "")
  }

  private func kernelsFromWinogradDomain(_ name: String, _ width: Int) -> String {
    let read = """
      for (int i = 0; i < 25; i++) points[i] = *(const lanes_loose *)(values + i * step);
      """
    let lines = calls(5, name) { "points + \($0), 5, lines + \($0), 5" }
    let taps = calls(2, name) { "lines + \(5 * $0), 1, x + \(8 * $0), 2" }
    let write = """
      for (int i = 0; i < \(width); i++) rows[i] = taps[tap + i];
              lanes_transpose(rows);
              for (int i = 0; i < \(width); i++)
                *(lanes_loose *)(kernels + i * apart + tap) = rows[i];
      """
    return kernels(
      name, width, values: 0, kernels: 1, before: "", [read, lines, taps], after: write)
  }

  private func kernels(
    _ name: String, _ width: Int, values: Int, kernels: Int, before: String, _ parts: [String],
    after: String
  ) -> String {
    func transposed(_ body: String) -> String {
      if body.isEmpty { return "" }
      return """
        for (int tap = 0; tap < 16; tap += \(width)) {
              lanes rows[\(width)];
              \(body)
            }
        """
    }
    // Lanes are along the values' last axis: filters, or channels where they are transposed.
    let (outer, inner) = isTransposed ? ("filter", "channel") : ("channel", "filter")
    let apart = isTransposed ? "16" : "channels * 16"
    let place =
      isTransposed
      ? "(filter * channels + channel) * 4 + phase * \(width)"
      : "((channel / \(width) * 4 + phase) * \(width) + channel % \(width)) * filters + filter"
    return """
      void \(name)(\(kernelParameters)) {
        const int64_t channels = sizes[0], filters = sizes[1], step = channels * 4 * filters;
        const int64_t apart = \(apart);
        for (int64_t \(outer) = begin; \(outer) < end; \(outer)++)
        for (int64_t \(inner) = 0; \(inner) < \(inner)s; \(inner) += \(width)) {
          float *const kernels = (float *)args[\(kernels)] + (filter * channels + channel) * 16;
          lanes_loose taps[16];
          \(transposed(before))
          for (int phase = 0; phase < 4; phase++) {
            float *const values = (float *)args[\(values)] + \(place);
            lanes_loose *const x = taps + phase / 2 * 4 + phase % 2;
            lanes_loose points[25], lines[10];
            \(parts.joined(separator: "\n      "))
          }
          \(transposed(after))
        }
      }

      """
  }
}
