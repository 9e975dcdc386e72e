/// Applies rules to a graph until none fits.
///
/// Each node is brought into its final form once, operands first: it is rebuilt on the final forms
/// of its operands, the rules for its label are tried, and what a rule puts in its place is brought
/// into its final form in the same way. Whether a rule fits depends only on a node and what it is
/// made of, so nothing is left to a second round. All walks have explicit stacks.
///
/// - Complexity: linear in the nodes of the graph and the firings.
package struct Rewriter: Sendable {
  private let rulesByLabel: [String: [Rule]]
  /// What is tried at nodes whose label has no rules of its own.
  private let general: [Rule]
  /// Rules that feed each other for ever are a mistake; then the work stops here.
  private let firingsPerNode: Int

  package init(_ rules: [Rule], firingsPerNode: Int = 32) {
    let general = rules.filter { $0.rootLabel == Tensor.anyLabel }
    let special = rules.filter { $0.rootLabel != Tensor.anyLabel }
    rulesByLabel = Dictionary(grouping: special, by: \.rootLabel).mapValues { $0 + general }
    self.general = general
    self.firingsPerNode = firingsPerNode
  }

  package func rewrite(_ outputs: [Tensor]) -> [Tensor] {
    var log = RewriteLog()
    return rewrite(outputs, log: &log)
  }

  /// - Parameter kept: tensors that are left as they are, with all that they are made of.
  package func rewrite(
    _ outputs: [Tensor], keeping kept: [Tensor] = [], log: inout RewriteLog
  ) -> [Tensor] {
    var work = Work(rulesByLabel: rulesByLabel, general: general, log: log)
    for tensor in kept.flatMap(\.node.results) { work.final[tensor] = tensor }
    let result = work.run(outputs, firingsPerNode: firingsPerNode)
    log = work.log
    return result
  }
}

extension Rewriter {
  fileprivate struct Work {
    enum Task {
      case visit(Node)
      /// `tensor` was replaced by `replacement`, whose final form is known when this is reached.
      case settle(tensor: Tensor, replacement: Tensor)
    }

    let rulesByLabel: [String: [Rule]]
    let general: [Rule]
    var log: RewriteLog
    var stack: [Task] = []
    var final: [Tensor: Tensor] = [:]
    var firingsLeft = 0

    init(rulesByLabel: [String: [Rule]], general: [Rule], log: RewriteLog) {
      self.rulesByLabel = rulesByLabel
      self.general = general
      self.log = log
    }

    mutating func run(_ outputs: [Tensor], firingsPerNode: Int) -> [Tensor] {
      firingsLeft = firingsPerNode * outputs.topologicalNodes().count
      stack = outputs.reversed().map { .visit($0.node) }
      while let task = stack.popLast() {
        switch task {
        case .visit(let node): visit(node)
        case .settle(let tensor, let replacement): final[tensor] = final[replacement]
        }
      }
      return outputs.map { final[$0] ?? $0 }
    }

    mutating func visit(_ node: Node) {
      let results = node.results
      // Another way to this node may have led here first.
      if results.allSatisfy({ final[$0] != nil }) { return }
      let missing = node.operands.filter { final[$0] == nil }
      guard missing.isEmpty else {
        stack.append(.visit(node))
        stack += missing.reversed().map { .visit($0.node) }
        return
      }
      for (old, new) in zip(results, rebuilt(node)) where final[old] == nil {
        if let replacement = replacement(of: new) {
          firingsLeft -= 1
          stack.append(.settle(tensor: old, replacement: replacement))
          stack.append(.visit(replacement.node))
        } else {
          final[old] = new
          final[new] = new
        }
      }
    }

    /// The node on the final forms of its operands.
    func rebuilt(_ node: Node) -> [Tensor] {
      SourceLocation.$inherited.withValue(node.location) {
        node.applied(to: node.operands.map { final[$0] ?? $0 })
      }
    }

    mutating func replacement(of tensor: Tensor) -> Tensor? {
      guard tensor.failure == nil else { return nil }
      let rules = rulesByLabel[tensor.label] ?? general
      guard firingsLeft > 0 else {
        log.isComplete = false
        return nil
      }
      for rule in rules {
        log.attempts += 1
        let result = SourceLocation.$inherited.withValue(tensor.node.location) {
          rule.applied(to: tensor)
        }
        if let result, result != tensor {
          log.firings.append(.init(rule: rule.name, before: tensor, after: result))
          return result
        }
      }
      return nil
    }
  }
}

/// Which rules fired, where: for printing, and for tests of what rewriting costs.
package struct RewriteLog: Sendable {
  package struct Firing: Sendable {
    package let rule: String
    package let before: Tensor
    package let after: Tensor
  }

  package var firings: [Firing] = []
  /// How often a rule was compared with a node.
  package var attempts = 0
  /// False where the bound on firings ended the work.
  package var isComplete = true

  package init() {}

  package var counts: [String: Int] {
    firings.reduce(into: [:]) { $0[$1.rule, default: 0] += 1 }
  }
}

extension RewriteLog: CustomStringConvertible {
  /// One line for each rule, the most frequent first: `3 × log of one plus x`.
  package var description: String {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.value) × \($0.key)" }.joined(separator: "\n")
  }

  /// One line for each firing: the rule, before, after, and the user's line.
  package var details: String {
    firings.map { firing in
      let location = firing.before.node.location.description
      let origin = location.isEmpty ? "" : "  // \(location)"
      return "\(firing.rule): \(firing.before.formula()) → \(firing.after.formula())\(origin)"
    }.joined(separator: "\n")
  }
}
