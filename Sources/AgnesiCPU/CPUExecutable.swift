import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import Synchronization

/// A program for the CPU: machine code for each regime of sizes, and a plan for each set of sizes.
///
/// Which code computes a call is a function of its sizes alone, never of earlier calls: a resumed
/// run repeats the unbroken one to the bit.
final class CPUExecutable: Executable {
  private let program: GraphProgram
  private let backend: CPU
  private let outputTypes: [TensorType]
  private let known = Mutex(Known())

  private struct Known {
    /// As many as there are regimes, which are few.
    var variants: [SizeRegime: MadeOnce<CPUVariant>] = [:]
    var plans: [[String: Int]: MadeOnce<CPUPlan>] = [:]
    var order: [[String: Int]] = []
    /// Of the last call: comparing sizes is quicker than hashing them.
    var last: (sizes: [String: Int], plan: CPUPlan)?
  }

  /// Sets of sizes kept at once: enough for whole and last batches of training, evaluation and a few
  /// photos.
  private static let planLimit = 16

  /// What has no names of sizes is compiled at once, other programs when the first sizes are known.
  init(_ program: GraphProgram, backend: CPU) throws {
    self.program = program
    self.backend = backend
    outputTypes = program.outputs.map(\.type)
    let hasNames = program.inputs.contains { !$0.shape.allSatisfy { $0.known != nil } }
    if hasNames {
      _ = try backend.compiler.compiler.compiler()
    } else {
      _ = try variant(for: [:])
    }
  }

  func prepare(for sizes: [String: Int]) throws { _ = try plan(for: sizes) }

  func passRecords(for sizes: [String: Int]) throws -> [PassRecord] {
    try variant(for: sizes).passRecords
  }

  func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray] {
    let plan = try plan(for: sizes)
    // Results that the caller keeps may have used up what there was when the plan was made.
    if plan.outputBytes >= Memory.small {
      try Memory.check(Memory.Demand(program.name, "the results", bytes: plan.outputBytes))
    }
    let outputs = plan.outputShapes.indices.map {
      NDArray(uninitialized: plan.outputShapes[$0], outputTypes[$0].dtype)
    }
    try plan.run(inputs: inputs, outputs: outputs, callNumber: callNumber)
    return outputs
  }

  /// Nothing is compiled while the lock is held, so that calls of other sizes go on meanwhile.
  private func plan(for sizes: [String: Int]) throws -> CPUPlan {
    let last = known.withLock { $0.last.flatMap { $0.sizes == sizes ? $0.plan : nil } }
    if let last { return last }
    let wanted: MadeOnce<CPUPlan> = known.withLock { known in
      if let wanted = known.plans[sizes] { return wanted }
      let wanted = MadeOnce<CPUPlan>()
      known.plans[sizes] = wanted
      known.order.append(sizes)
      if known.order.count > Self.planLimit { known.plans[known.order.removeFirst()] = nil }
      return wanted
    }
    let plan = try wanted.value { try newPlan(for: sizes) }
    known.withLock { $0.last = (sizes, plan) }
    return plan
  }

  private func newPlan(for sizes: [String: Int]) throws -> CPUPlan {
    let variant = try variant(for: sizes)
    let shapes = outputTypes.map { type in type.shape.map { $0.value(in: sizes) } }
    return try CPUPlan(
      variant.lowered, functions: variant.functions, sizes: sizes, outputShapes: shapes,
      name: program.name, backend: backend)
  }

  /// The code of the regime of `sizes`, compiled if it is not there yet.
  private func variant(for sizes: [String: Int]) throws -> CPUVariant {
    let regime = SizeRegime(sizes, of: program)
    let wanted: MadeOnce<CPUVariant> = known.withLock { known in
      if let wanted = known.variants[regime] { return wanted }
      let wanted = MadeOnce<CPUVariant>()
      known.variants[regime] = wanted
      return wanted
    }
    return try wanted.value { try CPUVariant(program, for: regime, on: backend) }
  }
}

/// A value that is made when somebody first asks for it. Who asks while it is being made waits;
/// where that fails, the next one tries again.
private final class MadeOnce<Value: Sendable>: Sendable {
  private let made = Mutex<Value?>(nil)

  func value(_ make: () throws -> Value) throws -> Value {
    try made.withLock { made in
      if let made { return made }
      let value = try make()
      made = value
      return value
    }
  }
}
