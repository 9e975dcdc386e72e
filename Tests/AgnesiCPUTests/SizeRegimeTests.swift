import Agnesi
import AgnesiCPU
import AgnesiCompiler
import Foundation
import Synchronization
import TestSupport
import Testing

/// Which code computes a call is a function of its sizes alone.
@Suite struct SizeRegimeTests {
  private static func program(_ shape: Shape) -> GraphProgram {
    let x = Tensor.input("x", shape)
    return GraphProgram(name: "f", inputs: [x], outputs: [x + 1], updates: [])
  }

  @Test func fewAndMany() {
    let program = Self.program([.batch, 3])
    func regime(_ batch: Int) -> SizeRegime { SizeRegime(["batch": batch], of: program) }
    #expect(Set((0..<8).map(regime)) == [regime(0)])
    #expect(Set((8..<200).map(regime)) == [regime(8)])
    #expect(regime(7) != regime(8))
    #expect(regime(3).expected == ["batch": 1])
    #expect(regime(200).expected == ["batch": 64])
  }

  /// However many names there are, a function cannot be compiled more often than this.
  @Test func namesBeyondTheThirdDecideTogether() {
    let names = (0..<7).map { "n\($0)" }
    let program = Self.program(names.map { Size.symbol($0) })
    let regimes = Set(
      (0..<128).map { bits in
        SizeRegime(
          Dictionary(
            uniqueKeysWithValues: names.enumerated().map { ($1, bits >> $0 & 1 == 0 ? 2 : 20) }),
          of: program)
      })
    #expect(regimes.count == 16)
  }

  // MARK: The order of calls

  struct Network: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// The input's shape behind the samples.
    var shape: [Int]
    var build: @Sendable (_ x: Tensor) -> Tensor
  }

  private static func weights(_ name: String, _ shape: Shape) -> Tensor {
    .parameter(name, shape, .glorotUniform)
  }

  private static let networks = [
    Network(testDescription: "dense", shape: [40]) { x in
      matmul(tanh(matmul(x, weights("a", [40, 16])) + weights("b", [16])), weights("c", [16, 3]))
    },
    Network(testDescription: "one column", shape: [5000]) { x in
      matmul(x, weights("a", [5000, 1]))
    },
    Network(testDescription: "convolutions", shape: [1, 12, 12]) { x in
      let first = maxPool2D(relu(convolution2D(x, weights("a", [5, 1, 3, 3]))), window: [2, 2])
      return convolution2D(first, weights("b", [7, 5, 3, 3])).flattened(from: 1)
    },
    Network(testDescription: "channels in blocks", shape: [16, 6, 6]) { x in
      relu(convolution2D(x, weights("a", [32, 16, 3, 3]), padding: .same)).mean(axes: [2, 3])
    },
  ]

  private func training(_ network: Network) throws -> Function {
    let x = Tensor.input("x", [.batch] + network.shape.map { Size($0) })
    let y = network.build(x)
    let cost = (y * y).mean() + y.mean()
    let weights = cost.parameters(.trainable)
    let gradients = gradient(of: cost, withRespectTo: weights)
    return try compile([x], to: [y, cost] + gradients, on: CPU())
  }

  private func values(_ network: Network, _ count: Int) -> NDArray {
    NDArray(
      numbers(count * network.shape.reduce(1, *), "values \(count)"),
      shape: [count] + network.shape)
  }

  /// Parameters are drawn by name, so two functions have equal ones.
  @Test(arguments: Self.networks)
  func earlierCallsDoNotMatter(_ network: Network) throws {
    let orders = [[3, 20, 9, 1], [20, 3, 1, 3, 3, 3, 3, 9], [1, 9, 20, 3], [9, 20, 3, 20, 1]]
    var expected: [Int: [NDArray]] = [:]
    for order in orders {
      let function = try training(network)
      for count in order {
        let results = try function(values(network, count)).arrays
        guard let first = expected[count] else {
          expected[count] = results
          continue
        }
        for (a, b) in zip(first, results) {
          #expect(a.isIdentical(to: b), "\(count) of \(order): \(a.dtype)\(a.shape)")
        }
      }
    }
  }

  /// With several names, no order of a dictionary decides.
  @Test func twoNames() throws {
    let x = Tensor.input("x", [.batch, 1, .symbol("side"), .symbol("side")])
    let image = relu(convolution2D(x, Self.weights("a", [5, 1, 3, 3])))
    let y = image.mean(axes: [2, 3])
    let sizes = [(2, 20), (20, 5), (20, 20), (2, 5), (9, 12)]
    var expected: [String: NDArray] = [:]
    for order in [sizes, sizes.reversed(), Array(sizes[2...] + sizes[..<2])] {
      let function = try compile([x], to: [y], on: CPU())
      for (batch, side) in order {
        let image = numbers(batch * side * side, "image \(batch) \(side)")
        let result = try function(NDArray(image, shape: [batch, 1, side, side]))[0]
        let first = expected["\(batch) \(side)", default: result]
        expected["\(batch) \(side)"] = first
        #expect(first.isIdentical(to: result), "\(batch) of \(side) × \(side)")
      }
    }
  }

  // MARK: Waiting

  /// While the compiler works on the code of one size, calls of another go on, and so do those of
  /// other functions that write parameters.
  @Test func aSlowCompilerHoldsUpOnlyItsOwnSize() throws {
    let folder = try TemporaryFolder()
    let (script, hold) = (folder.path("slow-clang"), folder.path("hold"))
    let real = try CCompiler.Search.standard.compiler().path
    let text = "#!/bin/sh\nwhile [ -e '\(hold)' ]; do sleep 0.02; done\nexec '\(real)' \"$@\"\n"
    try Data(text.utf8).write(to: URL(fileURLWithPath: script))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    let search = CCompiler.Search(environment: ["AGNESI_CC": script])
    let cpu = CPU(
      compiler: KernelCompiler(
        cache: CompileCache(folder: folder.path("cache")), compiler: search, math: CMath.source))

    let network = Self.networks[2]
    let x = Tensor.input("x", [.batch] + network.shape.map { Size($0) })
    let function = try compile([x], to: [network.build(x)], on: cpu)
    let counter = Tensor.parameter("counter", [])
    let counting = try compile(
      [], to: [counter + 1], updates: Updates([(counter, counter + 1)]), on: CPU())
    @Sendable func run(_ count: Int) throws -> NDArray { try function(values(network, count))[0] }
    let before = try patiently { try run(20) }

    try Data().write(to: URL(fileURLWithPath: hold))
    let slow = Mutex<Result<NDArray, any Error>?>(nil)
    let isDone = DispatchSemaphore(value: 0)
    withExtendedLifetime(slow) {
      Thread.detachNewThread {
        let result = Result { try run(3) }
        slow.withLock { $0 = result }
        isDone.signal()
      }
      Thread.sleep(forTimeInterval: 0.3)
      let quick = Result { [try run(20), try run(11), try counting()[0]] }
      let wasWaiting = slow.withLock { $0 == nil }
      try? FileManager.default.removeItem(atPath: hold)
      isDone.wait()
      #expect(wasWaiting)
      #expect(throws: Never.self) {
        let results = try quick.get()
        #expect(results[0].isIdentical(to: before))
        #expect(results[1].shape == [11, 63])
        #expect(results[2].scalar == 1)
      }
    }
    let late = try #require(slow.withLock { $0 }).get()
    #expect(late.shape == [3, 63])
  }

  /// A process that another test starts may hold the script open that was just written.
  private func patiently<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as KernelCompilationError where "\(error)".contains("Text file busy") {
      return try patiently(body)
    }
  }
}
