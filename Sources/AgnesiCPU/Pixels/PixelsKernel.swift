/// C text of a convolution whose vectors are neighbouring pixels of a row.
///
/// For few samples and few channels: whole images, kernels and results stay as they are, nothing is
/// brought into another order, and no channel is padded. A weight is broadcast, the pixels that it
/// meets are read at whatever address they have, and a tile of `rows` × `vectors` pixels × `filters`
/// sums stays in registers. Finished rows go through a small buffer, in which windows are pooled.
///
/// Arguments: source, weights `[filters, channels, kernel…]`, bias `[filters]` (if any),
/// destination. The extent is ``extent`` for each sample: a band of rows and a group of filters.
struct PixelsKernel {
  let name: String
  let shape: BatchInnermostShape
  let epilogue: ConvolutionEpilogue
  private let tile: Tile
  /// float32 numbers in a vector.
  private let width: Int

  /// The sizes of a register tile.
  struct Tile: Hashable {
    var rows: Int
    /// Vectors along a row.
    var vectors: Int
    var filters: Int
  }

  init(
    name: String, shape: BatchInnermostShape, epilogue: ConvolutionEpilogue, target: LanesTarget
  ) {
    (self.name, self.shape, self.epilogue) = (name, shape, epilogue)
    let pool = epilogue.pool ?? [1, 1]
    let used = (0..<2).map { shape.output[$0] / pool[$0] * pool[$0] }
    width = Self.width(used[1], target)
    let vectors = (used[1] + width - 1) / width
    tile = Self.tile(
      rows: used[0], unit: pool[0], vectors: vectors, filters: shape.filters,
      limit: Self.accumulators(target))
  }

  /// Eight, since few images have rows of a multiple of sixteen, and a vector of eight costs half of
  /// one of sixteen on processors that compute those in halves (Zen 4); less for short rows.
  private static func width(_ columns: Int, _ target: LanesTarget) -> Int {
    var width = min(8, target.lanes)
    while width > max(columns, 1) { width /= 2 }
    return width
  }

  /// Half of the registers: enough to hide how long a product takes. LeNet's second convolution gains
  /// 2 % from 20 sums, and the first loses (measured with clang on Zen 4).
  private static func accumulators(_ target: LanesTarget) -> Int {
    target == .avx2 ? 10 : 16
  }

  /// The tile that needs the fewest cycles by a simple count: half a cycle for each product and each
  /// load, but no less than dependent products take.
  private static func tile(
    rows: Int, unit: Int, vectors: Int, filters: Int, limit: Int
  ) -> Tile {
    var best = Tile(rows: unit, vectors: 1, filters: 1)
    var least = Double.infinity
    for tileRows in stride(from: unit, through: max(rows, unit), by: unit) {
      for tileVectors in 1...vectors where tileRows * tileVectors <= limit {
        for tileFilters in 1...(limit / (tileRows * tileVectors)) {
          var cycles = 0.0
          for band in pieces(rows, tileRows) {
            for run in pieces(vectors, tileVectors) {
              for group in pieces(filters, tileFilters) {
                let pixels = band.count * run.count
                cycles += max(Double(pixels * group.count) / 2, 4)
                cycles += 0.2 * Double(pixels + group.count)
              }
            }
          }
          guard cycles < least - 1e-9 else { continue }
          least = cycles
          best = Tile(rows: tileRows, vectors: tileVectors, filters: tileFilters)
        }
      }
    }
    return best
  }

  // MARK: Sizes

  private var pool: [Int] { epilogue.pool ?? [1, 1] }
  private var pooled: [Int] { (0..<2).map { shape.output[$0] / pool[$0] } }
  /// Results that are computed: whole windows only.
  private var used: [Int] { (0..<2).map { pooled[$0] * pool[$0] } }
  private var area: Int { shape.size[0] * shape.size[1] }
  private var pooledArea: Int { pooled[0] * pooled[1] }
  /// The weights of a filter.
  private var taps: Int { shape.channels * shape.kernel[0] * shape.kernel[1] }
  private var bands: [Range<Int>] { pieces(used[0], tile.rows) }
  private var groups: [Range<Int>] { pieces(shape.filters, tile.filters) }

  /// Pieces of work for each sample.
  var extent: Int { bands.count * groups.count }

  // MARK: Text

  /// The function `name`, and one for each size of tile.
  var text: String {
    var text = CText()
    text.line("typedef float \(name)_v __attribute__((vector_size(\(width * 4))));")
    text.line("typedef \(name)_v \(name)_p __attribute__((aligned(4)));")
    text.line("typedef int32_t \(name)_m __attribute__((vector_size(\(width * 4))));")
    let rows = Set(bands.map(\.count)).sorted(by: >)
    let filters = Set(groups.map(\.count)).sorted(by: >)
    for (rows, filters) in rows.flatMap({ rows in filters.map { (rows, $0) } }) {
      writePiece(rows, filters, &text)
    }
    text.block("void \(name)(\(kernelParameters))") { text in
      text.line("(void)sizes;")
      text.block("for (int64_t item = begin; item < end; item++)") { text in
        text.line("const int64_t row = item % \(bands.count) * \(tile.rows);")
        let group = "item / \(bands.count) % \(groups.count)"
        text.line("const int64_t filter = \(group) * \(tile.filters);")
        text.line("const int64_t sample = item / \(extent);")
        for (rows, filters) in rows.flatMap({ rows in filters.map { (rows, $0) } }) {
          // A smaller piece is the last one.
          let conditions = [
            fits(rows, tile.rows, "row", used[0]),
            fits(filters, tile.filters, "filter", shape.filters),
          ]
          let condition = conditions.compactMap(\.self).joined(separator: " && ")
          let guarding = condition.isEmpty ? "" : "if (\(condition)) "
          text.line("\(guarding)\(name)_\(rows)_\(filters)(args, sample, row, filter);")
        }
      }
    }
    return text.finished
  }

  /// When a piece that begins at `place` has `count` parts; nil where all pieces have.
  private func fits(_ count: Int, _ most: Int, _ place: String, _ all: Int) -> String? {
    if all % most == 0 || all < most { return nil }
    let isWhole = "\(place) <= \(all - most)"
    return count == most ? isWhole : "!(\(isWhole))"
  }

  private func writePiece(_ rows: Int, _ filters: Int, _ text: inout CText) {
    let parameters = "void *const *args, int64_t sample, int64_t row, int64_t filter"
    text.block("static void \(name)_\(rows)_\(filters)(\(parameters))") { text in
      let origin = "sample * \(shape.channels * area) + row * \(shape.stride[0] * shape.size[1])"
      text.line("const float *restrict x = (const float *)args[0] + \(origin);")
      text.line("const float *restrict w = (const float *)args[1] + filter * \(taps);")
      if epilogue.bias {
        text.line("const float *restrict bias = (const float *)args[2] + filter;")
      }
      let plane = "(sample * \(shape.filters) + filter) * \(pooledArea)"
      let place = "\(plane) + row / \(pool[0]) * \(pooled[1])"
      text.line("float *restrict y = (float *)args[\(epilogue.bias ? 3 : 2)] + \(place);")
      text.line("float rows[\(filters)][\(rows / pool[0])][\(used[1])];")
      let whole = used[1] / (tile.vectors * width) * tile.vectors
      if whole > 0 {
        let offsets = (0..<tile.vectors).map { $0 * width }
        text.loop("x0", 0, "\(whole * width)", by: tile.vectors * width) {
          writeTile(rows, offsets, filters, &$0)
        }
      }
      if whole * width < used[1] {
        // The last vector ends with the row; what it has in common with its neighbour comes out the
        // same.
        let starts = stride(from: whole * width, to: used[1], by: width)
        text.block("") { text in
          text.line("const int64_t x0 = 0;")
          writeTile(rows, starts.map { min($0, used[1] - width) }, filters, &text)
        }
      }
      writeRows(rows / pool[0], filters, &text)
    }
  }

  /// Sums of the vectors at `columns` of each row, into the buffer.
  private func writeTile(_ rows: Int, _ columns: [Int], _ filters: Int, _ text: inout CText) {
    for filter in 0..<filters {
      let start = epilogue.bias ? "bias[\(filter)] - (\(name)_v){0}" : "{0}"
      for (row, column) in pairs(rows, columns.count) {
        text.line("\(name)_v a\(filter)_\(row)_\(column) = \(start);")
      }
    }
    text.loop("input", 0, "\(shape.channels)") { text in
      text.loop("ky", 0, "\(shape.kernel[0])") { text in
        let line = "(input * \(shape.size[0]) + ky * \(shape.dilation[0])) * \(shape.size[1])"
        text.line("const float *restrict p = x + \(line) + x0;")
        let taps = "(input * \(shape.kernel[0]) + ky) * \(shape.kernel[1])"
        text.line("const float *restrict q = w + \(taps);")
        text.loop("kx", 0, "\(shape.kernel[1])") { writeProducts(rows, columns, filters, &$0) }
      }
    }
    for filter in 0..<filters { writeDown(rows, columns, filter, &text) }
  }

  private func writeProducts(
    _ rows: Int, _ columns: [Int], _ filters: Int, _ text: inout CText
  ) {
    let step = shape.dilation[1] == 1 ? "kx" : "kx * \(shape.dilation[1])"
    for (row, column) in pairs(rows, columns.count) {
      let offset = row * shape.stride[0] * shape.size[1] + columns[column]
      text.line(
        "const \(name)_v p\(row)_\(column) = *(const \(name)_p *)(p + \(step) + \(offset));")
    }
    for filter in 0..<filters {
      text.line("const \(name)_v w\(filter) = q[kx + \(filter * taps)] - (\(name)_v){0};")
      for (row, column) in pairs(rows, columns.count) {
        let sum = "a\(filter)_\(row)_\(column)"
        text.line("\(sum) = LANES_FMA(w\(filter), p\(row)_\(column), \(sum));")
      }
    }
  }

  /// The maxima of rows that are in one window, into the buffer.
  private func writeDown(_ rows: Int, _ columns: [Int], _ filter: Int, _ text: inout CText) {
    for (row, column) in pairs(rows / pool[0], columns.count) {
      let most = "a\(filter)_\(row * pool[0])_\(column)"
      for below in 1..<max(pool[0], 1) {
        let value = "a\(filter)_\(row * pool[0] + below)_\(column)"
        text.block("") { text in
          // NaN is the largest of all.
          text.line("const \(name)_m more = ~(\(value) <= \(most)) & (\(most) == \(most));")
          let chosen = "(more & (\(name)_m)\(value)) | (~more & (\(name)_m)\(most))"
          text.line("\(most) = (\(name)_v)(\(chosen));")
        }
      }
      let place = "&rows[\(filter)][\(row)][x0 + \(columns[column])]"
      text.line("*(\(name)_p *)\(place) = \(most);")
    }
  }

  /// The buffer's maxima along rows, rectified, to where they belong.
  private func writeRows(_ rows: Int, _ filters: Int, _ text: inout CText) {
    text.loop("f", 0, "\(filters)") { text in
      text.loop("r", 0, "\(rows)") { text in
        text.line("const float *restrict from = rows[f][r];")
        text.line("float *restrict to = y + f * \(pooledArea) + r * \(pooled[1]);")
        text.block("for (int64_t i = 0; i < \(pooled[1]); i++)") { text in
          text.line("float most = from[i * \(pool[1])];")
          for place in 1..<max(pool[1], 1) {
            text.block("") { text in
              text.line("const float value = from[i * \(pool[1]) + \(place)];")
              text.line("most = !(value <= most) & (most == most) ? value : most;")
            }
          }
          text.line("to[i] = \(epilogue.relu ? "most <= 0 ? 0 : most" : "most");")
        }
      }
    }
  }
}
