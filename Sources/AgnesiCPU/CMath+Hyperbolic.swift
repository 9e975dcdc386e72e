extension CMath {
  static let hyperbolic: [Piece] = [
    Piece(
      "sinh", needs: ["_exp"],
      #"""
      AGNESI_INLINE float agnesi_sinh_f32(float x) {
        double a = fabs((double)x), z = a * a;
        double p = 0x1.7a2680fab6f8dp-19;
        p = fma(p, z, 0x1.9ffe11bd19028p-13);
        p = fma(p, z, 0x1.11113624c3aecp-7);
        p = fma(p, z, 0x1.555555182fd9fp-3);
        double small = fma(a * z, p, a);
        double e = agnesi_exp_core(a > 100 ? 100 : a);
        double large = 0.5 * e - 0.5 / e;
        return copysignf((float)(a < 1 ? small : large), x);
      }
      AGNESI_INLINE double agnesi_sinh_f64(double x) { return sinh(x); }
      """#),
    Piece(
      "cosh", needs: ["_exp"],
      #"""
      AGNESI_INLINE float agnesi_cosh_f32(float x) {
        double a = fabs((double)x);
        double e = agnesi_exp_core(a > 100 ? 100 : a);
        return (float)(0.5 * e + 0.5 / e);
      }
      AGNESI_INLINE double agnesi_cosh_f64(double x) { return cosh(x); }
      """#),
    Piece(
      "asinh", needs: ["_log1p"],
      #"""
      AGNESI_INLINE float agnesi_asinh_f32(float x) {
        double a = fabs((double)x), z = a * a;
        double r = agnesi_log1p_core(a + z / (1 + sqrt(1 + z)));
        return a < INFINITY ? copysignf((float)r, x) : x;
      }
      AGNESI_INLINE double agnesi_asinh_f64(double x) { return asinh(x); }
      """#),
    Piece(
      "acosh", needs: ["_log1p"],
      #"""
      AGNESI_INLINE float agnesi_acosh_f32(float x) {
        double t = (double)x - 1;
        double r = agnesi_log1p_core(t + sqrt(t * (t + 2)));
        r = x < INFINITY ? r : (double)x;
        return (float)(x < 1 ? (double)NAN : r);
      }
      AGNESI_INLINE double agnesi_acosh_f64(double x) { return acosh(x); }
      """#),
    Piece(
      "atanh", needs: ["_log1p"],
      #"""
      AGNESI_INLINE float agnesi_atanh_f32(float x) {
        double a = fabs((double)x);
        double r = 0.5 * agnesi_log1p_core(2 * a / (1 - a));
        r = a == 1 ? (double)INFINITY : r;
        return copysignf((float)(a <= 1 ? r : (double)NAN), x);
      }
      AGNESI_INLINE double agnesi_atanh_f64(double x) { return atanh(x); }
      """#),
  ]

  static let special: [Piece] = [
    Piece(
      "_erfc", needs: ["_exp"],
      #"""
      // erfc(a) to 2^-37 of itself, for 0 ≤ a ≤ 10.3: exp(-a²) / (1 + 2a) times a polynomial in
      // (a - 2) / (a + 2), as Shepherd and Laframboise propose (Math. Comp. 36, 1981).
      AGNESI_INLINE double agnesi_erfc_core(double a) {
        double t = (a - 2) / (a + 2);
        double p = -0x1.f3c0aa6fb3a85p-18;
        p = fma(p, t, -0x1.cb1816de9217fp-16);
        p = fma(p, t, -0x1.b7c7050c2bd43p-19);
        p = fma(p, t, 0x1.2d5b142dad087p-13);
        p = fma(p, t, 0x1.af1423033680dp-13);
        p = fma(p, t, -0x1.d94aefcef936dp-12);
        p = fma(p, t, -0x1.7db93f2d638c1p-10);
        p = fma(p, t, 0x1.4d1a5ec39c5ffp-10);
        p = fma(p, t, 0x1.1dd194caba21ep-7);
        p = fma(p, t, -0x1.0741924a05079p-7);
        p = fma(p, t, -0x1.bc2b8c9eca341p-5);
        p = fma(p, t, 0x1.4ffa1d8bad25p-3);
        p = fma(p, t, -0x1.5407bed34774cp-3);
        p = fma(p, t, -0x1.7bf5ec1293584p-4);
        p = fma(p, t, 0x1.46e80e227b277p+0);
        return agnesi_exp_core(-a * a) * p / (1 + 2 * a);
      }
      """#),
    Piece(
      "erf", needs: ["_erfc"],
      #"""
      AGNESI_INLINE float agnesi_erf_f32(float x) {
        double a = fabs((double)x), z = a * a;
        double p = -0x1.44ce85a3a3563p-17;
        p = fma(p, z, 0x1.d8b804ca1d02dp-14);
        p = fma(p, z, -0x1.bcd7c7395b43dp-11);
        p = fma(p, z, 0x1.562b17de3e4ccp-8);
        p = fma(p, z, -0x1.b829d8a036d52p-6);
        p = fma(p, z, 0x1.ce2f09aa10991p-4);
        p = fma(p, z, -0x1.812746682400fp-2);
        p = fma(p, z, 0x1.20dd7504061f2p+0);
        double large = 1 - agnesi_erfc_core(a > 10.25 ? 10.25 : a);
        return copysignf((float)(a < 1 ? a * p : large), x);
      }
      AGNESI_INLINE double agnesi_erf_f64(double x) { return erf(x); }
      """#),
    Piece(
      "erfc", needs: ["_erfc"],
      #"""
      AGNESI_INLINE float agnesi_erfc_f32(float x) {
        double a = fabs((double)x);
        double y = agnesi_erfc_core(a > 10.25 ? 10.25 : a);
        return (float)(x < 0 ? 2 - y : y);
      }
      AGNESI_INLINE double agnesi_erfc_f64(double x) { return erfc(x); }
      """#),
    Piece(
      "lgamma",
      #"""
      // The C library's, without the global that lgamma sets; a call in either type.
      extern double lgamma_r(double x, int *sign);
      AGNESI_INLINE double agnesi_lgamma_f64(double x) {
        int sign;
        return lgamma_r(x, &sign);
      }
      AGNESI_INLINE float agnesi_lgamma_f32(float x) { return (float)agnesi_lgamma_f64(x); }
      """#),
  ]

  static let random: [Piece] = [
    Piece(
      "philox",
      #"""
      // Philox 4×32 with ten rounds: the four words at a 128-bit counter under a key.
      // Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011.
      AGNESI_INLINE void agnesi_philox_block(
          uint64_t key, uint64_t counter_low, uint64_t counter_high, uint32_t words[4]) {
        uint32_t c0 = (uint32_t)counter_low, c1 = (uint32_t)(counter_low >> 32);
        uint32_t c2 = (uint32_t)counter_high, c3 = (uint32_t)(counter_high >> 32);
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
        for (int round = 0; round < 10; round++) {
          uint64_t first = (uint64_t)c0 * 0xd2511f53u, second = (uint64_t)c2 * 0xcd9e8d57u;
          c0 = (uint32_t)(second >> 32) ^ c1 ^ k0;
          c1 = (uint32_t)second;
          c2 = (uint32_t)(first >> 32) ^ c3 ^ k1;
          c3 = (uint32_t)first;
          k0 += 0x9e3779b9u;
          k1 += 0xbb67ae85u;
        }
        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
      }
      // One of the four words, 0 to 3.
      AGNESI_INLINE uint32_t agnesi_philox(
          uint64_t key, uint64_t counter_low, uint64_t counter_high, int word) {
        uint32_t words[4];
        agnesi_philox_block(key, counter_low, counter_high, words);
        uint32_t low = word & 1 ? words[1] : words[0], high = word & 1 ? words[3] : words[2];
        return word & 2 ? high : low;
      }
      """#)
  ]
}
