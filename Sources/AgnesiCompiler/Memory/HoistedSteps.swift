import AgnesiExpressions

/// Steps that give the same result in every call until a parameter changes: kernels scaled by what
/// follows them, weights in another order, factors of running averages.
///
/// They stand first, a call leaves them out while their parameters are as they were, and what later
/// steps read of them keeps its memory.
extension LoweredProgram {
  /// The program with these steps at its beginning.
  package func hoistedFirst() -> LoweredProgram {
    let hoisted = hoistedSteps()
    if hoisted.isEmpty { return self }
    var result = self
    let others = steps.indices.filter { !hoisted.contains($0) }
    result.steps = (hoisted.sorted() + others).map { steps[$0] }
    result.hoistedCount = hoisted.count
    return result
  }

  /// The parameters that this program does not change and that these steps read.
  package var hoistedParameters: [Parameter] {
    var seen: Set<Parameter> = []
    let read = steps.prefix(hoistedCount).flatMap(\.arguments)
    return read.compactMap { id in
      guard case .parameter(let parameter) = buffers[id.index].kind,
        seen.insert(parameter).inserted
      else { return nil }
      return parameter
    }
  }

  /// Whether nobody writes this parameter's buffer or a second one of the same parameter.
  package func leavesUnchanged(_ parameter: Parameter) -> Bool {
    let isWritten = buffers.contains { buffer in
      if case .inPlace(parameter) = buffer.kind { true } else { false }
    }
    let isCopied = copies.contains { copy in
      if case .parameter(parameter) = buffers[copy.to.index].kind { true } else { false }
    }
    return !isWritten && !isCopied
  }

  /// Whether a buffer holds a result of the hoisted steps.
  package func isHoisted(_ buffer: BufferID) -> Bool {
    steps.prefix(hoistedCount).contains { $0.written.contains(buffer) }
  }

  private func hoistedSteps() -> Set<Int> {
    var writers: [BufferID: Int] = [:]
    for step in steps { for id in step.written { writers[id, default: 0] += 1 } }
    var changed: Set<Parameter> = []
    for case .inPlace(let parameter) in buffers.map(\.kind) { changed.insert(parameter) }
    for copy in copies {
      if case .parameter(let parameter) = buffers[copy.to.index].kind { changed.insert(parameter) }
    }
    var hoisted: Set<Int> = []
    var known: Set<BufferID> = []
    func isKnown(_ id: BufferID) -> Bool {
      switch buffers[id.index].kind {
      case .constant: true
      case .parameter(let parameter): !changed.contains(parameter)
      case .temporary: known.contains(id)
      case .input, .callNumber, .output, .inPlace: false
      }
    }
    for (index, step) in steps.enumerated() {
      let written = step.written
      let isOwn = written.allSatisfy { id in
        if case .temporary = buffers[id.index].kind { writers[id] == 1 } else { false }
      }
      // Without anything to read, a step fills memory, and is done before that could be kept.
      let read = step.arguments.filter { !written.contains($0) }
      guard isOwn, !read.isEmpty, read.allSatisfy(isKnown) else { continue }
      hoisted.insert(index)
      known.formUnion(written)
    }
    return hoisted
  }
}
