import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

// What a profile says of a step besides its time.

extension StepTable {
  /// What the steps are, for given sizes.
  func entries(
    _ lowered: LoweredProgram, function: String, sizes: [String: Int]
  ) -> [Profiler.Entry] {
    let numbers = sizes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let name = ([function] + numbers).joined(separator: ", ")
    return lowered.steps.enumerated().map { index, step in
      Profiler.Entry(
        step, of: lowered, function: name, sizes: sizes, threads: threads(of: index),
        implementation: contexts[index]?.implementation)
    }
  }
}

extension Profiler.Entry {
  /// - Parameters:
  ///   - function: its name and sizes.
  ///   - implementation: of a library call.
  fileprivate init(
    _ step: Step, of lowered: LoweredProgram, function: String, sizes: [String: Int],
    threads: Int, implementation: String?
  ) {
    let (producer, operations, bytes): (String, Double, Double)
    switch step.work {
    case .kernel(let kernel, _):
      let work = kernel.work(sizes)
      producer = kernel.body.hasTiles ? "rendered tiles" : "rendered loops"
      (operations, bytes) = (work.operations, lowered.bytes(of: work, step, sizes))
    case .text(let kernel):
      producer = kernel.producer
      operations = 2 * Double(kernel.multiplyAdds.value(in: sizes))
      bytes = lowered.bytes(of: step.arguments, sizes)
    case .call(let call):
      producer = [implementation, call.layout].compactMap { $0 }.joined(separator: ", ")
      operations = 2 * Double(call.multiplyAdds(sizes))
      bytes = lowered.bytes(of: call, sizes)
    }
    self.init(
      function: function, label: step.label,
      parameters: step.arguments.compactMap { lowered.buffers[$0.index].parameter?.name }.distinct,
      location: step.location, producer: producer, threads: threads, operations: operations,
      bytes: bytes)
  }
}

extension LoweredProgram {
  /// What a kernel moves: of each buffer the elements that it touches, but not more than there are.
  fileprivate func bytes(of work: KernelWork, _ step: Step, _ sizes: [String: Int]) -> Double {
    var loads: [BufferID: Double] = [:]
    var stores: [BufferID: Double] = [:]
    for (argument, buffer) in step.arguments.enumerated() {
      loads[buffer, default: 0] += work.loads[argument] ?? 0
      stores[buffer, default: 0] += work.stores[argument] ?? 0
    }
    return [loads, stores].joined().reduce(0) { sum, touched in
      sum + bytes(of: touched.key, atMost: touched.value, sizes)
    }
  }

  /// What a library call moves: its operands and results, one that is named twice once.
  fileprivate func bytes(of call: LibraryCall, _ sizes: [String: Int]) -> Double {
    var read: [BufferID: Double] = [:]
    for operand in call.operands {
      read[operand.buffer, default: 0] += operand.count(sizes)
    }
    let results = call.results.map { ($0.buffer, $0.count(sizes)) }
    return (read.map { ($0.key, $0.value) } + results).reduce(0) { sum, touched in
      sum + bytes(of: touched.0, atMost: touched.1, sizes)
    }
  }

  /// The sizes of buffers, each counted once.
  fileprivate func bytes(of arguments: [BufferID], _ sizes: [String: Int]) -> Double {
    Set(arguments).reduce(0) { $0 + bytes(of: $1, atMost: .infinity, sizes) }
  }

  private func bytes(of id: BufferID, atMost count: Double, _ sizes: [String: Int]) -> Double {
    let buffer = buffers[id.index]
    return min(count, Double(buffer.count.value(in: sizes))) * Double(buffer.dtype.size)
  }
}

extension LibraryCall.Operand {
  /// Elements.
  fileprivate func count(_ sizes: [String: Int]) -> Double {
    view.shape.reduce(1) { $0 * Double($1.value(in: sizes)) }
  }
}

extension LibraryCall {
  fileprivate func multiplyAdds(_ sizes: [String: Int]) -> Int {
    let operation = node.operation as? any CountsWork
    return operation?.multiplyAdds(of: node.operands.map(\.type)).value(in: sizes) ?? 0
  }

  /// Who brought the operation into this form; nil where it is as the user wrote it.
  fileprivate var layout: String? {
    node.operation is ChannelBlockedConvolution ? "channel-blocked" : nil
  }
}

extension [Statement] {
  fileprivate var hasTiles: Bool {
    contains { statement in
      switch statement {
      case .tiles: true
      case .loop(let loop): loop.body.hasTiles
      case .when(_, let body): body.hasTiles
      case .reduce, .define, .assign, .store, .scratch: false
      }
    }
  }
}

extension BufferInfo {
  fileprivate var parameter: Parameter? {
    switch kind {
    case .parameter(let parameter), .inPlace(let parameter): parameter
    default: nil
    }
  }
}

extension [String] {
  /// Each once, in the order of the first ones.
  fileprivate var distinct: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
