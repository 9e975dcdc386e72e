import AgnesiExpressions

/// One step of rewriting: outputs to outputs, in the same order and of the same types.
///
/// All passes stand in one list (``Pipeline``); a backend adds its own to the end of it
/// (``Backend/passes``).
public struct Pass: Sendable {
  /// What logs call it, and what switches it (``CompileOptions/excluding``).
  public let name: String
  /// The lowest level of rewriting that it belongs to.
  package var level: RewriteLevel
  /// Whether it depends on how large sizes with names probably are, and so runs for each set of them.
  package var dependsOnSizes: Bool
  /// The rules that it applies; none for a pass that is a walk of its own.
  package let rules: [Rule]
  private let function: @Sendable (_ outputs: [Tensor], _ context: inout Context) -> [Tensor]

  /// What a pass is told, and where it says what it did.
  package struct Context: Sendable {
    /// What sizes with names probably are; empty in passes that run once for all sizes.
    package var expectedSizes: [String: Int] = [:]
    package var log = RewriteLog()
    /// Which layouts the backend's passes are to give to nodes; those of nobody until one has chosen.
    package var layouts = LayoutAssignment()

    package init(expectedSizes: [String: Int] = [:]) { self.expectedSizes = expectedSizes }
  }

  package init(
    _ name: String, from level: RewriteLevel = .full,
    _ function: @escaping @Sendable ([Tensor]) -> [Tensor]
  ) {
    (self.name, self.level, dependsOnSizes, rules) = (name, level, false, [])
    self.function = { outputs, _ in function(outputs) }
  }

  /// A pass for each set of expected sizes.
  package init(
    _ name: String, from level: RewriteLevel = .full,
    expecting function: @escaping @Sendable ([Tensor], inout Context) -> [Tensor]
  ) {
    (self.name, self.level, dependsOnSizes, rules) = (name, level, true, [])
    self.function = function
  }

  /// A pass that applies tables of rules until none fits.
  package init(_ name: String, from level: RewriteLevel = .full, _ rules: [Rule]) {
    (self.name, self.level, dependsOnSizes, self.rules) = (name, level, false, rules)
    let rewriter = Rewriter(rules)
    function = { outputs, context in rewriter.rewrite(outputs, log: &context.log) }
  }

  package func apply(_ outputs: [Tensor], _ context: inout Context) -> [Tensor] {
    function(outputs, &context)
  }

  /// The pass with those of its rules that `isOn` names; nil where it had rules and none is left.
  func filtered(_ isOn: (Rule) -> Bool) -> Pass? {
    let left = rules.filter(isOn)
    if left.count == rules.count { return self }
    return left.isEmpty ? nil : Pass(name, from: level, left)
  }
}

/// What a pass did to a graph.
public struct PassRecord: Sendable, CustomStringConvertible {
  /// The name of the pass.
  public let pass: String
  /// How long it took.
  public let seconds: Double
  /// Nodes of the graph before it and after it.
  public let nodes: (before: Int, after: Int)
  /// How often each rule was applied, by its name; a pass that is no table of rules may name what it
  /// did in the same way.
  public let rules: [String: Int]
  /// What it chose, a line for each choice, with what it chose from.
  public let choices: [String]

  /// `simplify: 214 → 190 nodes, 1.2 ms; 3 × plus zero, 2 × times one`
  public var description: String {
    let change =
      nodes.before == nodes.after
      ? "\(nodes.after) nodes" : "\(nodes.before) → \(nodes.after) nodes"
    let time = String(Int((seconds * 1e6).rounded())) + " µs"
    let fired = rules.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.value) × \($0.key)" }
    let line =
      "\(pass): \(change), \(time)"
      + (fired.isEmpty ? "" : "; \(fired.joined(separator: ", "))")
    return ([line] + choices.map { "  \($0)" }).joined(separator: "\n")
  }
}
