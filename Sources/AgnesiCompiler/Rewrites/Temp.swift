import AgnesiExpressions

extension Rewrites {
  static let functions: [Rule] = []
  package static let stabilize: [Rule] = []
}
