import AgnesiExpressions

/// The tables of rules, one file each.
package enum Rewrites {
  /// Every rule there is.
  package static let all = canonicalize + stabilize + simplify
}
