import AgnesiExpressions
import AgnesiLoops

/// One way in which a backend can compute a node.
package struct LayoutCandidate: Sendable {
  /// What the backend calls the layout, in words that dumps print.
  package var name: String
  /// The layout that each operand is read in; nil for row-major order.
  package var operands: [Layout?]
  /// The layout that each result is made in; nil for row-major order.
  package var results: [Layout?]
  /// The time that it takes, in cycles of one core.
  package var cycles: Double

  package init(_ name: String, operands: [Layout?], results: [Layout?], cycles: Double) {
    (self.name, self.operands, self.results, self.cycles) = (name, operands, results, cycles)
  }
}

/// What a backend says of layouts: in which ones it can compute a node, and what that takes.
///
/// The answers depend on nodes and expected sizes alone: equal graphs get equal layouts in every process.
package protocol LayoutCosts: Sendable {
  /// How tensors come into layouts and out of them.
  var reorders: any LayoutReorders { get }

  /// The ways to compute a node, the one that is taken where all cost the same first; none for a node that
  /// follows the layouts of its operands (``LayoutForms/follow(_:)``).
  func candidates(for node: Node) -> [LayoutCandidate]

  /// Cycles to bring a tensor into `layout` or out of it.
  func reorder(_ tensor: Tensor, _ layout: Layout) -> Double
}

/// What decides how a node is computed: nodes of one operation on operands of the same types are computed
/// in the same way.
package struct LayoutProblem: Hashable, @unchecked Sendable {
  // Operations are sendable values; `AnyHashable` does not know.
  private let operation: AnyHashable
  private let operands: [TensorType]

  package init(_ node: Node) {
    operation = AnyHashable(node.operation)
    operands = node.operands.map(\.type)
  }
}

/// The layouts of a graph: for each node with a choice, by which candidate it is computed.
package struct LayoutAssignment: Sendable {
  /// A choice, with what it was chosen from.
  package struct Choice: Sendable {
    /// The node, for people.
    package var node: String
    /// How many nodes of the graph it decides.
    package var count: Int
    package var candidates: [LayoutCandidate]
    package var chosen: Int
  }

  package private(set) var choices: [LayoutProblem: Choice] = [:]
  /// In the order of the graph.
  package private(set) var order: [LayoutProblem] = []
  /// Cycles of all nodes with a choice and of all reorders.
  package var cycles = 0.0

  package init() {}

  /// The name of the layout in which a node is computed; nil where there was no choice.
  package func layout(of node: Node) -> String? {
    guard let choice = choices[LayoutProblem(node)] else { return nil }
    return choice.candidates[choice.chosen].name
  }

  mutating func set(_ choice: Choice, for problem: LayoutProblem) {
    if choices[problem] == nil { order.append(problem) }
    choices[problem] = choice
  }

  /// A line for each choice: `3 × convolution [128, 6, 14, 14] by …: batch-innermost, 210 kcycles
  /// (channel-blocked 380, row-major 900)`.
  package var lines: [String] {
    order.compactMap { choices[$0]?.description }
  }
}

extension LayoutAssignment.Choice: CustomStringConvertible {
  package var description: String {
    func number(_ cycles: Double) -> String { String(Int((cycles / 1000).rounded(.up))) }
    let others = candidates.indices.filter { $0 != chosen }.map {
      "\(candidates[$0].name) \(number(candidates[$0].cycles))"
    }
    let own = "\(candidates[chosen].name), \(number(candidates[chosen].cycles)) kcycles"
    return "\(count) × \(node): \(own)"
      + (others.isEmpty ? "" : " (\(others.joined(separator: ", ")))")
  }
}
