/// Pieces of C text that the generators share.
package enum LanesC {
  /// Types and helpers, once before all kernels of a unit.
  package static func prelude(_ target: LanesTarget) -> String {
    let bytes = target.lanes * 4
    return """
      #include <stdint.h>

      typedef float lanes __attribute__((vector_size(\(bytes))));
      typedef int32_t lanes_mask __attribute__((vector_size(\(bytes))));
      typedef uint8_t lanes_code __attribute__((vector_size(\(target.lanes))));

      // Loops are unrolled by the generator, as far as registers reach; more makes them spill.
      #ifdef __clang__
      #define LANES_LOOP _Pragma("clang loop unroll(disable)")
      #else
      #define LANES_LOOP _Pragma("GCC unroll 1")
      #endif

      static inline __attribute__((unused)) lanes lanes_all(float x) { return x - (lanes){0}; }
      static inline __attribute__((unused)) lanes lanes_select(
          lanes_mask mask, lanes a, lanes b) {
        return (lanes)((mask & (lanes_mask)a) | (~mask & (lanes_mask)b));
      }
      // The sum of the lanes, by halves. Not inlined, or its permutations would be kept in registers
      // throughout the loops before it.
      static __attribute__((noinline, unused)) float lanes_sum(const lanes *sum) {
        lanes x = *sum;
        for (int half = \(target.lanes / 2); half > 0; half /= 2) {
          for (int i = 0; i < half; i++) x[i] += x[i + half];
        }
        return x[0];
      }

      """
  }
}

/// Collects lines, indented by the braces around them.
struct CText {
  private(set) var text = ""
  private var depth = 0

  mutating func line(_ line: String) {
    text += String(repeating: "  ", count: depth) + line + "\n"
  }

  /// A loop over `variable`, in steps, that the compiler must not unroll.
  mutating func loop(
    _ variable: String, _ from: Int, _ to: String, by step: Int = 1,
    _ body: (inout CText) -> Void
  ) {
    line("LANES_LOOP")
    let next = step == 1 ? "\(variable)++" : "\(variable) += \(step)"
    block("for (int64_t \(variable) = \(from); \(variable) < \(to); \(next))", body)
  }

  /// `head {`, what `body` writes, `}`.
  mutating func block(_ head: String, _ body: (inout CText) -> Void) {
    line(head + " {")
    depth += 1
    body(&self)
    depth -= 1
    line("}")
  }
}

/// `first`, `first + 1` …, cut into pieces of at most `length`.
func pieces(_ count: Int, _ length: Int) -> [Range<Int>] {
  stride(from: 0, to: count, by: max(length, 1)).map { $0..<min($0 + length, count) }
}
