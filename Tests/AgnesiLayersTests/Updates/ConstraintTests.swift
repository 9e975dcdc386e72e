import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct ConstraintTests {
  private let a = Tensor.constant(NDArray([3.0, -4]))
  private let b = Tensor.constant(NDArray([12.0]))

  @Test func penalties() throws {
    #expect(try value(l1([a, b])).scalar == 19)
    #expect(try value(l2([a, b])).scalar == 169)
    #expect(try value(l1(a)).scalar == 7)
    #expect(try value(l2(a)).scalar == 25)
    #expect(try value(l2([])).scalar == 0)
  }

  @Test func totalNorms() throws {
    #expect(try value(totalNorm(of: [a, b])).scalar == 13)
    #expect(try value(totalNorm(of: [])).scalar == 0)
  }

  private func clipped(_ limit: Double) throws -> [Double] {
    let parameters = [2, 1].map { Tensor.parameter("p", [Size($0)], dtype: .float64) }
    let gradients = Gradients([(parameters[0], a), (parameters[1], b)])
    return try gradients.clipped(totalNorm: limit).pairs.flatMap { try value($0.gradient).doubles }
  }

  @Test func gradientsAreClippedTogether() throws {
    #expect(try clipped(13) == [3, -4, 12])
    #expect(try clipped(100) == [3, -4, 12])
    #expect(isClose(try clipped(6.5), [1.5, -2, 6]))
  }

  @Test func gradientsOfZeroStay() throws {
    let zero = Tensor.constant(NDArray([0.0, 0]))
    let gradients = Gradients([(.parameter("p", [2], dtype: .float64), zero)])
    #expect(try value(gradients.clipped(totalNorm: 1).pairs[0].gradient).doubles == [0, 0])
  }

  @Test func elementsAreClipped() throws {
    let gradients = Gradients([(.parameter("p", [2], dtype: .float64), a)])
    #expect(try value(gradients.clipped(to: -1...5).pairs[0].gradient).doubles == [3, -1])
    #expect(try value(gradients.totalNorm).scalar == 5)
  }

  @Test func normsOfUnits() throws {
    // Columns of norm 5, 0 and 1.
    let matrix = Tensor.constant(NDArray([3.0, 0, 1, 4, 0, 0], shape: [2, 3]))
    #expect(isClose(try value(normConstrained(matrix, to: 2)).doubles, [1.2, 0, 1, 1.6, 0, 0]))
    let kernels = Tensor.constant(NDArray([3.0, 4, 0, 1], shape: [2, 1, 1, 2]))
    #expect(isClose(try value(normConstrained(kernels, to: 2)).doubles, [1.2, 1.6, 0, 1]))
    #expect(
      isClose(
        try value(normConstrained(matrix, to: 2, axes: [1])).doubles[0], 6 / 10.0.squareRoot()))
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-12 }
  private func isClose(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { isClose($0, $1) }
  }

  @Test func normsAreConstrainedInUpdates() throws {
    let weight = Tensor.parameter("w", [2, 1], dtype: .float64)
    let bias = Tensor.parameter("b", [2], .zeros, .trainable, dtype: .float64)
    let long = Tensor.constant(NDArray([3.0, 4], shape: [2, 1]))
    let updates = Updates([(weight, long), (bias, a)]).constrainingNorms(to: 1)
    #expect(isClose(try value(updates.pairs[0].value).doubles, [0.6, 0.8]))
    #expect(updates.pairs[1].value == a)
  }

  @Test func onlyWeightsDecay() throws {
    let weight = Tensor.parameter("w", [1], .constant(10), dtype: .float64)
    let bias = Tensor.parameter("b", [1], .constant(10), .trainable, dtype: .float64)
    let updates = Updates([(weight, weight), (bias, bias)]).decayingWeights(by: 0.5, rate: 0.1)
    #expect(try value(updates.pairs[0].value).doubles == [9.5])
    #expect(updates.pairs[1].value == bias)
  }
}
