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
    for (parameter, value) in updates {
      let home = homes[parameter] ?? addHome(parameter)
      if isFree(home, for: value) {
        buffers[value.index].kind = .inPlace(parameter)
      } else {
        copies.append((from: value, to: home))
      }
    }
  }

  private mutating func addHome(_ parameter: Parameter) -> BufferID {
    let count = Size(parameter.shape.reduce(1, *))
    buffers.append(
      BufferInfo(dtype: parameter.dtype, count: count, kind: .parameter(parameter)))
    return BufferID(index: buffers.count - 1)
  }

  private func isFree(_ home: BufferID, for value: BufferID) -> Bool {
    guard case .temporary = buffers[value.index].kind,
      buffers[value.index].count == buffers[home.index].count,
      let writer = steps.firstIndex(where: { $0.written.contains(value) })
    else { return false }
    let readLater = steps[(writer + 1)...].contains { $0.reads.contains(home) }
    let readHere = steps[writer].reads.contains(home)
    return !readLater && (!readHere || steps[writer].identityReads.contains(home))
  }
}

extension Step {
  var reads: Set<BufferID> { Set(arguments).subtracting(written) }
}
