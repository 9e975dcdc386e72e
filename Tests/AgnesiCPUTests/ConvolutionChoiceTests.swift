import Agnesi
import AgnesiCPU
import Foundation
import TestSupport
import Testing

/// What chooses between the direct and Winograd's algorithm, and what the choice is worth.
@Suite struct ConvolutionChoiceTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let machine = ConvolutionTable.Machine.current(threads: CPU.threads)

  /// Whether the library has Winograd's kernels for this processor.
  static let hasWinograd =
    ConvolutionProblem(.forward, batch: 4, channels: 64, filters: 64, size: 16)
    .measured(threads: 1, limit: 0.01) != nil

  /// A convolution that the estimate gives to Winograd's algorithm, with its gradients.
  private struct Step {
    let image = Tensor.input("image", [.batch, 64, 16, 16])
    let kernels = Tensor.input("kernels", [64, 64, 3, 3])
    let values: [NDArray]

    init() {
      values = [[4, 64, 16, 16], [64, 64, 3, 3]].map { shape in
        NDArray(numbers(shape.reduce(1, *), "choice\(shape)"), shape: shape)
      }
    }

    func outputs(_ dtype: DType) -> [Tensor] {
      let (x, w) = (image.cast(to: dtype), kernels.cast(to: dtype))
      let result = convolution2D(x, w, padding: .symmetric(1, 1))
      let loss = square(result).mean()
      return [result] + gradient(of: loss, withRespectTo: [image, kernels])
    }

    func call(_ dtype: DType = .float32, on backend: any Backend) throws -> [NDArray] {
      try compile([image, kernels], to: outputs(dtype), on: backend).call(values).arrays
    }

    /// The largest difference from float64, in relation to the largest number, of each output.
    func errors(on backend: any Backend) throws -> [Double] {
      zip(try call(on: backend), try call(.float64, on: .cpu)).map { actual, exact in
        let pairs = zip(actual.doubles, exact.doubles)
        return (pairs.map { abs($0 - $1) }.max() ?? .nan) / (exact.doubles.map(abs).max() ?? .nan)
      }
    }

    /// A table in which one algorithm is the quicker for all convolutions of the step.
    func table(_ quicker: ConvolutionAlgorithm) throws -> ConvolutionTable {
      let survey = ConvolutionSurvey()
      _ = try compile([image, kernels], to: outputs(.float32), on: survey)
      var table = ConvolutionTable()
      for problem in survey.problems(sizes: ["batch": 4]) {
        let isDirect = quicker == .direct
        table[machine][problem.description] = .init(
          direct: isDirect ? 1 : 2, winograd: isDirect ? 2 : 1)
      }
      return table
    }
  }

  private static func implementations(_ backend: (Profiler) -> CPU) throws -> [String] {
    let profiler = Profiler()
    _ = try Step().call(on: backend(profiler))
    return profiler.steps.map(\.producer).filter { $0.hasPrefix("oneDNN ") }
  }

  @Test(.enabled(if: hasWinograd)) func theStrictModeIsDirectAndMoreExact() throws {
    let names = try Self.implementations { CPU(convolutions: .direct, profiler: $0) }
    #expect(names.count == 3)
    #expect(names.allSatisfy { !$0.contains("wino") }, "\(names)")
    let quick = try Step().errors(on: CPU(table: try Step().table(.winograd)))
    let strict = try Step().errors(on: CPU(convolutions: .direct))
    #expect((strict + quick).allSatisfy { $0 < 1e-5 })
    // Gradients of kernels are long sums, whose own rounding weighs as much as the algorithm's.
    for (exact, rough) in zip(strict, quick).prefix(2) { #expect(exact < rough) }
    #expect(CPU(convolutions: .direct).choices == BackendChoices(isStrict: true))
  }

  @Test(.enabled(if: hasWinograd)) func measurementsOverruleTheEstimate() throws {
    for algorithm in ConvolutionAlgorithm.allCases {
      let backend = CPU(table: try Step().table(algorithm))
      _ = try Step().call(on: backend)
      #expect(backend.choices.made.count == 3)
      #expect(backend.choices.made.values.allSatisfy { $0 == algorithm.rawValue })
    }
    // Nothing was measured: the estimate prefers Winograd's.
    let backend = CPU(table: ConvolutionTable())
    _ = try Step().call(on: backend)
    #expect(backend.choices.made.values.contains("winograd"))
  }

  @Test(.enabled(if: hasWinograd)) func repeatedChoicesGiveTheSameBits() throws {
    let first = CPU(table: try Step().table(.winograd))
    let expected = try Step().call(on: first)
    let other = CPU(table: try Step().table(.direct))
    let repeated = try Step().call(on: other.repeating(first.choices))
    let changed = try Step().call(on: other)
    for index in expected.indices {
      #expect(repeated[index].isIdentical(to: expected[index]))
      #expect(!changed[index].isIdentical(to: expected[index]))
    }
  }

  @Test func measurementsOfConvolutionsToComeTravelToo() throws {
    var table = try Step().table(.direct)
    table[Self.machine]["of another batch"] = .init(direct: 2, winograd: 1)
    let backend = CPU(table: table)
    #expect(backend.choices == BackendChoices())
    _ = try Step().call(on: backend)
    guard !backend.choices.made.isEmpty else { return }
    #expect(backend.choices.made["of another batch"] == "winograd")
    // Strict stays strict, and a run that chose nothing binds nobody.
    #expect(CPU(convolutions: .direct).repeating(backend.choices).choices.isStrict)
    #expect(backend.repeating(BackendChoices()).choices == backend.choices)
    #expect(backend.repeating(BackendChoices(isStrict: true)).choices.isStrict)
  }

  @Test func smallGainsAreNotWorthDigits() {
    #expect(ConvolutionTable.Times(direct: 1, winograd: 0.98).choice == .direct)
    #expect(ConvolutionTable.Times(direct: 1, winograd: 0.9).choice == .winograd)
  }

  @Test func oneLineForEachProblem() {
    let problem = ConvolutionProblem(.forward, batch: 2, channels: 32, filters: 64, size: 8)
    var others: [ConvolutionProblem] = []
    func add(_ change: (inout ConvolutionProblem) -> Void) {
      var other = problem
      change(&other)
      others.append(other)
    }
    add { $0.kind = .backwardData }
    add { $0.image[0] = 3 }
    add { $0.kernels[2] = 1 }
    add { $0.geometry.padEnd = [0, 1] }
    add { $0.geometry.padBegin = [0, 1] }
    add { $0.geometry.stride = [2, 1] }
    add { $0.geometry.dilation = [1, 2] }
    add { $0.geometry.groups = 2 }
    add { $0.hasBias = true }
    add { $0.keepsWeights = true }
    let texts = Set((others + [problem]).map(\.description))
    #expect(texts.count == others.count + 1)
    var plain = problem
    (plain.imageBlocks, plain.outputBlocks) = (nil, nil)
    #expect(plain.description == "forward 2x32x8x8 by 64x32x3x3 pad 1x1")
    #expect(!plain.hasChoice)
  }

  // MARK: The table

  private static func table(_ key: String, _ seconds: Double) -> ConvolutionTable {
    var table = ConvolutionTable()
    table[machine][key] = .init(direct: seconds, winograd: 1)
    return table
  }

  @Test func aTableKeepsEveryBit() throws {
    var table = Self.table("forward 1x2", 0.1 + 0.2)
    table[.init(processor: "other", library: "x", threads: 64)]["a"] = .init(
      direct: .leastNonzeroMagnitude, winograd: 1e30)
    #expect(try ConvolutionTable(text: table.text) == table)
    #expect(table.text.hasPrefix("agnesi convolutions 1\n"))
  }

  @Test(arguments: [
    ("", "it is no table of convolutions, or not a whole one"),
    ("another file\n", "it is no table of convolutions, or not a whole one"),
    ("agnesi convolutions 1\na\tb\t1", "it is no table of convolutions, or not a whole one"),
    ("agnesi convolutions 1\na\tb\t1\tc\t1\n", "line 2 is no measurement"),
    ("agnesi convolutions 1\na\tb\t1\tc\t1\t2\na\tb\t1\tc\t-1\t2\n", "line 3 is no measurement"),
    ("agnesi convolutions 1\na\tb\t1\tc\tnan\t2\n", "line 2 is no measurement"),
  ])
  func whatIsNoTableIsIgnoredWithAWarning(_ text: String, _ reason: String) throws {
    let path = try folder.write(text.utf8, to: "convolutions.txt")
    var warnings: [String] = []
    let table = ConvolutionTable.reading(path) { warnings.append($0) }
    #expect(table == ConvolutionTable())
    #expect(
      warnings == [
        """
        agnesi: the measurements in \(path) are ignored: \(reason)
          `agnesi tune` writes the file anew
        """
      ])
    // And it does.
    try Self.table("a", 2).add(to: path)
    #expect(ConvolutionTable.reading(path) { _ in } == Self.table("a", 2))
  }

  @Test func noFileIsNoMistake() {
    var warnings: [String] = []
    let table = ConvolutionTable.reading(folder.path("none")) { warnings.append($0) }
    #expect(table == ConvolutionTable())
    #expect(warnings == [])
  }

  @Test func manyWritersLoseNothing() throws {
    let path = ConvolutionTable.path(in: folder.path("new/folder"))
    DispatchQueue.concurrentPerform(iterations: 32) { number in
      try? Self.table("convolution \(number)", 1 + Double(number)).add(to: path)
    }
    try Self.table("convolution 3", 77).add(to: path)
    let times = ConvolutionTable.reading(path)[Self.machine]
    #expect(times.count == 32)
    #expect(times["convolution 3"]?.direct == 77)
    #expect(times["convolution 31"]?.direct == 32)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("new/folder"))
    #expect(names.sorted() == ["convolutions.txt", "convolutions.txt.lock"])
  }

  @Test func aPlaceThatCannotBeWritten() throws {
    let file = try folder.write([], to: "file")
    #expect(throws: ConvolutionTable.Problem.self) {
      try Self.table("a", 1).add(to: ConvolutionTable.path(in: file))
    }
  }

  @Test(.enabled(if: hasWinograd)) func measuringTakesItsTimeAndNoMore() throws {
    let problem = ConvolutionProblem(
      .backwardWeights, batch: 2, channels: 32, filters: 32, size: 12)
    let start = ContinuousClock.now
    let times = try #require(problem.measured(threads: 1, limit: 0.05))
    #expect(times.direct > 0 && times.winograd > 0)
    #expect(ContinuousClock.now - start < .seconds(5))
    var strided = problem
    strided.geometry.stride = [2, 2]
    #expect(strided.measured(threads: 1) == nil)
  }
}
