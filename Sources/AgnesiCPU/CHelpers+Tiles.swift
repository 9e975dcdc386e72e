extension CHelpers.Helper {
  /// What tiles are made with. The type `agnesi_f32x16` is defined here again, since helpers come in
  /// any order.
  static var tilesText: String {
    let lanes = 0..<CLanes.tailWidth
    let splat = lanes.map { _ in "x" }.joined(separator: ", ")
    return """
      typedef float agnesi_f32x16 __attribute__((vector_size(64), may_alias));
      typedef float agnesi_f32x16_anywhere __attribute__((vector_size(64), aligned(4), may_alias));
      static inline agnesi_f32x16 agnesi_tile_splat(float x) {
        return (agnesi_f32x16){\(splat)};
      }
      static inline agnesi_f32x16 agnesi_tile_load(const float *from) {
        return *(const agnesi_f32x16_anywhere *)from;
      }
      /// The first `count` elements; nothing behind them is touched.
      static inline agnesi_f32x16 agnesi_tile_load_some(const float *from, int count) {
        agnesi_f32x16 x = {0};
        if (count <= 0) return x;
        if (count >= 16) return agnesi_tile_load(from);
      #ifdef __AVX512F__
        return __builtin_ia32_loadups512_mask(from, x, (unsigned short)((1u << count) - 1));
      #else
        for (int j = 0; j < count; ++j) x[j] = from[j];
        return x;
      #endif
      }
      static inline agnesi_f32x16 agnesi_tile_fma(
          agnesi_f32x16 a, agnesi_f32x16 b, agnesi_f32x16 c) {
      #if !defined(__FMA__) && !defined(__ARM_FEATURE_FMA)
        return c + a * b;
      #elif defined(__clang__)
        return __builtin_elementwise_fma(a, b, c);
      #elif defined(__AVX512F__)
        return __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);
      #else
        for (int j = 0; j < 16; ++j) c[j] = __builtin_fmaf(a[j], b[j], c[j]);
        return c;
      #endif
      }
      \(transpositionText)
      """
  }

  /// Exchanges halves of 16 vectors, then quarters, eighths and sixteenths. Each vector has a name of
  /// its own, so that all stay in registers.
  private static var transpositionText: String {
    let all = 0..<CLanes.tailWidth
    var lines = all.map {
      "  const agnesi_f32x16 x0_\($0) = agnesi_tile_load(from + \($0) * stride);"
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
