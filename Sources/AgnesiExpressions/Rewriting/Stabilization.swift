extension Tensor {
  /// This formula in its stable form, for differentiation: the gradient of `log(softmax(x))` as it
  /// is written is 0/0 where a probability is 0, that of `logSoftmax(x)` is right.
  ///
  /// Unchanged where no rule of stability fits, or where one would take away any of `kept`.
  ///
  /// - Complexity: linear in the nodes.
  package func stabilized(keeping kept: [Tensor]) -> Tensor {
    let names = Self.stableRules
    var log = RewriteLog()
    let result = Self.stabilizer.rewrite([self], keeping: kept, log: &log)[0]
    guard log.firings.contains(where: { names.contains($0.rule) }) else { return self }
    let before = Set([self].topologicalNodes())
    let after = Set([result].topologicalNodes())
    let needed = kept.map(\.node).filter(before.contains)
    return needed.allSatisfy(after.contains) ? result : self
  }

  private static let stabilizer = Rewriter(Rewrites.canonicalize + Rewrites.stabilize)
  private static let stableRules = Set(Rewrites.stabilize.map(\.name))
}
