import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension LoweredProgram {
  /// Checks each buffer by itself, before anything is computed from their sizes.
  ///
  /// - Throws: `MemoryError` that names the step which writes the buffer.
  package func checkBuffers(_ sizes: [String: Int]) throws {
    for (index, buffer) in buffers.enumerated() {
      switch buffer.kind {
      case .temporary, .output:
        if let bytes = bytes(of: index, sizes), Memory.isNegligible(bytes) { continue }
        let writer = writer(of: index)
        try Memory.check(
          demand(of: index, sizes, by: writer), place: writer?.location?.place)
      case .input, .parameter, .inPlace, .constant, .callNumber: continue
      }
    }
  }

  /// The bytes of all results.
  package func outputBytes(_ sizes: [String: Int]) -> Int {
    buffers.indices.reduce(0) { sum, index in
      guard case .output = buffers[index].kind else { return sum }
      return sum.saturatingSum(bytes(of: index, sizes) ?? .max)
    }
  }

  /// What a call holds at once: results, temporary memory, what library calls work in, and the
  /// parameters that have no value yet.
  package func check(
    _ plan: MemoryPlan, scratchBytes: Int, sizes: [String: Int], name: String
  ) throws {
    var demands: [Memory.Demand] = []
    for (index, buffer) in buffers.enumerated() {
      switch buffer.kind {
      case .output: demands.append(demand(of: index, sizes, by: writer(of: index)))
      case .parameter(let parameter), .inPlace(let parameter):
        if !parameter.hasValue { demands.append(parameter.demand) }
      case .input, .constant, .callNumber, .temporary: continue
      }
    }
    demands.append(temporary(plan, sizes))
    demands.append(Memory.Demand("libraries", "their work space", bytes: scratchBytes))
    try Memory.check(demands, of: "all that a call needs at once", for: name)
  }

  /// The block of temporaries, by the largest of them.
  private func temporary(_ plan: MemoryPlan, _ sizes: [String: Int]) -> Memory.Demand {
    let largest = buffers.indices.filter { plan.offsets[$0] != nil }.max {
      bytes(of: $0, sizes) ?? .max < bytes(of: $1, sizes) ?? .max
    }
    guard let largest else {
      return Memory.Demand("temporary memory", "none", bytes: plan.byteCount)
    }
    let own = demand(of: largest, sizes, by: writer(of: largest))
    return Memory.Demand(
      "temporary memory", "\(own.subject) \(own.content) and others", bytes: plan.byteCount)
  }

  private func writer(of buffer: Int) -> Step? {
    steps.first { $0.written.contains(BufferID(index: buffer)) }
  }

  private func bytes(of buffer: Int, _ sizes: [String: Int]) -> Int? {
    let count = buffers[buffer].count.value(in: sizes)
    let bytes = count.saturatingProduct(buffers[buffer].dtype.size)
    return bytes == .max ? nil : bytes
  }

  private func demand(of buffer: Int, _ sizes: [String: Int], by step: Step?) -> Memory.Demand {
    let info = buffers[buffer]
    let shape = info.shape.map { $0.value(in: sizes) }
    return Memory.Demand(
      step?.label ?? "result", "\(info.dtype)\(shape)", bytes: bytes(of: buffer, sizes))
  }
}
