import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi
import Synchronization

/// A program for the CPU: machine code for all sizes, and a plan for each set of sizes seen.
final class CPUExecutable: Executable {
  private let lowered: LoweredProgram
  private let outputTypes: [TensorType]
  /// The compiled function of each step that is a kernel; equal kernels share one.
  private let functions: [CompiledUnit.Function?]
  private let unit: CompiledUnit?
  private let profiler: Profiler?

  private struct Plans {
    var bySizes: [[String: Int]: CPUPlan] = [:]
    var order: [[String: Int]] = []
    /// Of the last call: comparing sizes is quicker than hashing them.
    var last: (sizes: [String: Int], plan: CPUPlan)?

    mutating func plan(for sizes: [String: Int]) -> CPUPlan? {
      if let last, last.sizes == sizes { return last.plan }
      guard let plan = bySizes[sizes] else { return nil }
      last = (sizes, plan)
      return plan
    }
  }

  private let plans = Mutex(Plans())

  /// Sets of sizes kept at once: enough for whole and last batches of training, evaluation and a few
  /// photos.
  private static let planLimit = 16

  init(
    _ program: GraphProgram, _ lowered: LoweredProgram, compiler: KernelCompiler,
    profiler: Profiler?
  ) throws {
    self.profiler = profiler
    self.lowered = lowered
    outputTypes = program.outputs.map(\.type)
    var kernels: [Kernel] = []
    var names: [String: String] = [:]
    let stepNames = lowered.steps.map { step -> String? in
      guard case .kernel(var kernel, _) = step.work else { return nil }
      let text = kernel.description
      if let name = names[text] { return name }
      kernel.name = "agnesi_kernel_\(kernels.count)"
      names[text] = kernel.name
      kernels.append(kernel)
      return kernel.name
    }
    let unit = kernels.isEmpty ? nil : try compiler.compile(kernels)
    self.unit = unit
    functions = stepNames.map { name in name.flatMap { unit?[$0] } }
  }

  func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray] {
    let plan = try plan(for: sizes)
    let outputs = plan.outputShapes.indices.map {
      NDArray(uninitialized: plan.outputShapes[$0], outputTypes[$0].dtype)
    }
    try plan.run(inputs: inputs, outputs: outputs, callNumber: callNumber)
    return outputs
  }

  private func plan(for sizes: [String: Int]) throws -> CPUPlan {
    if let known = plans.withLock({ $0.plan(for: sizes) }) { return known }
    let shapes = outputTypes.map { type in type.shape.map { $0.evaluated(sizes) ?? 0 } }
    let plan = try CPUPlan(
      lowered, functions: functions, sizes: sizes, outputShapes: shapes, profiler: profiler)
    plans.withLock { plans in
      plans.bySizes[sizes] = plan
      plans.order.append(sizes)
      if plans.order.count > Self.planLimit { plans.bySizes[plans.order.removeFirst()] = nil }
    }
    return plan
  }
}
