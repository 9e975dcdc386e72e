import AgnesiCPU
import Foundation

/// A library with all functions of `CMath`, each in a loop, as a rendered unit would have it.
struct MathLibrary: @unchecked Sendable {
  typealias One =
    @convention(c) (UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int) -> Void
  typealias Two =
    @convention(c) (
      UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int
    ) -> Void
  typealias Words =
    @convention(c) (UnsafeMutablePointer<UInt32>?, Int, UInt64, UInt64, UInt64) -> Void

  typealias Reference = @Sendable (Double) -> Double

  static let references: [String: Reference] = elementary.merging(composed) { first, _ in first }

  private static let elementary: [String: Reference] = [
    "exp": Foundation.exp, "exp2": Foundation.exp2, "expm1": Foundation.expm1,
    "log": Foundation.log, "log2": Foundation.log2, "log10": Foundation.log10,
    "log1p": Foundation.log1p, "sin": Foundation.sin, "cos": Foundation.cos,
    "tan": Foundation.tan, "asin": Foundation.asin, "acos": Foundation.acos,
    "atan": Foundation.atan, "sinh": Foundation.sinh, "cosh": Foundation.cosh,
    "tanh": Foundation.tanh, "asinh": Foundation.asinh, "acosh": Foundation.acosh,
    "atanh": Foundation.atanh, "erf": Foundation.erf, "erfc": Foundation.erfc,
  ]

  private static let composed: [String: Reference] = [
    "lgamma": { (x: Double) -> Double in lgamma(x) },
    "sigmoid": sigmoid, "softplus": softplus, "sign": sign,
  ]

  @Sendable private static func sigmoid(_ x: Double) -> Double {
    let e: Double = Foundation.exp(-abs(x))
    return (x < 0 ? e : 1) / (1 + e)
  }

  @Sendable private static func softplus(_ x: Double) -> Double {
    let tail: Double = Foundation.log1p(Foundation.exp(-abs(x)))
    return (x < 0 ? 0 : x) + tail
  }

  @Sendable private static func sign(_ x: Double) -> Double {
    if x > 0 { return 1 }
    return x < 0 ? -1 : x
  }

  static let oneArgument = references.keys.sorted()
  static let twoArguments = ["pow", "atan2", "fmod"]

  static let edges: [Float] = halfEdges + halfEdges.map { -$0 }

  private static let halfEdges: [Float] =
    [0, 0.5, 1, 2, 3, 3.5, 10, 88.72, 88.73, 89, 103.9, 104.1, 128, 150, 1e10, 8_388_608]
    + [.pi, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, .infinity]
    + [.nan, Float(1).nextDown, Float(1).nextUp, Float.pi / 2, 16_777_215, 16_777_216]

  /// The remainder with the divisor's sign.
  static func floored(_ x: Double, _ y: Double) -> Double {
    var r = fmod(x, y)
    if r != 0, (r < 0) != (y < 0) { r += y }
    return r == 0 ? copysign(r, y) : r
  }

  /// How far a float32 is from the exact value, in units in the last place; infinite where one is
  /// NaN and the other not, or where zeros differ in sign.
  static func error(of result: Float, against exact: Double) -> Double {
    if exact.isNaN || result.isNaN { return exact.isNaN && result.isNaN ? 0 : .infinity }
    let rounded = Float(exact)
    if result == rounded { return result == 0 && result.sign != rounded.sign ? .infinity : 0 }
    // Infinity stands one unit beyond the largest number.
    let beyond = Double(Float.greatestFiniteMagnitude) + Double(Float.greatestFiniteMagnitude.ulp)
    let value = min(max(Double(result), -beyond), beyond)
    let near = min(max(exact, -beyond), beyond)
    let unit = rounded.isInfinite ? Float.greatestFiniteMagnitude.ulp : rounded.ulp
    return abs(value - near) / Double(unit)
  }

  static let shared: MathLibrary? = CLibrary(source).map { MathLibrary(library: $0) }

  private let library: CLibrary

  private static var source: String {
    var text = CMath.source(functions: CMath.functions)
    for name in oneArgument {
      text += """
        void one_\(name)(const float *restrict x, float *restrict y, long count) {
          for (long i = 0; i < count; i++) y[i] = agnesi_\(name)_f32(x[i]);
        }
        double double_\(name)(double x) { return agnesi_\(name)_f64(x); }

        """
    }
    for name in twoArguments {
      text += """
        void two_\(name)(
            const float *restrict x, const float *restrict y, float *restrict z, long count) {
          for (long i = 0; i < count; i++) z[i] = agnesi_\(name)_f32(x[i], y[i]);
        }
        double double_\(name)(double x, double y) { return agnesi_\(name)_f64(x, y); }

        """
    }
    return text + """
      void words(uint32_t *restrict w, long count, uint64_t key, uint64_t low, uint64_t high) {
        for (long i = 0; i < 4 * count; i++) {
          w[i] = agnesi_philox(key, low + (uint64_t)(i >> 2), high, i & 3);
        }
      }

      """
  }

  private func symbol<Function>(_ name: String, as type: Function.Type) -> Function {
    library.symbol(name, as: type)
  }

  func one(_ name: String) -> One { symbol("one_\(name)", as: One.self) }
  func two(_ name: String) -> Two { symbol("two_\(name)", as: Two.self) }
  func double(_ name: String) -> @convention(c) (Double) -> Double {
    symbol("double_\(name)", as: (@convention(c) (Double) -> Double).self)
  }
  var philox: Words { symbol("words", as: Words.self) }
}
