import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi

/// The steps of a plan in the C side's own form, with everything that they point to.
///
/// Unchecked because it never changes after it is made.
final class StepTable: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<agnesi_step>
  let count: Int
  private var slotLists: [UnsafeMutablePointer<Int32>] = []
  private var numberLists: [UnsafeMutablePointer<Int64>] = []
  private var contexts: [LibraryContext] = []

  /// Less work than this, in operations, is not worth waking a thread for (about 2 µs).
  private static let parallelWork = 60_000

  init(
    _ lowered: LoweredProgram, functions: [CompiledUnit.Function?], sizes: [String: Int]
  ) throws {
    count = lowered.steps.count
    pointer = .allocate(capacity: max(1, count))
    pointer.initialize(repeating: agnesi_step(), count: max(1, count))
    let threads = Int(agnesi_threads())
    for (index, step) in lowered.steps.enumerated() {
      var entry = agnesi_step()
      entry.slots = UnsafePointer(list(step.arguments.map { Int32($0.index) }))
      entry.slot_count = Int32(step.arguments.count)
      switch step.work {
      case .kernel(let kernel, let cost):
        entry.kernel = functions[index]
        entry.sizes = UnsafePointer(list(kernel.sizes.map { Int64(sizes[$0] ?? 0) }))
        let extent = kernel.parallelExtent?.evaluated(sizes)
        entry.extent = Int64(extent ?? 1)
        let work = (cost.evaluated(sizes) ?? 0) * (extent ?? 1)
        let isWorth = extent != nil && work > Self.parallelWork
        entry.threads = isWorth ? Int32(threads) : 1
      case .call(let call):
        let context = try LibraryContext.make(call, sizes: sizes, threads: threads)
        contexts.append(context)
        entry.call = context.call
        entry.context = context.pointer
        entry.threads = Int32(threads)
        let operands = call.operands + call.results
        entry.offsets = UnsafePointer(
          list(operands.map { Int64(($0.view.offset.evaluated(sizes) ?? 0) * $0.dtype.size) }))
      }
      pointer[index] = entry
    }
  }

  private func list(_ values: [Int32]) -> UnsafeMutablePointer<Int32> {
    let memory = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, values.count))
    for (index, value) in values.enumerated() { (memory + index).initialize(to: value) }
    slotLists.append(memory)
    return memory
  }

  private func list(_ values: [Int64]) -> UnsafeMutablePointer<Int64> {
    let memory = UnsafeMutablePointer<Int64>.allocate(capacity: max(1, values.count))
    for (index, value) in values.enumerated() { (memory + index).initialize(to: value) }
    numberLists.append(memory)
    return memory
  }

  deinit {
    pointer.deallocate()
    slotLists.forEach { $0.deallocate() }
    numberLists.forEach { $0.deallocate() }
  }
}
