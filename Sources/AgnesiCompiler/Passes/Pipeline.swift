import AgnesiExpressions

/// How much a graph is rewritten before it is lowered.
public enum RewriteLevel: String, Sendable, CaseIterable, Codable, Comparable {
  /// Composites are expanded, which every backend needs, and nothing else.
  case none
  /// Equal nodes are merged, formulas that would overflow are made stable, and the backend lays
  /// tensors out as its kernels want them.
  case fast
  /// All passes.
  case full

  public static func < (a: RewriteLevel, b: RewriteLevel) -> Bool { a.rank < b.rank }

  private var rank: Int {
    switch self {
    case .none: 0
    case .fast: 1
    case .full: 2
    }
  }
}

/// The passes between a user's graph and its lowering, in order.
package struct Pipeline: Sendable {
  /// For each function once, and then those that run for each set of expected sizes.
  package let passes: [Pass]
  /// Whether the graph is verified after each pass: in tests and debug builds.
  package let isVerifying: Bool

  /// - Parameters:
  ///   - excluded: names of passes and rules that are left out.
  ///   - included: names of passes and rules that run though the level leaves them out.
  ///   - keeping: composites that the backend takes whole.
  ///   - backend: the passes of the backend.
  package init(
    level: RewriteLevel = .full, excluding excluded: Set<String> = [],
    including included: Set<String> = [], keeping: Set<String> = [], backend: [Pass] = [],
    isVerifying: Bool = Self.isDebug
  ) {
    passes = (Self.list(keeping: keeping) + backend).compactMap { pass in
      guard pass.isNeeded || !excluded.contains(pass.name) else { return nil }
      let isOn = pass.level <= level || included.contains(pass.name)
      if !isOn && pass.rules.isEmpty { return nil }
      return pass.filtered { rule in
        !excluded.contains(rule.name) && (isOn || included.contains(rule.name))
      }
    }
    self.isVerifying = isVerifying
  }

  /// The one list of passes; those of the backend follow.
  private static func list(keeping kept: Set<String> = []) -> [Pass] {
    let merge = Pass("merge", from: .fast) { AgnesiCompiler.merge($0) }
    let simplify = Pass(
      "simplify", Rewrites.canonicalize + Rewrites.choices + Rewrites.simplify)
    let fold = Pass("fold constants") { foldConstants($0) }
    return [
      merge,
      Pass("canonicalise", from: .fast, Rewrites.gradientMarks + Rewrites.canonicalize),
      // Composites are matched by name, so before they are expanded.
      Pass(
        "stabilise", from: .fast, Rewrites.canonicalize + Rewrites.stabilize + Rewrites.choices),
      simplify,
      fold,
      Pass("expand composites", from: .none) { expandComposites($0, keeping: kept) },
      // Bodies may draw under names that are taken: after expansion every draw is in sight.
      Pass("name random streams", from: .none) { renamedStreams($0) },
      // Bodies bring what stands outside of them too.
      merge,
      simplify,
      fold,
      simplify,
      Pass("merge") { AgnesiCompiler.merge($0) },
      // On formulas in their last form: it looks for convolutions whose result is scaled.
      Pass("scale kernels", from: .fast) { ScaledKernels.scaled($0) },
      Pass("ReLU", from: .fast, Rewrites.rectifiers),
      Pass("pooling before ReLU", from: .fast) { poolingBeforeReLU($0) },
    ]
  }

  /// The names of all passes and rules: what may be excluded and included.
  package static func names(backend: [Pass] = []) -> Set<String> {
    Set((list() + backend).flatMap { [$0.name] + $0.rules.map(\.name) })
  }

  // MARK: Running

  /// The rewritten outputs, in order, by the passes that do not depend on sizes.
  ///
  /// - Throws: ``GraphError`` of a failed output.
  package func apply(to outputs: [Tensor]) throws(GraphError) -> [Tensor] {
    var log = RewriteLog()
    return try apply(to: outputs, log: &log)
  }

  package func apply(
    to outputs: [Tensor], log: inout RewriteLog
  ) throws(GraphError) -> [Tensor] {
    var records: [PassRecord] = []
    return try apply(to: outputs, log: &log, records: &records)
  }

  package func apply(
    to outputs: [Tensor], log: inout RewriteLog, records: inout [PassRecord]
  ) throws(GraphError) -> [Tensor] {
    if let failure = outputs.lazy.compactMap(\.failure).first { throw failure }
    var context = Pass.Context()
    context.log = log
    defer { log = context.log }
    return run(passes.filter { !$0.dependsOnSizes }, outputs, &context, &records)
  }

  /// The outputs as the passes leave them that depend on sizes: layouts, above all. Right for all
  /// sizes, and good for these.
  package func laidOut(
    _ outputs: [Tensor], expecting sizes: [String: Int], records: inout [PassRecord]
  ) -> [Tensor] {
    var context = Pass.Context(expectedSizes: sizes)
    return run(passes.filter(\.dependsOnSizes), outputs, &context, &records)
  }

  private func run(
    _ passes: [Pass], _ outputs: [Tensor], _ context: inout Pass.Context,
    _ records: inout [PassRecord]
  ) -> [Tensor] {
    var current = outputs
    var count = outputs.topologicalNodes().count
    for pass in passes {
      let (before, fired) = (count, context.log.firings.count)
      let chosen = context.layouts.order.count
      let clock = ContinuousClock()
      let start = clock.now
      let next = pass.apply(current, &context)
      let seconds = (clock.now - start) / .seconds(1)
      check(next, against: current, after: pass)
      if next != current { count = next.topologicalNodes().count }
      records.append(
        PassRecord(
          pass: pass.name, seconds: seconds, nodes: (before, count),
          rules: context.log.firings[fired...].reduce(into: [:]) { $0[$1.rule, default: 0] += 1 },
          choices: context.layouts.order.count == chosen ? [] : context.layouts.lines))
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

extension Pass {
  /// Whether no program runs without it.
  fileprivate var isNeeded: Bool { level == .none }
}
