import Agnesi
import Foundation
import Synchronization
import TestSupport
import Testing

private let backends: [any Backend] = [.reference, .cpu]

/// Calls, results, givens and random numbers of compiled functions.
@Suite struct FunctionTests {
  private let x = Tensor.input("x", [.batch])

  private func vector(_ values: Double...) -> NDArray {
    NDArray(rounding: values, shape: [values.count], .float32)
  }

  @Test func outputsByNamePositionAndExpression() throws {
    let (double, square) = (x + x, x * x)
    for backend in backends {
      let function = try compile([x], to: ["double": double, "square": square], on: backend)
      let results = try function(vector(3, -1))
      #expect(try results.named("square").doubles == [9, 1])
      #expect(results[0].doubles == [6, -2])
      #expect(results[square].doubles == [9, 1])
      #expect(results.arrays.count == 2)
    }
  }

  @Test func inputsAndParametersAsOutputs() throws {
    let w = Tensor.parameter("w", [2], .constant(3))
    for backend in backends {
      let results = try compile([x], to: [x, w, x, x + w], on: backend)(vector(1, 2))
      #expect(results.arrays.map(\.doubles) == [[1, 2], [3, 3], [1, 2], [4, 5]])
    }
  }

  @Test func givensReplaceInputsAndInnerTensors() throws {
    let inner = exp(x)
    let function = try compile(
      [x], to: [inner + 1], givens: [inner: x * 10], on: .reference)
    #expect(try function(vector(1, 2))[0].doubles == [11, 21])
    let constant = Tensor.constant(NDArray([Float(4), 5]))
    let fixed = try compile([], to: [x * 2], givens: [x: constant], on: .cpu)
    #expect(try fixed()[0].doubles == [8, 10])
  }

  @Test func anInputThatIsNotContiguous() throws {
    let m = Tensor.input("m", [2, 3])
    let array = NDArray(rounding: [1, 2, 3, 4, 5, 6], shape: [3, 2], .float32).transposed()
    for backend in backends {
      #expect(try compile([m], to: [m * 2], on: backend)(array)[0].doubles == [2, 6, 10, 4, 8, 12])
    }
  }

  @Test func theNumberOfTheCallDeterminesTheNumbers() throws {
    let (first, second) = (randomUniform([50], name: "u"), randomUniform([50], name: "u"))
    var seen: [[Double]] = []
    for backend in backends {
      let function = try compile([], to: [first, second], on: backend)
      let (call0, call1) = (try function(), try function())
      #expect(function.callCount == 2)
      #expect(call0[0] != call1[0])
      #expect(call0[0] != call0[1])
      function.callCount = 1
      #expect(try function()[0].isIdentical(to: call1[0]))
      function.callCount = 0
      #expect(try function()[1].isIdentical(to: call0[1]))
      seen.append(call0[0].doubles + call1[1].doubles)
    }
    #expect(seen[0] == seen[1])
  }

  @Test func eightThreadsAtOnce() throws {
    let w = Tensor.parameter("w", [64, 64], .normal(mean: 0, deviation: 0.1))
    let rows = Tensor.input("rows", [.batch, 64])
    let function = try compile([rows], to: [tanh(matmul(rows, w)).sum(axes: [1])])
    @Sendable func samples(_ number: Int) -> NDArray {
      let count = (number % 5 + 1) * 64
      return NDArray(
        rounding: (0..<count).map { Double(($0 * (number + 3)) % 17) / 8 - 1 },
        shape: [count / 64, 64], .float32)
    }
    let expected = try (0..<8).map { try function(samples($0))[0] }
    let wrong = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 8) { number in
      for _ in 0..<50 {
        do {
          let got = try function(samples(number))[0]
          if !got.isIdentical(to: expected[number]) {
            wrong.withLock { $0.append("thread \(number)") }
          }
        } catch { wrong.withLock { $0.append("\(error)") } }
      }
    }
    #expect(wrong.withLock { $0 } == [])
    #expect(function.callCount == 8 + 8 * 50)
  }

  /// Updates of several threads are one after the other: none is lost.
  @Test func updatesFromEightThreads() throws {
    let n = Tensor.parameter("n", [100], .zeros)
    let function = try compile([], to: [n], updates: Updates([(n, n + 1)]))
    let wrong = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<50 {
        do {
          let seen = try function()[0].doubles
          if Set(seen).count != 1 { wrong.withLock { $0.append("\(seen)") } }
        } catch { wrong.withLock { $0.append("\(error)") } }
      }
    }
    #expect(wrong.withLock { $0 } == [])
    #expect(n.parameter?.value.doubles == [Double](repeating: 400, count: 100))
  }
}

/// New values of parameters are made of old ones.
@Suite struct UpdateTests {
  private func parameter(_ name: String, _ values: Double..., times: Int = 1) throws -> Tensor {
    let all = [[Double]](repeating: values, count: times).flatMap { $0 }
    let tensor = Tensor.parameter(name, [Size(all.count)])
    try tensor.parameter?.assign(NDArray(rounding: all, shape: [all.count], .float32))
    return tensor
  }

  private func values(_ tensor: Tensor) -> [Double] { tensor.parameter?.value.doubles ?? [] }

  @Test func swap() throws {
    for backend in backends {
      let (a, b) = (try parameter("a", 1, 2, 3), try parameter("b", 10, 20, 30))
      let function = try compile([], to: [], updates: Updates([(a, b), (b, a)]), on: backend)
      _ = try function()
      #expect(values(a) == [10, 20, 30])
      #expect(values(b) == [1, 2, 3])
      _ = try function()
      #expect(values(a) == [1, 2, 3])
    }
  }

  @Test func chain() throws {
    for backend in backends {
      let (a, b, c) = (
        try parameter("a", 1, times: 40), try parameter("b", 2, times: 40),
        try parameter("c", 3, times: 40)
      )
      let updates = Updates([(a, a + b), (b, b * c), (c, a - c)])
      _ = try compile([], to: [], updates: updates, on: backend)()
      #expect(Set(values(a)) == [3])
      #expect(Set(values(b)) == [6])
      #expect(Set(values(c)) == [-2])
    }
  }

  /// Elements that move, and sums, need the whole old value.
  @Test func newValuesOfOtherElements() throws {
    for backend in backends {
      let a = try parameter("a", 1, 2, 3, 4)
      let reversed = concatenated([a[1..<4], a[0..<1]], axis: 0)
      let updates = Updates([(a, reversed + a.sum())])
      _ = try compile([], to: [], updates: updates, on: backend)()
      #expect(values(a) == [12, 13, 14, 11])
    }
  }

  @Test func outputsAreMadeOfOldValues() throws {
    for backend in backends {
      let a = try parameter("a", 1, 2)
      let function = try compile(
        [], to: [a, a * 10, a.sum()], updates: Updates([(a, a + 1)]), on: backend)
      #expect(try function().arrays.map(\.doubles) == [[1, 2], [10, 20], [3]])
      #expect(try function().arrays.map(\.doubles) == [[2, 3], [20, 30], [5]])
    }
  }

  @Test func valuesThatTheUserHoldsStay() throws {
    for backend in backends {
      let a = try parameter("a", 1, 2)
      let function = try compile([], to: [a], updates: Updates([(a, a * 2)]), on: backend)
      let before = try #require(a.parameter?.value)
      let first = try function()[0]
      let after = try #require(a.parameter?.value)
      _ = try function()
      #expect(before.doubles == [1, 2])
      #expect(first.doubles == [1, 2])
      #expect(after.doubles == [2, 4])
      #expect(values(a) == [4, 8])
    }
  }

  /// What is assigned belongs to the user too.
  @Test func assignedArraysStay() throws {
    let a = try parameter("a", 0, 0)
    let mine = NDArray([Float(5), 6])
    try a.parameter?.assign(mine)
    _ = try compile([], to: [], updates: Updates([(a, a + 1)]))()
    #expect(mine.doubles == [5, 6])
    #expect(values(a) == [6, 7])
  }
}
