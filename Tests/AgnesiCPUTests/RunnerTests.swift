import CAgnesi
import Testing

/// Adds `sizes[0]` to each element of its range, and counts how often each was visited.
private let addKernel: agnesi_kernel = { args, sizes, begin, end in
  guard let args, let sizes, let values = args[0] else { return }
  let floats = values.assumingMemoryBound(to: Float.self)
  for i in Int(begin)..<Int(end) { floats[i] += Float(sizes[0]) }
}

/// Stores where its range ended at the place where it began.
private let rangeKernel: agnesi_kernel = { args, _, begin, end in
  guard let values = args?[0] else { return }
  values.assumingMemoryBound(to: Int64.self)[Int(begin)] = end
}

private let failingCall: agnesi_call = { _, _, _, _ in 7 }

private let threadsCall: agnesi_call = { context, _, _, threads in
  context?.assumingMemoryBound(to: Int32.self).pointee = threads
  return 0
}

@Suite struct RunnerTests {
  /// Runs one kernel over `values`, which is its only argument.
  private func run<Value>(
    _ kernel: @escaping agnesi_kernel, over values: inout [Value], extent: Int, threads: Int32,
    pieces: Int32 = 0, sizes: [Int64] = [], offset: Int64 = 0
  ) -> Int64 {
    values.withUnsafeMutableBytes { bytes in
      var step = agnesi_step()
      let slots: [Int32] = [0]
      let offsets = [offset]
      let addresses: [UnsafeMutableRawPointer?] = [bytes.baseAddress]
      return slots.withUnsafeBufferPointer { slots in
        offsets.withUnsafeBufferPointer { offsets in
          sizes.withUnsafeBufferPointer { sizes in
            step.kernel = kernel
            step.slots = slots.baseAddress
            step.offsets = offsets.baseAddress
            step.slot_count = 1
            step.sizes = sizes.baseAddress
            step.extent = Int64(extent)
            step.threads = threads
            step.pieces = pieces
            return agnesi_run(&step, 1, addresses, nil)
          }
        }
      }
    }
  }

  @Test(arguments: [0, 1, 2, 3, 7, 100, 1001], [0, 1, 2, 3, 8] as [Int32])
  func visitsEachIterationOnce(extent: Int, threads: Int32) {
    for pieces in [0, 1, 3, 8] as [Int32] {
      var values = [Float](repeating: 1, count: max(extent, 1))
      let failed = run(
        addKernel, over: &values, extent: extent, threads: threads, pieces: pieces, sizes: [3])
      #expect(failed == -1)
      #expect(values == [Float](repeating: extent > 0 ? 4 : 1, count: max(extent, 1)))
    }
  }

  @Test func rangesAreBalancedAndDependOnNothingElse() {
    for _ in 0..<20 {
      var ends = [Int64](repeating: -1, count: 10)
      _ = run(rangeKernel, over: &ends, extent: 10, threads: 4)
      #expect(ends == [3, -1, -1, 6, -1, -1, 8, -1, 10, -1])
    }
  }

  /// Whoever runs them: pieces begin and end at the same iterations, of which 64 stay together.
  @Test func piecesDependOnNothingElse() {
    for _ in 0..<20 {
      var ends = [Int64](repeating: -1, count: 10)
      _ = run(rangeKernel, over: &ends, extent: 10, threads: 2, pieces: 2)
      #expect(ends == [2, -1, 4, -1, 5, 7, -1, 9, -1, 10])
      var many = [Int64](repeating: -1, count: 2000)
      _ = run(rangeKernel, over: &many, extent: 2000, threads: 2, pieces: 8)
      let begins = many.indices.filter { many[$0] >= 0 }
      #expect(begins == (0..<8).map { 128 * $0 } + (0..<8).map { 1000 + 128 * $0 })
    }
  }

  @Test func offsetsAreInBytes() {
    var values = [Float](repeating: 0, count: 6)
    _ = run(addKernel, over: &values, extent: 2, threads: 1, sizes: [1], offset: 12)
    #expect(values == [0, 0, 0, 1, 1, 0])
  }

  @Test(arguments: [0, 1, 64, 65, 4096, 5000])
  func gathersAnyNumberOfArguments(count: Int) {
    // Argument i is the i-th byte; the call checks that and says how many were right.
    let call: agnesi_call = { context, args, sizes, _ in
      guard let context, let sizes else { return 1 }
      let count = Int(sizes[0])
      for i in 0..<count where args?[i] != context + i { return 2 }
      return 0
    }
    let base = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 1)
    defer { base.deallocate() }
    var step = agnesi_step()
    let slots = (0..<count).map { Int32($0) }
    let addresses = (0..<count).map { base + $0 as UnsafeMutableRawPointer? }
    let sizes = [Int64(count)]
    let failed = slots.withUnsafeBufferPointer { slots in
      sizes.withUnsafeBufferPointer { sizes in
        step.call = call
        step.context = base
        step.slots = slots.baseAddress
        step.slot_count = Int32(count)
        step.sizes = sizes.baseAddress
        return agnesi_run(&step, 1, addresses, nil)
      }
    }
    #expect(failed == -1)
  }

  @Test func reportsTheStepThatFailed() {
    var granted: Int32 = 0
    withUnsafeMutablePointer(to: &granted) { granted in
      var good = agnesi_step()
      good.call = threadsCall
      good.context = UnsafeMutableRawPointer(granted)
      good.threads = 5
      var bad = agnesi_step()
      bad.call = failingCall
      #expect(agnesi_run([good, good, bad, good], 4, nil, nil) == 2)
      #expect(agnesi_run([good, good], 2, nil, nil) == -1)
      #expect(agnesi_run([agnesi_step()], 1, nil, nil) == 0)
    }
    #expect(granted == 5)
  }

  @Test func measuresEachStep() {
    var values = [Float](repeating: 0, count: 1)
    var seconds: [Double] = [-1, -1]
    values.withUnsafeMutableBytes { bytes in
      let addresses: [UnsafeMutableRawPointer?] = [bytes.baseAddress]
      let slots: [Int32] = [0]
      let sizes: [Int64] = [1]
      slots.withUnsafeBufferPointer { slots in
        sizes.withUnsafeBufferPointer { sizes in
          var step = agnesi_step()
          step.kernel = addKernel
          step.slots = slots.baseAddress
          step.slot_count = 1
          step.sizes = sizes.baseAddress
          step.extent = 1
          step.threads = 1
          #expect(agnesi_run([step, step], 2, addresses, &seconds) == -1)
        }
      }
    }
    #expect(seconds.allSatisfy { $0 >= 0 && $0 < 1 })
  }

  @Test func threadsAreCounted() {
    #expect(agnesi_default_threads() >= 1)
    #expect(agnesi_threads() >= 1)
    #expect(agnesi_blas_shares_threads())
  }
}
