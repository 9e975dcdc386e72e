extension CHelpers {
  /// What the function is called that sums products for some rows of a tile, of some vectors, of which
  /// the last may be partial.
  static func tileSumsName(rows: Int, vectors: Int, isPartial: Bool) -> String {
    "agnesi_tile_sums_\(rows)x\(vectors)\(isPartial ? "_partial" : "")"
  }
}

extension CHelpers.Helper {
  /// What tiles are made with.
  static var tilesText: String {
    """
    \([8, 16].map(vectorText).joined(separator: "\n"))
    \(transpositionText)
    """
  }

  /// A vector of `lanes` floats. The type is defined here again, since helpers come in any order.
  private static func vectorText(_ lanes: Int) -> String {
    let all = 0..<lanes
    let type = "agnesi_f32x\(lanes)"
    return """
      typedef float \(type) __attribute__((vector_size(\(4 * lanes)), may_alias));
      typedef float \(type)_anywhere
          __attribute__((vector_size(\(4 * lanes)), aligned(4), may_alias));
      static inline \(type) agnesi_splat\(lanes)(float x) {
        return (\(type)){\(all.map { _ in "x" }.joined(separator: ", "))};
      }
      static inline \(type) agnesi_load\(lanes)(const float *from) {
        return *(const \(type)_anywhere *)from;
      }
      /// The first `count` elements; nothing behind them is touched.
      static inline \(type) agnesi_load_some\(lanes)(const float *from, int count) {
        \(type) x = {0};
        if (count <= 0) return x;
        if (count >= \(lanes)) return agnesi_load\(lanes)(from);
      \(lanes == 16 ? maskedText16 : maskedText8)
        for (int j = 0; j < count; ++j) x[j] = from[j];
        return x;
      #endif
      }
      static inline \(type) agnesi_fma\(lanes)(\(type) a, \(type) b, \(type) c) {
      #if !defined(__FMA__) && !defined(__ARM_FEATURE_FMA)
        return c + a * b;
      #elif defined(__clang__)
        return __builtin_elementwise_fma(a, b, c);
      #elif defined(\(lanes == 16 ? "__AVX512F__" : "__AVX2__"))
        return \(lanes == 16
          ? "__builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4)"
          : "__builtin_ia32_vfmaddps256(a, b, c)");
      #else
        for (int j = 0; j < \(lanes); ++j) c[j] = __builtin_fmaf(a[j], b[j], c[j]);
        return c;
      #endif
      }
      \(registerText(lanes))
      """
  }

  /// Makes a C compiler keep a running value in one register from one step of a loop to the next:
  /// clang 21 else hands values round, and some through memory.
  private static func registerText(_ lanes: Int) -> String {
    let (condition, letter) = lanes == 16 ? ("__AVX512F__", "v") : ("__AVX__", "x")
    return """
      #ifdef \(condition)
      #define AGNESI_IN_REGISTER\(lanes)(x) __asm__("" : "+\(letter)"(x))
      #else
      #define AGNESI_IN_REGISTER\(lanes)(x)
      #endif
      """
  }

  private static let maskedText16 = """
    #ifdef __AVX512F__
      return __builtin_ia32_loadups512_mask(from, x, (unsigned short)((1u << count) - 1));
    #else
    """

  private static let maskedText8 = """
    #ifdef __AVX2__
      typedef int agnesi_i32x8 __attribute__((vector_size(32)));
      const agnesi_i32x8 lane = {0, 1, 2, 3, 4, 5, 6, 7};
      return __builtin_ia32_maskloadps256((const void *)from, lane < count);
    #else
    """

  /// Sums of products for `rows` rows of a tile: ``CHelpers/tileSumsName(rows:vectors:isPartial:)``.
  static func tileSumsText(rows: Int, vectors: Int, isPartial: Bool) -> String {
    let lanes = CLanes.registerWidth
    let (type, name) = ("agnesi_f32x\(lanes)", CHelpers.tileSumsName)
    let lefts = (0..<rows).map { "const float *left\($0)" }.joined(separator: ", ")
    func each(_ body: (Int, Int) -> String) -> [String] {
      (0..<rows).flatMap { row in (0..<vectors).map { body(row, $0) } }
    }
    var lines = each { "\(type) sum\($0)_\($1) = agnesi_splat\(lanes)(0);" }
    lines += ["AGNESI_ONE_BY_ONE", "for (int64_t step = 0; step < steps; ++step) {"]
    for vector in 0..<vectors {
      let load = isPartial ? "agnesi_load_some\(lanes)" : "agnesi_load\(lanes)"
      let count = isPartial ? ", count - \(vector * lanes)" : ""
      lines.append("  const \(type) right_\(vector) = \(load)(right + \(vector * lanes)\(count));")
    }
    lines.append("  right += down;")
    for row in 0..<rows {
      lines.append("  const \(type) factor\(row) = agnesi_splat\(lanes)(left\(row)[step * along]);")
      lines += (0..<vectors).map {
        "  sum\(row)_\($0) = agnesi_fma\(lanes)(factor\(row), right_\($0), sum\(row)_\($0));"
      }
    }
    lines += each { "  AGNESI_IN_REGISTER\(lanes)(sum\($0)_\($1));" }
    lines.append("}")
    lines += each { "*(\(type) *)(sums + \($0) * width + \($1 * lanes)) = sum\($0)_\($1);" }
    let count = isPartial ? ", int count" : ""
    return """
      static __attribute__((noinline)) void \(name(rows, vectors, isPartial))(
          const float *right, int64_t down, \(lefts), int64_t along, int64_t steps, float *sums,
          int64_t width\(count)) {
        \(lines.joined(separator: "\n  "))
      }

      """
  }

  /// Exchanges halves of 16 vectors, then quarters, eighths and sixteenths. Each vector has a name of
  /// its own, so that all stay in registers.
  private static var transpositionText: String {
    let all = 0..<CLanes.tailWidth
    var lines = all.map {
      "  const agnesi_f32x16 x0_\($0) = agnesi_load16(from + \($0) * stride);"
    }
    for (stage, distance) in [8, 4, 2, 1].enumerated() {
      for index in all {
        let isLow = index & distance == 0
        let order = all.map { lane -> String in
          let isOwn = (lane & distance == 0) == isLow
          let moved = isLow ? 16 + lane - distance : lane + distance
          return String(isOwn ? (isLow ? lane : 16 + lane) : moved)
        }
        let (low, high) = (index & ~distance, index | distance)
        let operands = "x\(stage)_\(low), x\(stage)_\(high), \(order.joined(separator: ", "))"
        lines.append(
          "  const agnesi_f32x16 x\(stage + 1)_\(index) = __builtin_shufflevector(\(operands));")
      }
    }
    lines += all.map { "  *(agnesi_f32x16 *)(to + \(16 * $0)) = x4_\($0);" }
    return """
      /// 16 rows of `from`, which lie `stride` elements apart, as the columns of `to`.
      static inline void agnesi_tile_transpose(const float *from, int64_t stride, float *to) {
      \(lines.joined(separator: "\n"))
      }

      """
  }
}
