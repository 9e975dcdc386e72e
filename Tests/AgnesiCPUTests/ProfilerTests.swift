import Agnesi
import Foundation
import TestSupport
import Testing

/// Limits in which every percentage is easy to compute.
private let limits = MachineLimits(
  threads: 2, operations: 100e9,
  memory: [
    .init(workingSet: 1 << 19, read: 200e9, copy: 100e9, update: 150e9),
    .init(workingSet: 1 << 25, read: 20e9, copy: 10e9, update: 10e9),
  ])

@Suite struct ProfilerTests {
  /// The steps of a function that was called `calls` times.
  private func profiled(
    _ inputs: [Tensor], _ outputs: [Tensor], _ values: [NDArray], updates: Updates = Updates(),
    calls: Int = 1
  ) throws -> Profiler {
    let profiler = Profiler()
    let function = try compile(
      inputs, to: outputs, updates: updates, options: CompileOptions(name: "test"),
      on: CPU(profiler: profiler))
    for _ in 0..<calls { _ = try function.call(values) }
    return profiler
  }

  private func step(_ label: String, of profiler: Profiler) throws -> Profiler.Entry {
    let found = profiler.steps.filter { $0.label.contains(label) }
    try #require(found.count == 1, "\(profiler.steps.map(\.label))")
    return found[0]
  }

  // MARK: What a step does

  @Test func workOfAProductOfDoubles() throws {
    let a = Tensor.input("a", [.batch, 300], .float64)
    let w = Tensor.parameter("w", [300, 40], .zeros, dtype: .float64)
    let profiler = try profiled([a], [matmul(a, w)], [NDArray(zeros: [50, 300], .float64)])
    let step = try step("matmul", of: profiler)
    #expect(step.function == "test, batch 50")
    #expect(Int(step.operations) == 2 * 50 * 300 * 40)
    #expect(Int(step.bytes) == 8 * (50 * 300 + 300 * 40 + 50 * 40))
    #expect(step.producer == "OpenBLAS dgemm")
    #expect(step.parameters == ["w"])
  }

  /// Kernels that the library keeps in a form of its own are brought into it before the steps, once
  /// for each value.
  @Test func layoutOfParametersIsNoStep() throws {
    let image = Tensor.input("image", [2, 16, 12, 10])
    let kernels = Tensor.parameter("kernels", [32, 16, 3, 3], .zeros)
    let parameter = try #require(kernels.parameter)
    let result = convolution2D(image, kernels)
    let profiler = Profiler()
    let function = try compile([image], to: [result], on: CPU(profiler: profiler))
    let ones = NDArray([Float](repeating: 1, count: 2 * 16 * 12 * 10), shape: [2, 16, 12, 10])
    func prepared() -> Double { profiler.plans.map(\.preparation).reduce(0, +) }
    #expect(try function(ones)[result].scalars(as: Float.self).allSatisfy { $0 == 0 })
    let first = prepared()
    #expect(first > 0)
    #expect(profiler.report().contains("to prepack parameters"))
    _ = try function(ones)
    #expect(prepared() == first)
    let count = 32 * 16 * 9
    try parameter.assign(NDArray([Float](repeating: 1, count: count), shape: [32, 16, 3, 3]))
    let sums = try function(ones)[result].scalars(as: Float.self)
    #expect(sums.allSatisfy { abs($0 - 144) < 1e-3 })
    #expect(prepared() > first)
  }

  @Test func workOfAConvolution() throws {
    let image = Tensor.input("image", [2, 16, 12, 10])
    let kernels = Tensor.parameter("kernels", [32, 16, 5, 5], .zeros)
    let profiler = try profiled(
      [image], [convolution2D(image, kernels)], [NDArray(zeros: [2, 16, 12, 10])])
    let step = try step("onvolution", of: profiler)
    #expect(Int(step.operations) == 2 * (2 * 32 * 8 * 6) * (16 * 25))
    let sizes = [2 * 16 * 12 * 10, 32 * 16 * 25, 2 * 32 * 8 * 6]
    #expect(Int(step.bytes) == 4 * sizes.reduce(0, +))
    #expect(step.parameters == ["kernels"])
    #expect(step.producer.hasPrefix("oneDNN "))
  }

  @Test func workOfElements() throws {
    let (x, y) = (Tensor.input("x", [.batch, 8]), Tensor.input("y", [8]))
    let profiler = try profiled(
      [x, y], [exp(x) * y + x], [NDArray(zeros: [100, 8]), NDArray(zeros: [8])])
    let step = try #require(profiler.steps.first)
    #expect(profiler.steps.count == 1)
    #expect(step.operations == 3 * 800)
    // The row is read a hundred times, from a cache.
    #expect(step.bytes == 4 * (800 + 8 + 800))
    #expect(step.producer == "rendered loops")
    #expect(step.threads == 1)
  }

  /// A kernel that reads a part of a large array does not move the rest.
  @Test func bytesOfASlice() throws {
    let x = Tensor.input("x", [1000])
    let profiler = try profiled([x], [-x[0..<10]], [NDArray(zeros: [1000])])
    #expect(try #require(profiler.steps.first).bytes == 4 * (10 + 10))
  }

  /// In place, a parameter is read and written.
  @Test func bytesOfAnUpdate() throws {
    let w = Tensor.parameter("w", [64], .ones)
    let profiler = try profiled([], [], [], updates: Updates([(w, w * 0.5)]))
    let step = try #require(profiler.steps.first)
    #expect(step.bytes == 4 * (64 + 64))
    #expect(step.operations == 64)
    #expect(step.parameters == ["w"])
  }

  // MARK: Times

  @Test func theMedianIsThatOfTheLaterCalls() {
    let profiler = Profiler(recordedCalls: 0)
    let entry = Profiler.Entry(
      function: "f", label: "x", location: nil, producer: "", threads: 1, operations: 0, bytes: 0)
    let plan = profiler.add([entry])
    for seconds in [9, 1, 2, 8] as [Double] {
      withUnsafePointer(to: seconds) { profiler.add(plan, from: .now, $0) }
    }
    #expect(profiler.steps[0].calls == 4)
    #expect(profiler.steps[0].seconds == 20)
    #expect(profiler.steps[0].medianSeconds == 2)
    for _ in 0..<100 {
      withUnsafePointer(to: 5) { profiler.add(plan, from: .now, $0) }
    }
    #expect(profiler.steps[0].calls == 104)
    #expect(profiler.steps[0].medianSeconds == 5)
    let once = profiler.add([entry])
    withUnsafePointer(to: 7) { profiler.add(once, from: .now, $0) }
    #expect(profiler.steps.map(\.medianSeconds) == [5, 7])
    #expect(!profiler.chromeTrace().contains("\"X\""))
  }

  /// More sets of sizes than plans are kept for: none of them takes over the times of another, also
  /// where the same sizes come back to a new plan.
  @Test func plansAreNotMistakenForOneAnother() throws {
    let profiler = Profiler()
    let x = Tensor.input("x", [.batch])
    let function = try compile([x], to: [-x], on: CPU(profiler: profiler))
    for _ in 0..<2 {
      for size in 1...40 { _ = try function(NDArray(zeros: [size], .float32)) }
    }
    #expect(profiler.steps.reduce(0) { $0 + $1.calls } == 80)
    for entry in profiler.steps {
      #expect(entry.function == "function, batch \(Int(entry.operations))")
    }
  }

  // MARK: The table

  @Test func columnsOfTheTable() throws {
    let a = Tensor.input("a", [.batch, 64])
    let w = Tensor.parameter("first.weight", [64, 64], .zeros)
    let v = Tensor.parameter("second.weight", [64, 64], .zeros)
    let profiler = try profiled(
      [a], [matmul(tanh(matmul(a, w)), v)], [NDArray(zeros: [200, 64])], calls: 3)
    let lines = profiler.report(against: limits).components(separatedBy: "\n")
    #expect(lines[0] == "100 % for 2 threads: 100 GFLOP/s; GB/s 200 in 512 KiB, 20.0 in 32 MiB")
    #expect(lines[1] == "")
    #expect(lines[2].contains(#/^test, batch 200: 3 calls, median \d+\.\d{3} ms, 100\.0 %$/#))
    #expect(
      lines[3].contains(#/^ +ms +share n t +GFLOP\/s +% +GB\/s +% +what +by +where$/#))
    let rows = lines.dropFirst(4).filter { $0.contains("first.weight") }
    try #require(rows.count == 1)
    let row = rows[0].split(separator: " ")
    let entry = try #require(
      profiler.steps.first { $0.parameters == ["first.weight"] })
    let speed = entry.operations / entry.medianSeconds / 1e9
    #expect(abs(try #require(Double(row[0])) - entry.medianSeconds * 1e3) <= 0.0006)
    #expect(row[2] == "1" && row[3] == "\(entry.threads)")
    #expect(abs(try #require(Double(row[4])) / speed - 1) < 0.01)
    #expect(abs(try #require(Double(row[5])) - speed) <= 0.5001)
    #expect(rows[0].contains("ProfilerTests.swift:"))
    let shares = profiler.steps.map { $0.medianSeconds * 3 }
    let total = shares.reduce(0, +)
    #expect(abs(try #require(Double(row[1])) - entry.medianSeconds * 300 / total) < 0.06)
  }

  @Test func longTextsAreShortened() throws {
    let x = Tensor.input("x", [30])
    let w = Tensor.parameter(String(repeating: "name", count: 40), [30], .ones)
    let report = try profiled([x], [exp(x) * w], [NDArray(zeros: [30])]).report(against: limits)
    let lines = report.components(separatedBy: "\n").dropFirst()
    #expect(lines.map(\.count).max() == 120)
    #expect(lines.contains { $0.contains("…  rendered loops  ProfilerTests.swift:") })
  }

  /// Two products on one line are one row of the first table and two of the second.
  @Test func stepsOfOneLineAreMerged() throws {
    let a = Tensor.input("a", [100, 300], .float64)
    let (w, v) = (
      Tensor.parameter("w", [300, 300], dtype: .float64),
      Tensor.parameter("v", [300, 300], dtype: .float64)
    )
    let profiler = try profiled(
      [a], [matmul(matmul(a, w), v)], [NDArray(zeros: [100, 300], .float64)])
    let report = profiler.report()
    #expect(report.matches(of: #/ +2 \d+ .* matmul +OpenBLAS dgemm/#).count == 1)
    #expect(report.matches(of: #/ +1 \d+ .* matmul [wv] +OpenBLAS dgemm/#).count == 2)
    #expect(!report.contains("%  "))
    let lines = report.components(separatedBy: "\n")
    let titles = ["steps of one kind together:", "each step by itself, with its parameters:"]
    for title in titles {
      let place = try #require(lines.firstIndex(of: title))
      #expect(lines[place + 1].hasSuffix(" where"), "\(lines[place + 1])")
    }
  }

  @Test func theRestOfManyStepsIsSummedUp() throws {
    let a = Tensor.input("a", [100, 300], .float64)
    let w = (0..<5).map { Tensor.parameter("w\($0)", [300, 300], dtype: .float64) }
    let profiler = try profiled(
      [a], [w.reduce(a) { matmul($0, $1) }], [NDArray(zeros: [100, 300], .float64)])
    let report = profiler.report(rows: 2)
    let lines = report.components(separatedBy: "\n")
    #expect(try #require(lines.last).contains(#/^and 3 more steps, \d+\.\d %$/#))
  }

  @Test func nothingCalled() { #expect(Profiler().description == "no function was called") }

  // MARK: The trace

  private struct Event: Decodable {
    var ph: String
    var name: String
    var tid: Int?
    var ts: Double?
    var dur: Double?
    var args: Arguments?

    struct Arguments: Decodable {
      var name: String?
      var flops: Double?
      var bytes: Double?
      var threads: Int?
      var producer: String?
      var parameters: String?
      var site: String?
    }
  }

  @Test func aTraceHasTheLastCallsInOrder() throws {
    let profiler = Profiler(recordedCalls: 4)
    let a = Tensor.input("a", [.batch, 300], .float64)
    let w = Tensor.parameter("a \"quoted\" name", [300, 40], dtype: .float64)
    let function = try compile(
      [a], to: [tanh(matmul(a, w))], options: CompileOptions(name: "layer"),
      on: CPU(profiler: profiler))
    for _ in 0..<10 { _ = try function(NDArray(zeros: [5, 300], .float64)) }
    let start = ContinuousClock.now
    _ = try function(NDArray(zeros: [6, 300], .float64))
    profiler.record(phase: "a phase", from: start, to: .now)
    let text = Data(profiler.chromeTrace().utf8)
    let events = try JSONDecoder().decode([Event].self, from: text)
    let tracks = events.filter { $0.name == "thread_name" }.map { $0.args?.name }
    #expect(tracks == ["functions", "steps", "phases"])
    let calls = events.filter { $0.tid == 1 && $0.ph == "X" }
    #expect(
      calls.map(\.name) == Array(repeating: "layer, batch 5", count: 4) + ["layer, batch 6"])
    let steps = events.filter { $0.tid == 2 && $0.ph == "X" }
    #expect(steps.count == 2 * calls.count)
    for track in [calls, steps] {
      for (event, next) in zip(track, track.dropFirst()) {
        #expect(try #require(event.ts) + #require(event.dur) <= #require(next.ts) + 1e-6)
      }
    }
    let inside = try #require(steps.first?.ts) == #require(calls.first?.ts)
    #expect(inside)
    let product = try #require(steps.first?.args)
    #expect(product.flops == 120_000)
    #expect(product.bytes == 109_600)
    #expect(product.producer == "OpenBLAS dgemm")
    #expect(product.parameters == "a \"quoted\" name")
    #expect(product.site?.hasPrefix("ProfilerTests.swift:") == true)
    let phase = try #require(events.first { $0.tid == 3 && $0.ph == "X" })
    #expect(phase.name == "a phase")
    #expect(try #require(phase.dur) >= #require(calls.last?.dur))
  }

  /// Functions called from several threads take turns, and so do their events.
  @Test func eventsOfSeveralThreadsDoNotOverlap() async throws {
    let profiler = Profiler()
    let x = Tensor.input("x", [1000])
    let functions = try (0..<4).map { number in
      try compile(
        [x], to: [tanh(x * Float(number + 1))], on: CPU(profiler: profiler))
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for function in functions {
        group.addTask { for _ in 0..<20 { _ = try function(NDArray(zeros: [1000], .float32)) } }
      }
      try await group.waitForAll()
    }
    let text = Data(profiler.chromeTrace().utf8)
    let events = try JSONDecoder().decode([Event].self, from: text)
    let steps = events.filter { $0.tid == 2 && $0.ph == "X" }
    #expect(steps.count == 80)
    let ordered = try steps.map { (try #require($0.ts), try #require($0.dur)) }
      .sorted { $0.0 < $1.0 }
    for (event, next) in zip(ordered, ordered.dropFirst()) {
      #expect(event.0 + event.1 <= next.0 + 1e-6)
    }
  }

  // MARK: Limits

  @Test func limitsAreMeasuredOnce() throws {
    let folder = try TemporaryFolder()
    let first = try MachineLimits.measured(threads: 1, folder: folder.path("cache"))
    #expect(first.threads == 1)
    #expect(first.operations > 1e8)
    #expect(first.memory.allSatisfy { min($0.read, $0.copy, $0.update) > 1e8 })
    #expect(try MachineLimits.measured(threads: 1, folder: folder.path("cache")) == first)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("cache/limits"))
    let file = try #require(names.first)
    try folder.write(Array("nan\n1 2 3 x\n".utf8), to: "cache/limits/\(file)")
    let again = try MachineLimits.measured(threads: 1, folder: folder.path("cache"))
    #expect(again.memory.count == first.memory.count)
  }

  @Test func speedOfMemoryIsThatOfASmallerWorkingSet() {
    #expect(limits.bytesPerSecond(moving: 100) == 200e9)
    #expect(limits.bytesPerSecond(moving: 0x1p25 - 1) == 200e9)
    #expect(limits.bytesPerSecond(moving: 0x1p25) == 20e9)
    var disturbed = limits
    disturbed.memory[0] = .init(workingSet: 1 << 19, read: 1e9, copy: 1e9, update: 1e9)
    #expect(disturbed.bytesPerSecond(moving: 100) == 20e9)
  }
}
