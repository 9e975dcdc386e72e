import AgnesiArrays
import AgnesiExpressions
import Foundation
import Testing

/// What is special about elementwise functions beyond their examples.
@Suite struct ElementwiseTests {
  @Test func floorDivisionAndModuloBelongTogether() throws {
    let (x, y) = (Tensor.wholes([7, -7, 7, -7, 5]), Tensor.wholes([3, 3, -3, -3, 0]))
    #expect(try computed(x.floorDivided(by: y)) == [2, -3, -3, 2, 0])
    #expect(try computed(x.modulo(y)) == [1, 2, -2, -1, 0])
    #expect(try computed(Tensor.floats([5.5, -5.5]).modulo(2)) == [1.5, 0.5])
    #expect(try computed(Tensor.floats([5.5, -5.5]).floorDivided(by: 2)) == [2, -3])
  }

  @Test func halvesGoToEven() throws {
    #expect(try computed(round(.floats([0.5, 1.5, 2.5, -0.5, -1.5]))) == [0, 2, 2, 0, -2])
  }

  @Test func isCloseKnowsInfinities() throws {
    let x = Tensor.floats([1, 1, .infinity, 1, .nan, -.infinity])
    let y = Tensor.floats([1.000001, 1.1, .infinity, .infinity, .nan, .infinity])
    #expect(try computed(isClose(x, y)) == [1, 0, 1, 0, 0, 0])
    #expect(try computed(isClose(x, y, equalNaN: true)) == [1, 0, 1, 0, 1, 0])
  }

  @Test func bitsOfUnsignedNumbers() throws {
    let bytes = Tensor.constant(NDArray([UInt8(0b1100), 255, 0]))
    #expect(try computed(bytes .& 0b0110) == [0b0100, 0b0110, 0])
    #expect(try computed(bytes .| 1) == [0b1101, 255, 1])
    #expect(try computed(bytes .^ 255) == [0b11110011, 0, 255])
    #expect(try computed(not(bytes)) == [0b11110011, 0, 255])
    #expect(try computed(not(.floats([1, 2]) .> 1.5)) == [1, 0])
  }

  /// Values of the literature: Abramowitz & Stegun, tables 6.1 and 7.1.
  @Test func specialFunctions() throws {
    func value(_ tensor: Tensor) throws -> Double { try computed(tensor.cast(to: .float64))[0] }
    let half = Tensor.constant(0.5, .float64)
    let one = Tensor.constant(1, .float64)
    #expect(abs(try value(erf(half)) - 0.5204998778130465) < 1e-15)
    #expect(abs(try value(erfc(half)) - 0.4795001221869535) < 1e-15)
    #expect(abs(try value(lgamma(half)) - 0.5723649429247001) < 1e-15)
    #expect(abs(try value(digamma(one)) + 0.5772156649015329) < 2e-15)
    #expect(abs(try value(digamma(half)) + 1.9635100260214235) < 1e-14)
    #expect(abs(try value(trigamma(one)) - Double.pi * Double.pi / 6) < 1e-14)
    #expect(abs(try value(trigamma(half)) - Double.pi * Double.pi / 2) < 1e-13)
    #expect(abs(try value(trigamma(-half)) - 8.934802200544679) < 1e-12)
  }

  @Test func smallWholeExponentsAreProducts() {
    let x = Tensor.input("x", [2])
    #expect(power(x, 1) == x)
    #expect([power(x, 2)].topologicalNodes().map(\.operation.label) == ["input", "multiply"])
    #expect(power(x, 0.5).node.operation.label == "sqrt")
    #expect(power(.input("n", [2], .int32), 3).dtype == .int32)
    #expect(power(.input("n", [2], .int32), 0.5).dtype == .float32)
  }
}
