import AgnesiExpressions

/// How much a graph is rewritten before it is lowered.
public enum RewriteLevel: String, Sendable, CaseIterable, Codable {
  /// Composites are expanded, which every backend needs, and nothing else.
  case none
  /// Equal nodes are merged, and formulas that would overflow are made stable.
  case fast
  /// All passes.
  case full
}

/// The passes between a user's graph and a backend, in order.
package struct Pipeline: Sendable {
  package let passes: [Pass]
  /// Whether the graph is verified after each pass: in tests and debug builds.
  package let isVerifying: Bool

  /// - Parameter keeping: composites that the backend takes whole.
  package init(
    level: RewriteLevel = .full, keeping: Set<String> = [], isVerifying: Bool = Self.isDebug
  ) {
    passes = Self.passes(level, keeping: keeping)
    self.isVerifying = isVerifying
  }

  /// The one list of passes.
  private static func passes(_ level: RewriteLevel, keeping kept: Set<String>) -> [Pass] {
    let merge = Pass("merge") { AgnesiCompiler.merge($0) }
    let canonicalize = Pass("canonicalise", Rewrites.gradientMarks + Rewrites.canonicalize)
    let stabilize = Pass(
      "stabilise", Rewrites.canonicalize + Rewrites.stabilize + Rewrites.choices)
    let simplify = Pass(
      "simplify", Rewrites.canonicalize + Rewrites.choices + Rewrites.simplify)
    let fold = Pass("fold constants") { foldConstants($0) }
    let expand = Pass("expand composites") { expandComposites($0, keeping: kept) }
    // Bodies may draw under names that are taken: after expansion every draw is in sight.
    let name = Pass("name random streams") { renamedStreams($0) }
    switch level {
    case .none:
      return [expand, name]
    case .fast:
      return [merge, canonicalize, stabilize, expand, name, merge]
    case .full:
      return [
        merge,
        canonicalize,
        // Composites are matched by name, so before they are expanded.
        stabilize,
        simplify,
        fold,
        expand,
        name,
        // Bodies bring what stands outside of them too.
        merge,
        simplify,
        fold,
        simplify,
        merge,
      ]
    }
  }

  /// The rewritten outputs, in order.
  ///
  /// - Throws: ``GraphError`` of a failed output.
  package func apply(to outputs: [Tensor]) throws(GraphError) -> [Tensor] {
    var log = RewriteLog()
    return try apply(to: outputs, log: &log)
  }

  package func apply(
    to outputs: [Tensor], log: inout RewriteLog
  ) throws(GraphError) -> [Tensor] {
    if let failure = outputs.lazy.compactMap(\.failure).first { throw failure }
    var current = outputs
    for pass in passes {
      let next = pass.apply(current, &log)
      check(next, against: current, after: pass)
      current = next
    }
    return current
  }

  /// A pass that breaks a graph is a mistake of Agnesi, not of the user.
  private func check(_ next: [Tensor], against current: [Tensor], after pass: Pass) {
    for (old, new) in zip(current, next) where old.type != new.type {
      internalError("the pass \"\(pass.name)\" turns \(old.type) into \(new.type)")
    }
    guard isVerifying else { return }
    do {
      try next.verify()
    } catch {
      internalError("the pass \"\(pass.name)\" leaves a broken graph: \(error)")
    }
  }

  package static let isDebug: Bool = {
    #if DEBUG
      true
    #else
      false
    #endif
  }()
}
