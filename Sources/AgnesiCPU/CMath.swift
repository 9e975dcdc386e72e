/// The C text of elementary functions, for rendered units.
///
/// Every function `name` comes as `agnesi_name_f32(float …)` and `agnesi_name_f64(double …)`, both
/// `static` and always inlined. The float32 ones have no branches, tables or calls (but `lgamma` and `fmod`), so
/// that a loop over them becomes vector instructions; they err by less than 2 units in the last
/// place over all of float32, subnormal numbers, infinities and NaN included, which
/// `Scripts/check-math.sh` proves by trying every argument. The float64 ones are the C library's.
///
/// They are written for a compiler that keeps to IEEE arithmetic. It must have `-fno-math-errno`
/// (or square roots become calls) and may contract products and sums; it must not have
/// `-ffast-math`.
///
/// The polynomials are minimax fits of our own, by Lawson's iteration in 50 digits.
package enum CMath {
  /// One entry of the table: a function in both types, or something that functions need.
  struct Piece: Sendable {
    let name: String
    let needs: [String]
    let text: String

    init(_ name: String, needs: [String] = [], _ text: String) {
      self.name = name
      self.needs = needs
      self.text = text
    }
  }

  /// All pieces, each after what it needs.
  static let pieces: [Piece] =
    foundations + exponentials + logarithms + powers + circular + inverseCircular + hyperbolic
    + special + random

  /// The names that ``source(functions:)`` knows, such as `exp` and `philox`.
  package static let functions: Set<String> = Set(pieces.map(\.name).filter { !isPrivate($0) })

  /// The definitions of these functions and of all that they use, each once.
  ///
  /// - Parameter functions: Names out of ``functions``; others are passed over.
  package static func source(functions: Set<String>) -> String {
    var wanted = functions
    // What a piece needs stands before it.
    for piece in pieces.reversed() where wanted.contains(piece.name) {
      wanted.formUnion(piece.needs)
    }
    let texts = pieces.filter { wanted.contains($0.name) }.map(\.text)
    guard !texts.isEmpty else { return "" }
    return ([headers] + texts).joined(separator: "\n\n") + "\n"
  }

  /// Whether a piece is only there for others.
  private static func isPrivate(_ name: String) -> Bool { name.hasPrefix("_") }

  private static let headers = #"""
    #include <math.h>
    #include <stdint.h>
    #include <string.h>

    // A call that is not inlined would keep a loop from becoming vector instructions.
    #ifndef AGNESI_INLINE
    #define AGNESI_INLINE static inline __attribute__((always_inline))
    #endif
    """#
}
