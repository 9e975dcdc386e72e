extension CMath {
  /// Bit patterns, and cores in double precision that several float32 functions share.
  static let foundations: [Piece] = [
    Piece(
      "_bits",
      #"""
      AGNESI_INLINE uint32_t agnesi_bits_f32(float x) {
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        return bits;
      }
      AGNESI_INLINE float agnesi_float(uint32_t bits) {
        float x;
        memcpy(&x, &bits, sizeof x);
        return x;
      }
      AGNESI_INLINE uint64_t agnesi_bits_f64(double x) {
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        return bits;
      }
      AGNESI_INLINE double agnesi_double(uint64_t bits) {
        double x;
        memcpy(&x, &bits, sizeof x);
        return x;
      }
      """#),
    Piece(
      "_exp", needs: ["_bits"],
      #"""
      // exp(x) to 2^-45, for |x| < 700. Adding 1.5 * 2^52 rounds and leaves the integer in the low
      // bits.
      AGNESI_INLINE double agnesi_exp_core(double x) {
        double k = fma(x, 0x1.71547652b82fep+0, 0x1.8p52);
        uint64_t n = agnesi_bits_f64(k);
        k -= 0x1.8p52;
        double r = fma(k, -0x1.62e42fefa39efp-1, x);
        r = fma(k, -0x1.abc9e3b39803fp-56, r);
        double q = 0x1.730449fbd662fp-19;
        q = fma(q, r, 0x1.a17bbe4ae1441p-16);
        q = fma(q, r, 0x1.a0197267d3bc2p-13);
        q = fma(q, r, 0x1.6c162fd6a76b6p-10);
        q = fma(q, r, 0x1.1111112e0c21cp-7);
        q = fma(q, r, 0x1.5555558484c81p-5);
        q = fma(q, r, 0x1.555555554d578p-3);
        q = fma(q, r, 0x1.ffffffffed03bp-2);
        return (1 + fma(r * r, q, r)) * agnesi_double((n + 1023) << 52);
      }
      """#),
    Piece(
      "_log1p", needs: ["_bits"],
      #"""
      // log(1 + x) to 2^-43 of itself, for finite x > -1: 1 + x = 2^e (1 + f), and the series of the
      // inverse hyperbolic tangent in f / (2 + f).
      AGNESI_INLINE double agnesi_log1p_core(double x) {
        uint64_t u = agnesi_bits_f64(1 + x) - 0x3fe6a09e667f3bcd;
        int64_t e = (int64_t)u >> 52;
        double scale = agnesi_double((uint64_t)(1023 - e) << 52);
        double f = fma(x, scale, scale - 1);
        double s = f / (2 + f), z = s * s;
        double p = 0x1.91b09e3bb37b8p-3;
        p = fma(p, z, 0x1.c620f42f2879ep-3);
        p = fma(p, z, 0x1.24942ec4270abp-2);
        p = fma(p, z, 0x1.9999966988727p-2);
        p = fma(p, z, 0x1.5555555633c1bp-1);
        return fma((double)e, 0x1.62e42fefa39efp-1, fma(s * z, p, 2 * s));
      }
      """#),
  ]

  static let exponentials: [Piece] = [
    Piece(
      "exp", needs: ["_bits"],
      #"""
      // 2^n · exp(r) with |r| < log(2) / 2; 2^n in two factors, since n reaches from -150 to 128.
      AGNESI_INLINE float agnesi_exp_f32(float x) {
        float t = x < -104.0f ? -104.0f : x;
        t = t > 89.0f ? 89.0f : t;
        float k = fmaf(t, 0x1.715476p+0f, 0x1.8p23f);
        int32_t n = (int32_t)(agnesi_bits_f32(k) - 0x4b400000);
        k -= 0x1.8p23f;
        float r = fmaf(k, -0x1.62e43p-1f, t);
        r = fmaf(k, 0x1.05c61p-29f, r);
        float q = 0x1.a1b128p-13f;
        q = fmaf(q, r, 0x1.6d9ea4p-10f);
        q = fmaf(q, r, 0x1.111082p-7f);
        q = fmaf(q, r, 0x1.555478p-5f);
        q = fmaf(q, r, 0x1.555556p-3f);
        q = fmaf(q, r, 0.5f);
        // 1 + r with its rounding error, so that all of exp errs by 0.8 ulp.
        float p = 1.0f + r;
        p += fmaf(r * r, q, r - (p - 1.0f));
        int32_t half = n >> 1;
        p *= agnesi_float((uint32_t)(half + 127) << 23);
        return p * agnesi_float((uint32_t)(n - half + 127) << 23);
      }
      AGNESI_INLINE double agnesi_exp_f64(double x) { return exp(x); }
      """#),
    Piece(
      "exp2", needs: ["_bits"],
      #"""
      AGNESI_INLINE float agnesi_exp2_f32(float x) {
        float t = x < -150.0f ? -150.0f : x;
        t = t > 128.0f ? 128.0f : t;
        float k = t + 0x1.8p23f;
        int32_t n = (int32_t)(agnesi_bits_f32(k) - 0x4b400000);
        float r = t - (k - 0x1.8p23f);
        float q = 0x1.448dcp-13f;
        q = fmaf(q, r, 0x1.5f5126p-10f);
        q = fmaf(q, r, 0x1.3b29aep-7f);
        q = fmaf(q, r, 0x1.c6aebcp-5f);
        q = fmaf(q, r, 0x1.ebfbep-3f);
        q = fmaf(q, r, 0x1.62e43p-1f);
        float p = fmaf(q, r, 1.0f);
        int32_t half = n >> 1;
        p *= agnesi_float((uint32_t)(half + 127) << 23);
        return p * agnesi_float((uint32_t)(n - half + 127) << 23);
      }
      AGNESI_INLINE double agnesi_exp2_f64(double x) { return exp2(x); }
      """#),
    Piece(
      "expm1", needs: ["_bits"],
      #"""
      // 2^n (exp(r) - 1) + 2^n - 1, by halves so that n = 128 does not overflow on the way.
      AGNESI_INLINE float agnesi_expm1_f32(float x) {
        float t = x < -20.0f ? -20.0f : x;
        t = t > 89.0f ? 89.0f : t;
        float k = fmaf(t, 0x1.715476p+0f, 0x1.8p23f);
        int32_t n = (int32_t)(agnesi_bits_f32(k) - 0x4b400000);
        k -= 0x1.8p23f;
        float r = fmaf(k, -0x1.62e43p-1f, t);
        r = fmaf(k, 0x1.05c61p-29f, r);
        float q = 0x1.a033ccp-13f;
        q = fmaf(q, r, 0x1.6d78ep-10f);
        q = fmaf(q, r, 0x1.11118ep-7f);
        q = fmaf(q, r, 0x1.5554aap-5f);
        q = fmaf(q, r, 0x1.555554p-3f);
        q = fmaf(q, r, 0.5f);
        float p = fmaf(r * r, q, r);
        float scale = agnesi_float((uint32_t)(n + 126) << 23);
        float y = 2.0f * fmaf(scale, p, scale - 0.5f);
        y = n == 0 ? p : y;
        return x == 0.0f ? x : y;
      }
      AGNESI_INLINE double agnesi_expm1_f64(double x) { return expm1(x); }
      """#),
    Piece(
      "sigmoid", needs: ["exp"],
      #"""
      // exp(-|x|) does not overflow, and keeps its digits where the result is small. A step of
      // Newton's takes back what rounding 1 + e and the quotient lost.
      AGNESI_INLINE float agnesi_sigmoid_f32(float x) {
        float e = agnesi_exp_f32(-fabsf(x));
        float a = x < 0.0f ? e : 1.0f, b = 1.0f + e, lost = e - (b - 1.0f);
        float y = a / b;
        float rest = fmaf(-y, b, a) - y * lost;
        return fmaf(rest, x < 0.0f ? 1.0f - y : y, y);
      }
      AGNESI_INLINE double agnesi_sigmoid_f64(double x) {
        double e = exp(-fabs(x));
        return (x < 0 ? e : 1) / (1 + e);
      }
      """#),
    Piece(
      "tanh", needs: ["exp"],
      #"""
      AGNESI_INLINE float agnesi_tanh_f32(float x) {
        float a = fabsf(x), z = x * x;
        float p = -0x1.72250ep-8f;
        p = fmaf(p, z, 0x1.51567cp-6f);
        p = fmaf(p, z, -0x1.b81d7ep-5f);
        p = fmaf(p, z, 0x1.110644p-3f);
        p = fmaf(p, z, -0x1.55552ep-2f);
        float small = fmaf(x * z, p, x);
        float large = 1.0f - 2.0f / (agnesi_exp_f32(2.0f * a) + 1.0f);
        return copysignf(a < 0.6f ? small : large, x);
      }
      AGNESI_INLINE double agnesi_tanh_f64(double x) { return tanh(x); }
      """#),
  ]
}
