extension CMath {
  static let circular: [Piece] = [
    Piece(
      "_circle", needs: ["_bits"],
      #"""
      // x = (4m + q) π/2 + r with |r| ≤ π/4, exact enough for every float32.
      //
      // 1 / 2π is cut into pieces of 29 bits, so that a piece times x is exact and its whole turns
      // can be dropped, as Payne and Hanek do with integers; the rest is counted in quarters.
      // Returns r; the two low bits of *quarter are q.
      AGNESI_INLINE double agnesi_circle_reduce(float angle, uint64_t *quarter) {
        const double pieces[7] = {
            0x1.45f306cp-3,   0x1.c9c882ap-31,  0x1.4fe13a8p-61, 0x1.f47d4d3p-88,
            0x1.dc0db62p-118, 0x1.2b32788p-147, 0x1.c820ffp-177,
        };
        double x = angle, count = 0, rest = 0;
        for (int i = 0; i < 7; i++) {
          double turns = x * pieces[i];
          turns -= rint(turns);
          rest = fma(4, turns, rest);
          double whole = rint(rest);
          count += whole;
          rest -= whole;
        }
        *quarter = agnesi_bits_f64(count + 0x1.8p52);
        return rest * 0x1.921fb54442d18p+0;
      }
      AGNESI_INLINE double agnesi_sin_core(double r) {
        double z = r * r;
        double p = 0x1.6cbecaf02fa6bp-19;
        p = fma(p, z, -0x1.a00f32a3607b3p-13);
        p = fma(p, z, 0x1.11110811d21ebp-7);
        p = fma(p, z, -0x1.5555554c04a6p-3);
        return fma(r * z, p, r);
      }
      AGNESI_INLINE double agnesi_cos_core(double r) {
        double z = r * r;
        double p = -0x1.2417aad42740cp-22;
        p = fma(p, z, 0x1.a010c38aa163fp-16);
        p = fma(p, z, -0x1.6c16b80cdf778p-10);
        p = fma(p, z, 0x1.5555554ecd07p-5);
        return fma(z * z, p, fma(-0.5, z, 1));
      }
      """#),
    Piece(
      "sin", needs: ["_circle"],
      #"""
      AGNESI_INLINE float agnesi_sin_f32(float x) {
        uint64_t q;
        double r = agnesi_circle_reduce(x, &q);
        double y = q & 1 ? agnesi_cos_core(r) : agnesi_sin_core(r);
        return x == 0.0f ? x : (float)(q & 2 ? -y : y);
      }
      AGNESI_INLINE double agnesi_sin_f64(double x) { return sin(x); }
      """#),
    Piece(
      "cos", needs: ["_circle"],
      #"""
      AGNESI_INLINE float agnesi_cos_f32(float x) {
        uint64_t q;
        double r = agnesi_circle_reduce(x, &q);
        double y = q & 1 ? agnesi_sin_core(r) : agnesi_cos_core(r);
        return (float)((q + 1) & 2 ? -y : y);
      }
      AGNESI_INLINE double agnesi_cos_f64(double x) { return cos(x); }
      """#),
    Piece(
      "tan", needs: ["_circle"],
      #"""
      AGNESI_INLINE float agnesi_tan_f32(float x) {
        uint64_t q;
        double r = agnesi_circle_reduce(x, &q);
        double s = agnesi_sin_core(r), c = agnesi_cos_core(r);
        double y = (q & 1 ? -c : s) / (q & 1 ? s : c);
        return x == 0.0f ? x : (float)y;
      }
      AGNESI_INLINE double agnesi_tan_f64(double x) { return tan(x); }
      """#),
  ]

  static let inverseCircular: [Piece] = [
    Piece(
      "_atan",
      #"""
      // atan(s) to 2^-34 of itself, for 0 ≤ s ≤ 1.
      AGNESI_INLINE double agnesi_atan_core(double s) {
        double z = s * s;
        double p = -0x1.74e7977c1ae46p-11;
        p = fma(p, z, 0x1.479e6cf358569p-8);
        p = fma(p, z, -0x1.0ddbd1fe084d6p-6);
        p = fma(p, z, 0x1.1c4b4a544e935p-5);
        p = fma(p, z, -0x1.c0224223d743dp-5);
        p = fma(p, z, 0x1.29c0a835176f5p-4);
        p = fma(p, z, -0x1.702e31a377bfap-4);
        p = fma(p, z, 0x1.c6759ab756ceap-4);
        p = fma(p, z, -0x1.248a9c9338d07p-3);
        p = fma(p, z, 0x1.99993e929febdp-3);
        p = fma(p, z, -0x1.55555498a1054p-2);
        return fma(s * z, p, s);
      }
      """#),
    Piece(
      "atan", needs: ["_atan"],
      #"""
      AGNESI_INLINE float agnesi_atan_f32(float x) {
        double a = fabs((double)x);
        double r = agnesi_atan_core((a > 1 ? 1 : a) / (a > 1 ? a : 1));
        r = a > 1 ? 0x1.921fb54442d18p+0 - r : r;
        return copysignf((float)r, x);
      }
      AGNESI_INLINE double agnesi_atan_f64(double x) { return atan(x); }
      """#),
    Piece(
      "atan2", needs: ["_atan", "_bits"],
      #"""
      AGNESI_INLINE float agnesi_atan2_f32(float y, float x) {
        double height = fabs((double)y), width = fabs((double)x);
        int is_steep = height > width;
        double least = is_steep ? width : height, most = is_steep ? height : width;
        double s = least / most;
        s = height == width ? 1 : s;
        s = most == 0 ? least : s;
        double r = agnesi_atan_core(s);
        r = is_steep ? 0x1.921fb54442d18p+0 - r : r;
        r = agnesi_bits_f32(x) >> 31 ? 0x1.921fb54442d18p+1 - r : r;
        return copysignf((float)r, y);
      }
      AGNESI_INLINE double agnesi_atan2_f64(double y, double x) { return atan2(y, x); }
      """#),
    Piece(
      "_asin",
      #"""
      // asin(a) = asin(s) below 1/2 and π/2 - 2 asin(s) above, with z = s².
      AGNESI_INLINE double agnesi_asin_core(double s, double z) {
        double p = 0x1.1f1baa5184505p-5;
        p = fma(p, z, 0x1.d6af517f4b7ep-8);
        p = fma(p, z, 0x1.94d43647d312ap-6);
        p = fma(p, z, 0x1.ed191e211b562p-6);
        p = fma(p, z, 0x1.6ddd693dc878ep-5);
        p = fma(p, z, 0x1.33329dd4f0256p-4);
        p = fma(p, z, 0x1.55555618469a5p-3);
        return fma(s * z, p, s);
      }
      """#),
    Piece(
      "asin", needs: ["_asin"],
      #"""
      AGNESI_INLINE float agnesi_asin_f32(float x) {
        double a = fabs((double)x);
        double z = a > 0.5 ? 0.5 * (1 - a) : a * a;
        double r = agnesi_asin_core(a > 0.5 ? sqrt(z) : a, z);
        r = a > 0.5 ? 0x1.921fb54442d18p+0 - 2 * r : r;
        return copysignf((float)r, x);
      }
      AGNESI_INLINE double agnesi_asin_f64(double x) { return asin(x); }
      """#),
    Piece(
      "acos", needs: ["_asin"],
      #"""
      AGNESI_INLINE float agnesi_acos_f32(float x) {
        double a = fabs((double)x);
        double z = a > 0.5 ? 0.5 * (1 - a) : a * a;
        double r = agnesi_asin_core(a > 0.5 ? sqrt(z) : a, z);
        double middle = 0x1.921fb54442d18p+0 - (x < 0 ? -r : r);
        double end = x < 0 ? 0x1.921fb54442d18p+1 - 2 * r : 2 * r;
        return (float)(a > 0.5 ? end : middle);
      }
      AGNESI_INLINE double agnesi_acos_f64(double x) { return acos(x); }
      """#),
  ]
}
