import AgnesiArrays

/// A small rewrite: a pattern, and what is put in the place of each tensor that it fits.
///
/// The replacement has the type of what it replaces, and the same values but for rounding; where a
/// rule differs in more (the sign of a zero), its reason says so.
package struct Rule: Sendable {
  package let name: String
  package let reason: String
  let pattern: Pattern
  let replacement: @Sendable (Match) -> Tensor?

  package init(
    name: String, reason: String, pattern: Tensor,
    replacement: @escaping @Sendable (Match) -> Tensor?
  ) {
    if pattern.node.operation is Wildcard || pattern.node.operation is AnyNumber {
      internalError("the pattern of the rule \"\(name)\" would fit everything")
    }
    self.name = name
    self.reason = reason
    self.pattern = Pattern(pattern)
    self.replacement = replacement
  }

  /// Rules are tried only at nodes of this label.
  var rootLabel: String { pattern.tensor.label }

  /// What the rule puts in the place of `subject`; nil where it does not apply.
  func applied(to subject: Tensor) -> Tensor? {
    guard let result = pattern.firstMatch(subject, replacement) else { return nil }
    return checked(result, against: subject)
  }

  /// A replacement may be smaller than what it replaces, such as a number, and is repeated then.
  private func checked(_ result: Tensor, against subject: Tensor) -> Tensor {
    if result.type == subject.type { return result }
    let fitted =
      result.failure == nil && result.dtype == subject.dtype
      ? result.broadcast(to: subject.shape) : result
    guard fitted.type == subject.type, fitted.failure == nil else {
      let reason = fitted.failure.map { "\n\($0.text(withLocations: false))" } ?? ""
      internalError(
        "the rule \"\(name)\" replaces \(subject.type) by \(result.type)\(reason)")
    }
    return fitted
  }
}

/// A rule whose replacement is a formula of the pattern's wildcards. Numbers in it take the dtype
/// of what they stand beside, as in the user's formulas.
///
/// - Parameter condition: whether the rule applies to a match.
package func rule(
  _ name: String, _ pattern: Tensor, _ formula: Tensor, because reason: String = "",
  where condition: @escaping @Sendable (Match) -> Bool = { _ in true }
) -> Rule {
  let template = Template(formula, ruleName: name)
  return Rule(name: name, reason: reason, pattern: pattern) { match in
    condition(match) ? template.filled(match) : nil
  }
}

/// A rule whose replacement is computed from the match; nil declines.
package func rule(
  _ name: String, _ pattern: Tensor, because reason: String = "",
  _ replacement: @escaping @Sendable (Match) -> Tensor?
) -> Rule {
  Rule(name: name, reason: reason, pattern: pattern, replacement: replacement)
}

/// A table of rules, one a line; each is type-checked on its own.
package func rules(@RuleTable _ rows: () -> [Rule]) -> [Rule] { rows() }

@resultBuilder
package enum RuleTable {
  package static func buildExpression(_ rule: Rule) -> [Rule] { [rule] }
  package static func buildExpression(_ rules: [Rule]) -> [Rule] { rules }
  package static func buildBlock(_ parts: [Rule]...) -> [Rule] { parts.flatMap { $0 } }
  package static func buildOptional(_ part: [Rule]?) -> [Rule] { part ?? [] }
  package static func buildArray(_ parts: [[Rule]]) -> [Rule] { parts.flatMap { $0 } }
}

/// The right-hand side of a rule.
struct Template: Sendable {
  private let formula: Tensor

  init(_ formula: Tensor, ruleName: String) {
    // The body of a composite of unknown operands is unknown, so it cannot be built again.
    let nodes = [formula].topologicalNodes()
    if nodes.contains(where: { $0.operation is Composite }) {
      internalError("the rule \"\(ruleName)\" builds a composite; write it with a closure")
    }
    self.formula = formula
  }

  func filled(_ match: Match) -> Tensor {
    if let number = formula.scalarConstant {
      return Self.constant(number, beside: [match.root])
    }
    return build(formula, match)
  }

  private func build(_ part: Tensor, _ match: Match) -> Tensor {
    if let bound = match.bound(part) { return bound }
    let parts = part.node.operands
    let built = parts.map { $0.constant == nil ? build($0, match) : nil }
    let others = built.compactMap { $0 }
    let operands = zip(parts, built).map { part, tensor in
      tensor ?? part.scalarConstant.map { Self.constant($0, beside: others) } ?? part
    }
    return part.node.operation.applied(to: operands)[part.result]
  }

  /// As `Tensor.constant(like:)`: a fraction beside integers is float32.
  private static func constant(_ value: Double, beside others: [Tensor]) -> Tensor {
    let isWhole = value.rounded() == value
    let fitting = others.map(\.dtype).first { $0.isFloating || (isWhole && $0 != .bool) }
    return .constant(value, fitting ?? (isWhole ? .int32 : .float32))
  }
}
