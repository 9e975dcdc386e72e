import AgnesiArrays
import AgnesiCPU
import Foundation
import Testing

/// Our elementary functions, compiled as rendered units are, against the C library's in float64.
@Suite(.enabled(if: CLibrary.compiler != nil, "no C compiler on the path"))
struct MathTests {
  @Test(arguments: MathLibrary.oneArgument)
  func everyThousandthArgument(_ name: String) throws {
    let library = try #require(MathLibrary.shared)
    let reference = try #require(MathLibrary.references[name])
    let function = library.one(name)
    // A prime stride, so that all exponents, both signs, subnormal numbers and NaNs occur.
    var bits: UInt32 = 0
    var arguments = MathLibrary.edges
    repeat {
      arguments.append(Float(bitPattern: bits))
      bits &+= 65_521
    } while bits > 65_521
    var results = [Float](repeating: 0, count: arguments.count)
    function(arguments, &results, arguments.count)
    var worst = 0.0
    var place: Float = 0
    for (x, y) in zip(arguments, results) {
      let error = MathLibrary.error(of: y, against: reference(Double(x)))
      if error > worst { (worst, place) = (error, x) }
    }
    #expect(worst <= 2, "\(name)(\(place)) is wrong by \(worst) units in the last place")
  }

  @Test(arguments: ["pow", "atan2", "fmod"])
  func twoArguments(_ name: String) throws {
    let library = try #require(MathLibrary.shared)
    let function = library.two(name)
    var generator = PhiloxGenerator(seed: 1, name: name)
    var pairs = MathLibrary.edges.flatMap { x in MathLibrary.edges.map { (x, $0) } }
    for _ in 0..<20_000 {
      // A number's bits at random, then common sizes.
      pairs.append((Float(bitPattern: generator.next()), Float(bitPattern: generator.next())))
      let base = Float.random(in: 0...20, using: &generator)
      pairs.append((base, Float.random(in: -20...20, using: &generator)))
      pairs.append((-base.rounded(), Float.random(in: -9...9, using: &generator).rounded()))
    }
    var results = [Float](repeating: 0, count: pairs.count)
    function(pairs.map(\.0), pairs.map(\.1), &results, pairs.count)
    for ((x, y), result) in zip(pairs, results) {
      let expected: Double
      switch name {
      case "pow": expected = Foundation.pow(Double(x), Double(y))
      case "atan2": expected = Foundation.atan2(Double(x), Double(y))
      default: expected = MathLibrary.floored(Double(x), Double(y))
      }
      let error = MathLibrary.error(of: result, against: expected)
      #expect(error <= 2, "\(name)(\(x), \(y)) = \(result), not \(expected)")
      if error > 2 { return }
    }
  }

  @Test func philoxGivesTheNumbersOfTheArrays() throws {
    let library = try #require(MathLibrary.shared)
    let (key, high): (UInt64, UInt64) = (0x1234_5678_9abc_def0, 0xffff_0000_1111_2222)
    let stream = Philox(key: key)
    for low in [0, 1, 0xffff_ffff, 0x1_0000_0000, UInt64.max - 99] as [UInt64] {
      var words = [UInt32](repeating: 0, count: 400)
      library.philox(&words, 100, key, low, high)
      for i in 0..<100 {
        let block = stream.block(low: low &+ UInt64(i), high: high)
        let own = (words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3])
        #expect(own == block)
      }
    }
  }

  @Test func float64IsTheLibrarys() throws {
    let library = try #require(MathLibrary.shared)
    for name in MathLibrary.oneArgument {
      let reference = try #require(MathLibrary.references[name])
      for x in [0.3, 0.9, 1, 2.5, -0.7, 40, .infinity, -.infinity, .nan] {
        let own = library.double(name)(x)
        let expected = reference(x)
        #expect(own == expected || own.isNaN && expected.isNaN, "\(name)(\(x))")
      }
    }
  }

  @Test func sourceHoldsWhatIsUsedAndNoMore() {
    #expect(CMath.source(functions: []) == "")
    let source = CMath.source(functions: ["sigmoid", "no such function"])
    #expect(source.contains("agnesi_sigmoid_f32("))
    #expect(source.contains("agnesi_exp_f32("))
    #expect(!source.contains("agnesi_tanh_f32"))
    #expect(CMath.functions.isSuperset(of: ["exp", "fmod", "philox"]))
    #expect(!CMath.functions.contains { $0.hasPrefix("_") })
  }
}

extension Float {
  fileprivate init(bitPattern word: UInt64) {
    self.init(bitPattern: UInt32(truncatingIfNeeded: word))
  }
}
