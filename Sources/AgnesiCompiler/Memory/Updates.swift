import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension LoweredProgram {
  /// Moves steps whose only purpose is the new value of a parameter behind all others, so that the
  /// old value has been read by then.
  mutating func moveLast(_ updated: [BufferID]) {
    let targets = Set(updated)
    var readers: [BufferID: Int] = [:]
    for step in steps { for id in step.reads { readers[id, default: 0] += 1 } }
    func isLast(_ step: Step) -> Bool {
      step.written.isSubset(of: targets) && step.written.allSatisfy { readers[$0] == nil }
    }
    steps = steps.filter { !isLast($0) } + steps.filter(isLast)
  }

  /// Lets new values be written over old ones where nobody needs the old one any more; the others
  /// are copied after all steps.
  mutating func placeUpdates(_ updates: [(parameter: Parameter, value: BufferID)]) {
    var homes: [Parameter: BufferID] = [:]
    for (index, buffer) in buffers.enumerated() {
      if case .parameter(let parameter) = buffer.kind { homes[parameter] = BufferID(index: index) }
    }
    let uses = Uses(steps)
    for (parameter, value) in updates {
      let home = homes[parameter] ?? addHome(parameter)
      if isFree(home, for: value, uses) {
        buffers[value.index].kind = .inPlace(parameter)
      } else {
        copies.append((from: value, to: home))
      }
    }
  }

  /// The steps that write buffers, and the last that read them.
  private struct Uses {
    var writer: [BufferID: Int] = [:]
    var lastReader: [BufferID: Int] = [:]

    init(_ steps: [Step]) {
      for (position, step) in steps.enumerated() {
        for id in step.written { writer[id] = position }
        for id in step.reads { lastReader[id] = position }
      }
    }
  }

  private mutating func addHome(_ parameter: Parameter) -> BufferID {
    let count = Size(parameter.shape.product)
    buffers.append(
      BufferInfo(dtype: parameter.dtype, count: count, kind: .parameter(parameter)))
    return BufferID(index: buffers.count - 1)
  }

  private func isFree(_ home: BufferID, for value: BufferID, _ uses: Uses) -> Bool {
    guard case .temporary = buffers[value.index].kind,
      buffers[value.index].count == buffers[home.index].count,
      let writer = uses.writer[value]
    else { return false }
    guard let last = uses.lastReader[home], last >= writer else { return true }
    return last == writer && steps[writer].identityReads.contains(home)
  }
}

extension Step {
  var reads: Set<BufferID> { Set(arguments).subtracting(written) }
}
