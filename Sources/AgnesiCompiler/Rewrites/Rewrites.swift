import AgnesiExpressions

extension Rewrites {
  /// Every rule there is.
  package static let all =
    gradientMarks + canonicalize + stabilize + choices + simplify + rectifiers
}
