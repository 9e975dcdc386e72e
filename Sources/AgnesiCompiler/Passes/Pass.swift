import AgnesiExpressions

/// One step of rewriting: outputs to outputs, in the same order and of the same types.
package struct Pass: Sendable {
  package let name: String
  package let apply: @Sendable (_ outputs: [Tensor], _ log: inout RewriteLog) -> [Tensor]

  package init(
    _ name: String, _ apply: @escaping @Sendable ([Tensor], inout RewriteLog) -> [Tensor]
  ) {
    self.name = name
    self.apply = apply
  }

  package init(_ name: String, _ function: @escaping @Sendable ([Tensor]) -> [Tensor]) {
    self.init(name) { outputs, _ in function(outputs) }
  }

  /// A pass that applies tables of rules until none fits.
  package init(_ name: String, _ rules: [Rule]) {
    let rewriter = Rewriter(rules)
    self.init(name) { outputs, log in rewriter.rewrite(outputs, log: &log) }
  }
}
