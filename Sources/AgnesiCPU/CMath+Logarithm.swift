extension CMath {
  static let logarithms: [Piece] = [
    Piece(
      "_log", needs: ["_bits"],
      #"""
      // log(1 + f) = f + tail, for 1 + f between sqrt(1/2) and sqrt(2).
      AGNESI_INLINE float agnesi_log_tail(float f) {
        float p = 0x1.14c8ap-4f;
        p = fmaf(p, f, -0x1.deff92p-4f);
        p = fmaf(p, f, 0x1.e7290cp-4f);
        p = fmaf(p, f, -0x1.fc07dcp-4f);
        p = fmaf(p, f, 0x1.233224p-3f);
        p = fmaf(p, f, -0x1.555cccp-3f);
        p = fmaf(p, f, 0x1.99a4f6p-3f);
        p = fmaf(p, f, -0x1.000006p-2f);
        p = fmaf(p, f, 0x1.555546p-2f);
        float z = f * f;
        return fmaf(z * f, p, -0.5f * z);
      }
      // x = 2^e (1 + f), for positive x; returns f.
      AGNESI_INLINE float agnesi_log_split(float x, float *e) {
        int is_tiny = x < 0x1p-126f;
        uint32_t u = agnesi_bits_f32(is_tiny ? x * 0x1p23f : x) - 0x3f3504f3;
        *e = (float)((int32_t)u >> 23) - (is_tiny ? 23.0f : 0.0f);
        return agnesi_float((u & 0x7fffff) + 0x3f3504f3) - 1.0f;
      }
      // What a logarithm is of numbers outside (0, inf).
      AGNESI_INLINE float agnesi_log_edges(float x, float y) {
        y = x < INFINITY ? y : x;
        float edge = x == 0.0f ? -INFINITY : NAN;
        return x > 0.0f ? y : edge;
      }
      """#),
    Piece(
      "log", needs: ["_log"],
      #"""
      AGNESI_INLINE float agnesi_log_f32(float x) {
        float e, f = agnesi_log_split(x, &e);
        float tail = fmaf(e, -0x1.05c61p-29f, agnesi_log_tail(f));
        return agnesi_log_edges(x, fmaf(e, 0x1.62e43p-1f, f + tail));
      }
      AGNESI_INLINE double agnesi_log_f64(double x) { return log(x); }
      """#),
    Piece(
      "log2", needs: ["_log"],
      #"""
      AGNESI_INLINE float agnesi_log2_f32(float x) {
        float e, f = agnesi_log_split(x, &e);
        float tail = agnesi_log_tail(f), high = f + tail, low = tail - (high - f);
        float y = fmaf(high, 0x1.4ae0cp-26f, low * 0x1.715476p+0f);
        y = fmaf(high, 0x1.715476p+0f, y);
        return agnesi_log_edges(x, e + y);
      }
      AGNESI_INLINE double agnesi_log2_f64(double x) { return log2(x); }
      """#),
    Piece(
      "log10", needs: ["_log"],
      #"""
      AGNESI_INLINE float agnesi_log10_f32(float x) {
        float e, f = agnesi_log_split(x, &e);
        float tail = agnesi_log_tail(f), high = f + tail, low = tail - (high - f);
        float y = fmaf(high, -0x1.5b235ep-27f, low * 0x1.bcb7b2p-2f);
        y = fmaf(e, -0x1.ec10cp-27f, y);
        y = fmaf(high, 0x1.bcb7b2p-2f, y);
        return agnesi_log_edges(x, fmaf(e, 0x1.344136p-2f, y));
      }
      AGNESI_INLINE double agnesi_log10_f64(double x) { return log10(x); }
      """#),
    Piece(
      "log1p", needs: ["_log"],
      #"""
      // 1 + x = 2^e (1 + f), with f from x itself, which keeps the digits that 1 + x loses.
      AGNESI_INLINE float agnesi_log1p_f32(float x) {
        uint32_t u = agnesi_bits_f32(1.0f + x) - 0x3f3504f3;
        int32_t e = (int32_t)u >> 23;
        // 2^-e is subnormal for the largest x.
        uint32_t subnormal = 0x800000u >> ((e - 126) & 31);
        float scale = agnesi_float(e > 126 ? subnormal : (uint32_t)(127 - e) << 23);
        float f = fmaf(x, scale, scale - 1.0f);
        float tail = fmaf((float)e, -0x1.05c61p-29f, agnesi_log_tail(f));
        float y = fmaf((float)e, 0x1.62e43p-1f, f + tail);
        y = agnesi_log_edges(1.0f + x, y);
        return x == 0.0f ? x : y;
      }
      AGNESI_INLINE double agnesi_log1p_f64(double x) { return log1p(x); }
      """#),
    Piece(
      "softplus", needs: ["exp", "log1p"],
      #"""
      AGNESI_INLINE float agnesi_softplus_f32(float x) {
        float tail = agnesi_log1p_f32(agnesi_exp_f32(-fabsf(x)));
        return (x < 0.0f ? 0.0f : x) + tail;
      }
      AGNESI_INLINE double agnesi_softplus_f64(double x) {
        return (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
      }
      """#),
  ]

  static let powers: [Piece] = [
    Piece(
      "pow", needs: ["_bits", "_exp"],
      #"""
      // log|x| to 2^-51 of itself, for |x| a float32; infinite for 0 and infinity.
      AGNESI_INLINE double agnesi_log_core(double a) {
        uint64_t u = agnesi_bits_f64(a) - 0x3fe6a09e667f3bcd;
        int64_t e = (int64_t)u >> 52;
        double f = agnesi_double((u & 0xfffffffffffff) + 0x3fe6a09e667f3bcd) - 1;
        double s = f / (2 + f), z = s * s;
        double p = 0x1.59193c4e6f8d2p-3;
        p = fma(p, z, 0x1.731f226d1e7dcp-3);
        p = fma(p, z, 0x1.c722db01b585cp-3);
        p = fma(p, z, 0x1.249240ce9b1e5p-2);
        p = fma(p, z, 0x1.999999a38cf88p-2);
        p = fma(p, z, 0x1.55555555535b5p-1);
        double y = fma((double)e, 0x1.62e42fefa39efp-1, fma(s * z, p, 2 * s));
        y = a > 0 ? y : -INFINITY;
        return a < INFINITY ? y : a;
      }
      // The rules of C for zeros, infinities, negative bases, and 1 where either argument decides.
      AGNESI_INLINE float agnesi_pow_f32(float x, float y) {
        double a = fabs((double)x), t = (double)y * agnesi_log_core(a);
        a = x == x ? a : (double)x;
        t = t < -120 ? -120 : t;
        t = t > 120 ? 120 : t;
        double r = agnesi_exp_core(t);
        r = a == 1 ? 1 : r;
        int is_whole = rintf(y) == y;
        int is_odd = is_whole & (rintf(0.5f * y) != 0.5f * y);
        int is_negative = agnesi_bits_f32(x) >> 31;
        r = (is_negative & is_odd) ? -r : r;
        r = ((x < 0) & (x > -INFINITY) & !is_whole) ? (double)NAN : r;
        r = ((x != x) | (y != y)) ? (double)NAN : r;
        r = ((y == 0) | (x == 1)) ? 1 : r;
        return (float)r;
      }
      AGNESI_INLINE double agnesi_pow_f64(double x, double y) { return pow(x, y); }
      """#),
    Piece(
      "fmod",
      #"""
      // The remainder with the sign of the divisor; exact, and a call of the C library.
      AGNESI_INLINE float agnesi_fmod_f32(float x, float y) {
        float r = fmodf(x, y);
        r = ((r != 0.0f) & ((r < 0.0f) != (y < 0.0f))) ? r + y : r;
        return r == 0.0f ? copysignf(r, y) : r;
      }
      AGNESI_INLINE double agnesi_fmod_f64(double x, double y) {
        double r = fmod(x, y);
        r = ((r != 0) & ((r < 0) != (y < 0))) ? r + y : r;
        return r == 0 ? copysign(r, y) : r;
      }
      """#),
    Piece(
      "sign",
      #"""
      AGNESI_INLINE float agnesi_sign_f32(float x) {
        float y = x < 0.0f ? -1.0f : x;
        return x > 0.0f ? 1.0f : y;
      }
      AGNESI_INLINE double agnesi_sign_f64(double x) {
        double y = x < 0 ? -1 : x;
        return x > 0 ? 1 : y;
      }
      """#),
  ]
}
