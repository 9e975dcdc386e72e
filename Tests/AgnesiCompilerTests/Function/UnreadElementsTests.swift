import Agnesi
import AgnesiExpressions
import Foundation
import Testing

/// The gradient of an element that nothing reads is 0, whatever functions make of it.
@Suite struct UnreadElementsTests {
  /// A function, an element that is read, its derivatives there, and one that is not read, where the function
  /// or its derivative is not finite.
  struct Pole: Sendable, CustomTestStringConvertible {
    let name: String
    let read: Double
    let unread: Double
    let first: Double
    let second: Double
    let function: @Sendable (Tensor) -> Tensor

    init(
      _ name: String, _ read: Double, _ unread: Double, _ first: Double, _ second: Double,
      _ function: @escaping @Sendable (Tensor) -> Tensor
    ) {
      (self.name, self.read, self.unread) = (name, read, unread)
      (self.first, self.second, self.function) = (first, second, function)
    }

    var testDescription: String { name }
  }

  static let common = [
    Pole("sqrt", 4, 0, 0.25, -1.0 / 32) { sqrt($0) },
    Pole("log", 2, 0, 0.5, -0.25) { log($0) },
    Pole("reciprocal", 2, 0, -0.25, 0.25) { 1 / $0 },
    Pole("a chain", 2, 0, -0.25, 0.25) { sqrt(exp(-log($0))) * sqrt(1 / $0) },
    Pole("a square of NaN", 3, .nan, 6, 2) { $0 * $0 },
  ]

  static let others = [
    Pole("log1p", 1, -1, 0.5, -0.25) { log1p($0) },
    Pole("log2", 1, 0, 1 / M_LN2, -1 / M_LN2) { log2($0) },
    Pole("log10", 1, 0, 1 / M_LN10, -1 / M_LN10) { log10($0) },
    Pole("a fraction as an exponent", 1, 0, 0.3, 0.3 * -0.7) { power($0, 0.3) },
    Pole("a negative exponent", 1, 0, -1.5, 3.75) { power($0, -1.5) },
    Pole("a power of itself", 1, 0, 1, 2) { power($0, $0) },
    Pole("asin", 0, 1, 1, 0) { asin($0) },
    Pole("acos", 0, -1, -1, 0) { acos($0) },
    Pole("acosh", 2, 1, 1 / sqrt(3.0), -2 / (3 * sqrt(3.0))) { acosh($0) },
    Pole("atanh", 0, 1, 1, 0) { atanh($0) },
    Pole("exp", 0, 1e5, 1, 1) { exp($0) },
    Pole("sinh", 0, 1e5, 1, 0) { sinh($0) },
    Pole("rsqrt", 1, 0, -0.5, 0.75) { 1 / sqrt($0) },
    Pole("a root of a square", 2, 0, 1, 0) { sqrt($0 * $0 * 1) },
    Pole("a product with a pole", 1, 0, 1, 1) { $0 * log($0) },
    Pole("trigamma", 1, 0, -2.404_113_8, 6.493_939_4) { trigamma($0) },
    Pole("tanh of NaN", 0, .nan, 1, 0) { tanh($0) },
    Pole("a user's composite", 4, 0, 0.25, -1.0 / 32) { .composite("own", [$0]) { sqrt($0[0]) } },
  ]

  /// One way of reading only the first of the four elements of a 2 × 2 matrix.
  typealias Reading = @Sendable (Tensor) -> Tensor

  /// By place, whatever the values are.
  static let readings: [(String, Reading)] = [
    ("subscript", { $0[0, 0] }),
    ("slice", { $0.sliced([0, 0], [1, 2], [1, 2]) }),
    ("slice of a reshaped transpose", { $0.transposed().reshaped([4])[0..<1] }),
    ("gather", { $0.reshaped([4]).gathered(.constant(NDArray([0, 0] as [Int32]))) * 0.5 }),
    ("take along", { $0.takenAlong(.constant(NDArray([0, 1] as [Int32], shape: [2, 1])))[0] }),
    ("pick", { $0[0..<1].picked(.constant(NDArray([0] as [Int32]))) }),
    ("cropping", { $0.padded([(0, -1), (1, -1)]) }),
    ("diagonal", { $0.diagonal()[0] }),
    ("triangles", { $0.lowerTriangle().upperTriangle()[0] }),
    ("select", { select(.constant(mask), $0, .zeros(like: $0)) }),
    ("select, the other way round", { select(not(.constant(mask)), 3 * .ones(like: $0), $0) }),
    ("concatenation", { concatenated([$0, $0 * 2])[2, 0] * 0.5 }),
    ("reduction behind a slice", { ($0 * 2)[0..<1].sum(axes: [0])[0] * 0.5 }),
    ("slice behind a reduction", { $0.reshaped([4, 1]).sum(axes: [1])[0] }),
    ("slice behind a product", { matmul($0.reshaped([4, 1]), one([1, 1]))[0] }),
    ("slice behind a cumulative sum", { $0.reshaped([4]).cumulativeSum(axis: 0)[0] }),
    ("steps of a pool", { sumPool2D(column($0), window: [1, 1], stride: [4, 1]) }),
    ("steps of a convolution", { convolution2D(column($0), one([1, 1, 1, 1]), stride: [4, 1]) }),
  ]

  static let mask = NDArray([true, false, false, false], shape: [2, 2])

  /// By value, where the first is larger than the others.
  static let largest: [(String, Reading)] = [
    ("maximum", { $0.max() }),
    ("minimum of negatives", { -(-$0).min() }),
    ("top", { $0.reshaped([4]).topK(1).values }),
    ("sorted", { $0.reshaped([4]).sorted(descending: true)[0] }),
    ("pool", { maxPool2D($0.reshaped([1, 1, 2, 2])) }),
    ("clip", { maximum($0, 0.25) }),
    ("clip from above", { -minimum(-$0, -0.25) }),
    ("rectifier", { relu($0 - 0.25) }),
    ("position of the largest", { $0.reshaped([4]).gathered($0.reshaped([4]).argMax()) }),
  ]

  private func check(
    _ pole: Pole, _ readings: [(String, Reading)], on backend: any Backend
  ) throws {
    let x = Tensor.input("x", [2, 2])
    var outputs: [Tensor] = []
    for (_, reading) in readings {
      let cost = reading(pole.function(x)).sum()
      let gradients = gradient(of: cost, withRespectTo: [x])[0]
      outputs.append(gradients)
      outputs.append(gradient(of: gradients.sum(), withRespectTo: [x], disconnected: .zero)[0])
      outputs.append(
        gradient(of: (gradients * gradients).sum(), withRespectTo: [x], disconnected: .zero)[0])
    }
    let values = [Float(pole.read)] + [Float](repeating: Float(pole.unread), count: 3)
    let results = try compile([x], to: outputs, on: backend)(NDArray(values, shape: [2, 2]))
    for (number, (name, _)) in readings.enumerated() {
      let expected = [pole.first, pole.second, 2 * pole.first * pole.second]
      for (order, value) in expected.enumerated() {
        let found = results[3 * number + order].doubles
        #expect(abs(found[0] - value) <= 1e-5 * max(abs(value), 1), "\(name), \(order): \(found)")
        #expect(found.dropFirst().allSatisfy { $0 == 0 }, "\(name), \(order): \(found)")
      }
    }
  }

  @Test(arguments: common + others) func readByPlace(_ pole: Pole) throws {
    try check(pole, Self.readings, on: .reference)
  }

  @Test(arguments: common) func readByPlaceCompiled(_ pole: Pole) throws {
    try check(pole, Self.readings, on: .cpu)
  }

  @Test(arguments: [any Backend].both) func readByValue(_ backend: any Backend) throws {
    try check(Self.common[0], Self.largest, on: backend)
    try check(Pole("log", 2, 0, 0.5, -0.25) { log($0) }, Self.largest, on: backend)
    try check(Pole("below", 0.5, 0, 4, -16) { 10 - 1 / $0 }, Self.largest, on: backend)
  }

  /// Without rewriting, too: the gradient itself is right.
  @Test func withoutRewriting() throws {
    let x = Tensor.input("x", [2])
    for cost in [sqrt(x)[0], select(x .> 1, log(x), 0 * x).sum()] {
      let gradients = gradient(of: cost, withRespectTo: [x])[0]
      let function = try compile(
        [x], to: [gradients], options: CompileOptions(rewriting: .none), on: .reference)
      #expect(try function(NDArray([4, 0] as [Float]))[0] == NDArray([0.25, 0] as [Float]))
    }
  }

  /// Other variables of the same formula.
  @Test(arguments: [any Backend].both) func factorsOfWhatIsNotRead(_ backend: any Backend) throws {
    let (x, w) = (Tensor.input("x", [2]), Tensor.input("w", [2]))
    let masked = select(isFinite(x), x * w, .zeros(like: x)).sum()
    let sliced = (log(x) * w)[0]
    let gradients = [masked, sliced].map { gradient(of: $0, withRespectTo: [w])[0] }
    let function = try compile(
      [x, w], to: gradients, options: CompileOptions(allowsUnusedInputs: true), on: backend)
    let one = NDArray([1, 1] as [Float])
    #expect(try function(NDArray([2, .nan] as [Float]), one)[0] == NDArray([2, 0] as [Float]))
    #expect(try function(NDArray([1, 0] as [Float]), one)[1] == NDArray([0, 0] as [Float]))
  }

  /// Losses that are infinite where a mask leaves them out.
  @Test(arguments: [any Backend].both) func maskedLosses(_ backend: any Backend) throws {
    let p = Tensor.input("p", [2])
    let targets = Tensor.constant(NDArray([1, 1] as [Float]))
    let mask = Tensor.constant(NDArray([true, false]))
    let binary = select(mask, binaryCrossEntropy(p, targets), .zeros(like: p)).sum()
    let rows = stacked([p, 1 - p], axis: 1)
    let labels = crossEntropy(rows, .constant(NDArray([0, 0] as [Int32])))
    let shares = crossEntropy(rows, stacked([targets, 0 * targets], axis: 1))
    let costs = [binary, labels[0], shares[0]]
    let gradients = costs.map { gradient(of: $0, withRespectTo: [p])[0] }
    let results = try compile([p], to: gradients, on: backend)(NDArray([0.5, 0] as [Float]))
    for result in results.arrays { #expect(result == NDArray([-2, 0] as [Float])) }
  }

  /// What is read keeps its gradient, infinite or not a number as it may be.
  @Test(arguments: [any Backend].both) func whatIsReadKeepsItsGradient(
    _ backend: any Backend
  ) throws {
    let x = Tensor.input("x", [3])
    let costs = [sqrt(x).sum(), sqrt(x)[0..<2].sum(), (sqrt(x) * x).sum()]
    let gradients = costs.map { gradient(of: $0, withRespectTo: [x])[0] }
    let results = try compile([x], to: gradients, on: backend)(NDArray([4, 0, 0] as [Float]))
    #expect(results[0] == NDArray([0.25, .infinity, .infinity] as [Float]))
    #expect(results[1] == NDArray([0.25, .infinity, 0] as [Float]))
    #expect(results[2].doubles[0] == 3)
  }

  /// A derivative of 0 times a gradient of 0 has derivatives of its own.
  @Test(arguments: [any Backend].both) func zerosThatAreReadHaveSecondDerivatives(
    _ backend: any Backend
  ) throws {
    let (x, y) = (Tensor.input("x", [2]), Tensor.input("y", [2]))
    // ∂²/∂x∂y of x · ln y is 1/y, also where x is 0.
    let first = gradient(of: (x * log(y))[0..<2].sum(), withRespectTo: [y])[0]
    let bounded = maximum(x * log(y), -9).sum()
    let second = gradient(of: bounded, withRespectTo: [y])[0]
    let mixed = [first, second].map { gradient(of: $0.sum(), withRespectTo: [x])[0] }
    let results = try compile([x, y], to: mixed, on: backend)(
      NDArray([0, 3] as [Float]), NDArray([2, 4] as [Float]))
    for result in results.arrays { #expect(result == NDArray([0.5, 0.25] as [Float])) }
  }

  @Test(arguments: [any Backend].both) func powersOfZero(_ backend: any Backend) throws {
    let (x, y) = (Tensor.input("x", [5]), Tensor.input("y", [5]))
    let gradients = gradient(of: power(x, y).sum(), withRespectTo: [x, y])
    let results = try compile([x, y], to: gradients, on: backend)(
      NDArray([0, 0, 0, 0, 0] as [Float]), NDArray([-1, -0.5, 0, 1, 2] as [Float]))
    #expect(results[0] == NDArray([-.infinity, -.infinity, 0, 1, 0] as [Float]))
    #expect(results[1] == NDArray([0, 0, 0, 0, 0] as [Float]))
  }
}

/// An image of one column.
private func column(_ x: Tensor) -> Tensor { x.reshaped([1, 1, 4, 1]) }

/// A constant of ones.
private func one(_ shape: [Int]) -> Tensor { .constant(NDArray(filled: 1, shape: shape)) }

extension [any Backend] {
  fileprivate static var both: [any Backend] { [Reference(), CPU()] }
}
