import AgnesiExpressions

extension Rewrites {
  package static let canonicalize: [Rule] = rules {
  }
  package static let stabilize: [Rule] = rules {
  }
  package static let simplify: [Rule] = rules {
  }
}
