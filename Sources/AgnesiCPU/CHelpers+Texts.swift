import AgnesiArrays
import AgnesiLoops

extension CHelpers.Helper {
  /// Vectors of 64 bytes, whatever the processor's are: the order of additions is the same on all.
  static func vectorText(_ dtype: DType) -> String {
    let (type, suffix) = (dtype.cValue, dtype.cSuffix)
    let lanes = CLanes.vectorBytes / dtype.size
    let integer = dtype == .float64 ? "int64_t" : "int32_t"
    var text = ""
    // Half ones for strips of few lanes, each of which is a sum of its own.
    for lanes in [lanes, lanes / 2] {
      let vector = "agnesi_\(suffix)x\(lanes)"
      let mask = "\(vector)_mask"
      let attributes = "__attribute__((vector_size(\(lanes * dtype.size)), may_alias))"
      text += """
        typedef \(type) \(vector) \(attributes);
        typedef \(integer) \(mask) \(attributes);

        """
      for (name, sign) in [("maximum", ">"), ("minimum", "<")] {
        text += """
          static inline \(vector) agnesi_\(name)_\(suffix)x\(lanes)(\(vector) x, \(vector) y) {
            const \(mask) m = (y != y) | (y \(sign) x);
            return (\(vector))(((\(mask))y & m) | ((\(mask))x & ~m));
          }

          """
      }
    }
    let vector = "agnesi_\(suffix)x\(lanes)"
    for name in ["sum", "product", "maximum", "minimum"] {
      text += foldText(name, dtype, vector, lanes)
    }
    return text
  }

  /// Halves of a vector combined until one value is left.
  private static func foldText(
    _ name: String, _ dtype: DType, _ vector: String, _ lanes: Int
  ) -> String {
    let head = "static inline \(dtype.cValue) agnesi_fold_\(name)_\(dtype.cSuffix)(\(vector) x) {\n"
    var text = head
    var half = lanes / 2
    while half > 0 {
      let order = (0..<lanes).map { String(($0 + half) % lanes) }.joined(separator: ", ")
      let moved = "__builtin_shufflevector(x, x, \(order))"
      switch name {
      case "sum": text += "  x = x + \(moved);\n"
      case "product": text += "  x = x * \(moved);\n"
      default: text += "  x = agnesi_\(name)_\(dtype.cSuffix)x\(lanes)(x, \(moved));\n"
      }
      half /= 2
    }
    return text + "  return x[0];\n}\n"
  }

  /// The same series as the interpreter's ``Digamma``.
  static let digammaText: String = {
    func list(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
    return """
      static double agnesi_digamma_f64(double x) {
        static const double tail[] = {\(list(Digamma.tail))};
        static const double taylor[] = {\(list(Digamma.taylor))};
        double sum = 0;
        if (x <= 0) {
          if (x == 0) return __builtin_copysign(__builtin_inf(), -x);
          if (x == __builtin_floor(x)) return __builtin_nan("");
          sum = -3.141592653589793 / agnesi_tan_f64(3.141592653589793 * (x - __builtin_round(x)));
          x = 1 - x;
        }
        const double d = x - \(Digamma.zero) - \(Digamma.zeroRest);
        if (__builtin_fabs(d) < 0.25) {
          double series = 0;
          for (int k = \(Digamma.taylor.count - 1); k >= 0; --k) series = series * d + taylor[k];
          return sum + series * d;
        }
        for (; x < 10; x += 1) sum -= 1 / x;
        const double inverse = 1 / (x * x);
        double series = 0;
        for (int k = \(Digamma.tail.count - 1); k >= 0; --k) series = series * inverse + tail[k];
        return sum + agnesi_log_f64(x) - 0.5 / x - series * inverse;
      }
      static inline float agnesi_digamma_f32(float x) { return (float)agnesi_digamma_f64(x); }

      """
  }()
}
