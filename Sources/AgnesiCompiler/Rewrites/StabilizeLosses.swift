import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

// Losses and what stands inside of them, found by the names of composites.

extension Rewrites {
  static let losses = rules {
  }
}
