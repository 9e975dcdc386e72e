import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi
import Synchronization

/// A program for given sizes: the steps as the C side reads them, and where every buffer lies.
///
/// Running it binds addresses, calls the step runner once, and nothing else.
final class CPUPlan: Sendable {
  let outputShapes: [[Int]]
  let outputBytes: Int
  private let lowered: LoweredProgram
  private let name: String
  private let memory: MemoryPlan
  private let profile: (profiler: Profiler, plan: Int)?
  private let steps: StepTable
  private let workspaces: Mutex<[Workspace]>
  /// Buffers that get another address in each call.
  private let parameters: [(slot: Int, parameter: Parameter, isWritten: Bool)]
  private let inputs: [(slot: Int, position: Int)]
  private let outputs: [(slot: Int, position: Int)]
  private let copies: [(from: Int, to: Int, bytes: Int)]
  /// What the steps that are left out while nothing changes depend on.
  private let hoistedParameters: [Parameter]

  init(
    _ lowered: LoweredProgram, functions: [CompiledUnit.Function?], sizes: [String: Int],
    outputShapes: [[Int]], name: String, backend: CPU
  ) throws {
    self.lowered = lowered
    self.outputShapes = outputShapes
    try lowered.checkBuffers(sizes)
    outputBytes = lowered.outputBytes(sizes)
    memory = MemoryPlan(lowered, sizes: sizes)
    let steps = try StepTable(
      lowered, functions: functions, sizes: sizes, choices: backend.convolutions)
    self.steps = steps
    try lowered.check(memory, scratchBytes: steps.scratchBytes, sizes: sizes, name: name)
    self.name = name
    profile = backend.profiler.map { profiler in
      (profiler, profiler.add(steps.entries(lowered, function: name, sizes: sizes)))
    }
    workspaces = Mutex([])
    var parameters: [(slot: Int, parameter: Parameter, isWritten: Bool)] = []
    var inputs: [(slot: Int, position: Int)] = []
    var outputs: [(slot: Int, position: Int)] = []
    let copied = Set(lowered.copies.map(\.to.index))
    for (slot, buffer) in lowered.buffers.enumerated() {
      switch buffer.kind {
      case .parameter(let parameter):
        parameters.append((slot, parameter, copied.contains(slot)))
      case .inPlace(let parameter): parameters.append((slot, parameter, true))
      case .input(let position): inputs.append((slot, position))
      case .output(let position): outputs.append((slot, position))
      case .constant, .callNumber, .temporary: break
      }
    }
    // Writers first: making a parameter's memory its own moves it, and readers must see that.
    self.parameters = parameters.filter(\.isWritten) + parameters.filter { !$0.isWritten }
    self.inputs = inputs
    self.outputs = outputs
    hoistedParameters = lowered.hoistedParameters
    copies = lowered.copies.map { copy in
      let buffer = lowered.buffers[copy.to.index]
      let count = buffer.count.value(in: sizes)
      return (copy.from.index, copy.to.index, count * buffer.dtype.size)
    }
  }

  func run(inputs arrays: [NDArray], outputs results: [NDArray], callNumber: Int) throws {
    let workspace = try workspaces.withLock { $0.popLast() } ?? newWorkspace()
    defer { workspaces.withLock { $0.append(workspace) } }
    workspace.callNumber.pointee = Int64(callNumber)
    for (slot, position) in inputs { workspace.slots[slot] = arrays[position].address }
    for (slot, position) in outputs { workspace.slots[slot] = results[position].address }
    for (index, binding) in parameters.enumerated() {
      let storage = binding.parameter.storage(forWriting: binding.isWritten)
      workspace.held[index] = storage
      workspace.slots[binding.slot] = storage.base
    }
    defer { for index in parameters.indices { workspace.held[index] = nil } }
    let version = hoistedParameters.version
    let stale = steps.prepacked.filter { $0.refresh(hoisted: version) }
    var first = workspace.firstStep(after: lowered.hoistedCount, version)
    if !stale.isEmpty {
      // What is kept in another form may be the result of hoisted steps.
      try run(first..<lowered.hoistedCount, in: workspace)
      first = lowered.hoistedCount
      try convert(stale, in: workspace)
    }
    let start = profile.map { _ in ContinuousClock.now }
    try run(first..<steps.count, in: workspace)
    if let profile, let start { profile.profiler.add(profile.plan, from: start, workspace.seconds) }
    for copy in copies {
      guard let source = workspace.slots[copy.from], let target = workspace.slots[copy.to] else {
        continue
      }
      target.copyMemory(from: source, byteCount: copy.bytes)
    }
  }
}

extension CPUPlan {
  /// Calls that run side by side have one each.
  private func newWorkspace() throws -> Workspace {
    let bytes = memory.byteCount + steps.scratchBytes
    try Memory.check(Memory.Demand(name, "the temporary memory of a call", bytes: bytes))
    return Workspace(lowered, memory, scratchBytes: steps.scratchBytes)
  }

  private func run(_ range: Range<Int>, in workspace: Workspace) throws {
    let first = range.lowerBound
    let failed = agnesi_run_on(
      agnesi_shared_executor(), steps.pointer + first, Int64(range.count), workspace.slots,
      profile == nil ? nil : workspace.seconds + first)
    if failed < 0 { return }
    workspace.hoistedVersion = nil
    throw FunctionError(lowered.steps[first + Int(failed)].label, "the library call failed")
  }

  private func convert(_ kept: [PrepackedWeights], in workspace: Workspace) throws {
    let start = ContinuousClock.now
    guard PrepackedWeights.convert(kept, workspace.slots, in: workspace.scratch.base) else {
      throw FunctionError("convolution", "its kernels could not be brought into the library's form")
    }
    if let profile { profile.profiler.add(preparing: profile.plan, from: start, to: .now) }
  }
}

extension NDArray {
  /// Where the first element lies.
  fileprivate var address: UnsafeMutableRawPointer { storage.base + offset * dtype.size }
}

/// What one call of a plan works in. Used by one call at a time.
private final class Workspace: @unchecked Sendable {
  let slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  let callNumber: UnsafeMutablePointer<Int64>
  /// How long each step took, where somebody asks.
  let seconds: UnsafeMutablePointer<Double>
  private let slotCount: Int
  private let arena: ArrayStorage
  /// What library calls work in, one after the other.
  let scratch: ArrayStorage
  private var constants: [NDArray] = []
  /// Keeps parameters' memory alive during a call.
  var held: [ArrayStorage?]
  /// The version of the parameters that hoisted steps have run with here; nil before they have.
  var hoistedVersion: Int?

  init(_ lowered: LoweredProgram, _ memory: MemoryPlan, scratchBytes: Int) {
    // The scratch memory has the slot behind those of the buffers.
    slotCount = lowered.buffers.count + 1
    slots = .allocate(capacity: max(1, slotCount))
    slots.initialize(repeating: nil, count: max(1, slotCount))
    callNumber = .allocate(capacity: 1)
    callNumber.initialize(to: 0)
    seconds = .allocate(capacity: max(1, lowered.steps.count))
    seconds.initialize(repeating: 0, count: max(1, lowered.steps.count))
    arena = ArrayStorage(uninitialized: memory.byteCount)
    scratch = ArrayStorage(uninitialized: scratchBytes)
    slots[lowered.buffers.count] = scratch.base
    held = [ArrayStorage?](repeating: nil, count: slotCount)
    for (slot, buffer) in lowered.buffers.enumerated() {
      switch buffer.kind {
      case .constant(let array):
        let contiguous = array.contiguous()
        constants.append(contiguous)
        slots[slot] = contiguous.address
      case .callNumber: slots[slot] = UnsafeMutableRawPointer(callNumber)
      case .temporary: slots[slot] = memory.offsets[slot].map { arena.base + $0 }
      default: break
      }
    }
  }

  /// Where a call begins: behind the `hoisted` first steps if they have run with this version.
  func firstStep(after hoisted: Int, _ version: Int) -> Int {
    let isHoisted = hoistedVersion == version
    hoistedVersion = version
    guard isHoisted else { return 0 }
    for step in 0..<hoisted { seconds[step] = 0 }
    return hoisted
  }

  deinit {
    slots.deallocate()
    callNumber.deallocate()
    seconds.deallocate()
  }
}
