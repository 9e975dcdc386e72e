import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import Synchronization

/// A program for the CPU: machine code for each regime of sizes, and a plan for each set of sizes.
final class CPUExecutable: Executable {
  private let program: GraphProgram
  private let backend: CPU
  private let outputTypes: [TensorType]
  private let plans = Mutex(Plans())

  private struct Plans {
    var variants: [SizeRegime: CPUVariant] = [:]
    var bySizes: [[String: Int]: Entry] = [:]
    var order: [[String: Int]] = []
    /// Of the last call: comparing sizes is quicker than hashing them.
    var last: (sizes: [String: Int], plan: CPUPlan)?

    struct Entry {
      var plan: CPUPlan
      /// Calls that are left before a plan of another regime's code gives way to one of its own.
      var patience: Int?
    }
  }

  /// Sets of sizes kept at once: enough for whole and last batches of training, evaluation and a few
  /// photos.
  private static let planLimit = 16

  /// Calls with sizes of another regime before code of their own is compiled: the rest of an epoch
  /// comes once and must not wait for a compiler, photos keep coming.
  private static let patience = 3

  /// What has no names of sizes is compiled at once, other programs when the first sizes are known.
  init(_ program: GraphProgram, backend: CPU) throws {
    self.program = program
    self.backend = backend
    outputTypes = program.outputs.map(\.type)
    let hasNames = program.inputs.contains { !$0.shape.allSatisfy { $0.known != nil } }
    if hasNames {
      _ = try backend.compiler.compiler.compiler()
    } else {
      try plans.withLock { _ = try variant(for: [:], in: &$0) }
    }
  }

  func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray] {
    let plan: CPUPlan = try plans.withLock { try self.plan(for: sizes, in: &$0) }
    // Results that the caller keeps may have used up what there was when the plan was made.
    for (type, shape) in zip(outputTypes, plan.outputShapes) {
      try Memory.check(Memory.Demand(program.name, type.dtype, shape))
    }
    let outputs = plan.outputShapes.indices.map {
      NDArray(uninitialized: plan.outputShapes[$0], outputTypes[$0].dtype)
    }
    try plan.run(inputs: inputs, outputs: outputs, callNumber: callNumber)
    return outputs
  }

  private func plan(for sizes: [String: Int], in plans: inout Plans) throws -> CPUPlan {
    if let last = plans.last, last.sizes == sizes { return last.plan }
    if let entry = plans.bySizes[sizes] {
      guard let patience = entry.patience else {
        plans.last = (sizes, entry.plan)
        return entry.plan
      }
      if patience > 0 {
        plans.bySizes[sizes]?.patience = patience - 1
        return entry.plan
      }
      plans.bySizes[sizes] = nil
      plans.order.removeAll { $0 == sizes }
      _ = try variant(for: sizes, in: &plans)
    }
    return try newPlan(for: sizes, in: &plans)
  }

  /// A plan of the regime's own code if there is some, else of any, else of code made for it.
  private func newPlan(for sizes: [String: Int], in plans: inout Plans) throws -> CPUPlan {
    let own = plans.variants[SizeRegime(sizes)]
    let other = own == nil ? plans.variants.first?.value : nil
    let variant = try own ?? other ?? self.variant(for: sizes, in: &plans)
    let shapes = outputTypes.map { type in type.shape.map { $0.evaluated(sizes) ?? 0 } }
    let plan = try CPUPlan(
      variant.lowered, functions: variant.functions, sizes: sizes, outputShapes: shapes,
      name: program.name, backend: backend)
    plans.bySizes[sizes] = .init(plan: plan, patience: other == nil ? nil : Self.patience - 1)
    plans.order.append(sizes)
    if plans.order.count > Self.planLimit { plans.bySizes[plans.order.removeFirst()] = nil }
    return plan
  }

  /// The regime's code, compiled if it is not there yet.
  private func variant(for sizes: [String: Int], in plans: inout Plans) throws -> CPUVariant {
    let regime = SizeRegime(sizes)
    if let known = plans.variants[regime] { return known }
    let lowered = backend.lowered(program, expecting: sizes)
    let variant = try CPUVariant(program, lowered, compiler: backend.compiler)
    plans.variants[regime] = variant
    return variant
  }
}
