/// Pieces of C text that the generators share.
package enum LanesC {
  /// Types and helpers, once before all kernels of a unit.
  package static func prelude(_ target: LanesTarget) -> String {
    let bytes = target.lanes * 4
    let numbers = (0..<target.lanes).map(String.init).joined(separator: ", ")
    return """
      #include <stdint.h>

      // Products are summed with one rounding where the processor can, in these kernels alone.
      #ifdef __clang__
      #define LANES_BEGIN
      #define LANES_END
      #else
      #define LANES_BEGIN _Pragma("GCC push_options") _Pragma("GCC optimize(\\"fp-contract=fast\\")")
      #define LANES_END _Pragma("GCC pop_options")
      #endif
      #if defined(__clang__) && (defined(__FMA__) || defined(__aarch64__))
      #define LANES_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
      #else
      #define LANES_FMA(a, b, c) ((a) * (b) + (c))
      #endif

      LANES_BEGIN
      typedef float lanes __attribute__((vector_size(\(bytes))));
      // Of plain arrays, at any address.
      typedef float lanes_loose __attribute__((vector_size(\(bytes)), aligned(4)));
      typedef int32_t lanes_mask __attribute__((vector_size(\(bytes))));
      typedef uint8_t lanes_argmax __attribute__((vector_size(\(target.lanes))));

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
      // All bits of the first `count` lanes.
      static inline __attribute__((unused)) lanes_mask lanes_first(int64_t count) {
        return (lanes_mask){\(numbers)} < (int32_t)count - (lanes_mask){0};
      }
      // As many vectors as lanes: rows become columns.
      static inline __attribute__((unused)) void lanes_transpose(lanes *r) {
      \(transposition(target.lanes))}
      LANES_END

      """
  }

  /// Perfect shuffles of all rows: after one for each bit of a lane's number, it is transposed.
  private static func transposition(_ count: Int) -> String {
    let half = count / 2
    func order(_ first: Int) -> String {
      (0..<half).map { "\(first + $0), \(first + $0 + count)" }.joined(separator: ", ")
    }
    var (lines, names) = ([String](), (0..<count).map { "r[\($0)]" })
    for stage in 0..<count.trailingZeroBitCount {
      let next = (0..<count).map { "s\(stage)_\($0)" }
      for row in 0..<count {
        let pair = "\(names[row / 2]), \(names[row / 2 + half])"
        let order = order(row % 2 * half)
        lines.append("  lanes \(next[row]) = __builtin_shufflevector(\(pair), \(order));")
      }
      names = next
    }
    for row in 0..<count { lines.append("  r[\(row)] = \(names[row]);") }
    return lines.map { $0 + "\n" }.joined()
  }
}

/// Collects lines, indented by the braces around them.
struct CText {
  private var text = "LANES_BEGIN\n"
  private var depth = 0

  /// Everything, where nothing follows.
  var finished: String { text + "LANES_END\n" }

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
