import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi
import Synchronization

/// The steps of a plan in the C side's own form, with everything that they point to.
///
/// Unchecked because it never changes after it is made.
final class StepTable: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<agnesi_step>
  let count: Int
  private var slotLists: [UnsafeMutablePointer<Int32>] = []
  private var numberLists: [UnsafeMutablePointer<Int64>] = []
  /// Of the steps that are library calls.
  private(set) var contexts: [Int: LibraryContext] = [:]
  /// Contexts that keep a conversion of a parameter.
  private(set) var prepacked: [PrepackedWeights] = []
  /// What the largest of the library calls works in, in bytes.
  private(set) var scratchBytes = 0

  /// Less work than this, in operations, is not worth waking a thread for (about 2 µs).
  private static let parallelWork = 60_000
  /// Pieces of each thread's part of a loop: taking one costs 0.02 to 0.1 µs.
  private static let pieces: Int32 = 8

  init(
    _ lowered: LoweredProgram, functions: [CompiledUnit.Function?], sizes: [String: Int],
    choices: ConvolutionChoices
  ) throws {
    count = lowered.steps.count
    pointer = .allocate(capacity: max(1, count))
    pointer.initialize(repeating: agnesi_step(), count: max(1, count))
    let threads = Int(agnesi_threads())
    let scratchSlot = Int32(lowered.buffers.count)
    for (index, step) in lowered.steps.enumerated() {
      var entry = agnesi_step()
      entry.slots = UnsafePointer(list(step.arguments.map { Int32($0.index) }))
      entry.slot_count = Int32(step.arguments.count)
      switch step.work {
      case .kernel(let kernel, let cost):
        entry.kernel = functions[index]
        entry.sizes = UnsafePointer(
          list(kernel.sizes.map { Int64(Size.symbol($0).value(in: sizes)) }))
        let extent = kernel.parallelExtent?.evaluated(sizes)
        entry.extent = Int64(extent ?? 1)
        let work = cost.value(in: sizes).saturatingProduct(extent ?? 1)
        let isWorth = extent != nil && work > Self.parallelWork
        entry.threads = isWorth ? Int32(threads) : 1
        entry.pieces = Self.pieces
      case .text(let kernel):
        entry.kernel = functions[index]
        entry.sizes = UnsafePointer(list(kernel.sizes.map { Int64($0.value(in: sizes)) }))
        entry.extent = Int64(kernel.extent.value(in: sizes))
        let isWorth = kernel.cost.value(in: sizes) > Self.parallelWork
        entry.threads = isWorth ? Int32(threads) : 1
      case .call(let call):
        let source = lowered.prepackedWeights(call)
        let context = try LibraryContext.make(
          call, sizes: sizes, threads: threads, keepsWeights: source != nil, choices: choices)
        contexts[index] = context
        if let source {
          let weights = call.operands[1]
          let offset = weights.view.offset.value(in: sizes) * weights.dtype.size
          let keeping = PrepackedWeights(
            context, source, slot: weights.buffer.index, offset: offset)
          prepacked.append(keeping)
          scratchBytes = max(scratchBytes, keeping.scratchBytes)
        }
        entry.call = context.call
        entry.context = context.pointer
        entry.threads = Int32(threads)
        let operands = call.operands + call.results
        var offsets = operands.map { Int64($0.view.offset.value(in: sizes) * $0.dtype.size) }
        if let bytes = context.scratchBytes {
          scratchBytes = max(scratchBytes, bytes)
          offsets.append(0)
          let slots = step.arguments.map { Int32($0.index) } + [scratchSlot]
          entry.slots = UnsafePointer(list(slots))
          entry.slot_count = Int32(slots.count)
        }
        entry.offsets = UnsafePointer(list(offsets))
      }
      pointer[index] = entry
    }
  }

  /// The threads that work on a step: not more than it has iterations.
  func threads(of step: Int) -> Int {
    let (entry, threads) = (pointer[step], Int(pointer[step].threads))
    return entry.call == nil ? max(1, min(threads, Int(entry.extent))) : threads
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

extension LoweredProgram {
  /// Where a convolution's kernels come from, if they stay the same from call to call while
  /// parameters do; else nil.
  func prepackedWeights(_ call: LibraryCall) -> PrepackedWeights.Source? {
    guard case .convolution(let convolution) = LibraryKernel.kind(of: call.node),
      convolution.kind != .backwardWeights
    else { return nil }
    let kernels = call.operands[1].buffer
    if case .parameter(let parameter) = buffers[kernels.index].kind {
      return leavesUnchanged(parameter) ? .parameter(parameter) : nil
    }
    return isHoisted(kernels) ? .hoistedStep : nil
  }
}

extension [Parameter] {
  /// Grows with each change of any of them.
  var version: Int { reduce(0) { $0 + $1.version } }
}
