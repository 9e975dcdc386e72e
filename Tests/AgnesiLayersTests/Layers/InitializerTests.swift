import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct InitializerTests {
  private func values(_ initializer: Initializer, _ shape: [Int]) -> [Double] {
    initializer.array(shape: shape, dtype: .float64, stream: Philox(seed: 3, name: "w")).doubles
  }

  private func variance(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
  }

  /// Of 30,000 values the variance is known within 3 % (five deviations of a normal sample's).
  private func expect(
    _ initializer: Initializer, _ shape: [Int], variance expected: Double
  ) {
    let found = values(initializer, shape)
    let mean = found.reduce(0, +) / Double(found.count)
    #expect(abs(variance(found) / expected - 1) < 0.045, "\(initializer)")
    #expect(abs(mean) < 5 * (expected / Double(found.count)).squareRoot(), "\(initializer)")
  }

  @Test func variances() {
    expect(.glorotUniform, [100, 300], variance: 2.0 / 400)
    expect(.glorotNormal, [100, 300], variance: 2.0 / 400)
    expect(.glorotNormal, [60, 20, 5, 5], variance: 2.0 / (2000))
    expect(.heNormal, [100, 300], variance: 2.0 / 100)
    expect(.heUniform, [60, 20, 5, 5], variance: 2.0 / 500)
    expect(.lecunNormal, [100, 300], variance: 1.0 / 100)
    expect(.lecunUniform, [100, 300], variance: 1.0 / 100)
    expect(.normal(mean: 0, deviation: 0.1), [100, 300], variance: 0.01)
    expect(.uniform(range: 0.3), [100, 300], variance: 0.03)
    // The variance of a normal number that is at most two deviations away.
    expect(.truncatedNormal(mean: 0, deviation: 0.5), [100, 300], variance: 0.25 * 0.7737)
  }

  @Test func rangesAreKept() {
    let truncated = values(.truncatedNormal(mean: 1, deviation: 0.5), [100, 300])
    #expect(truncated.allSatisfy { abs($0 - 1) <= 1 })
    #expect((truncated.max() ?? 0) > 1.99)
    let bound = (6.0 / 400).squareRoot()
    #expect(values(.glorotUniform, [100, 300]).allSatisfy { abs($0) <= bound })
    #expect(values(.constant(2), [3]) == [2, 2, 2])
  }

  @Test(arguments: [[6, 9], [9, 6], [5, 5], [4, 2, 3, 3], [20, 2, 3, 3], [1, 1]])
  func orthogonal(_ shape: [Int]) {
    let found = values(.orthogonal(gain: 2), shape)
    let rows = shape[0]
    let columns = shape.dropFirst().reduce(1, *)
    let count = min(rows, columns)
    func element(_ vector: Int, _ position: Int) -> Double {
      rows <= columns ? found[vector * columns + position] : found[position * columns + vector]
    }
    for a in 0..<count {
      for b in 0..<count {
        let dot = (0..<max(rows, columns)).reduce(0) { $0 + element(a, $1) * element(b, $1) }
        #expect(abs(dot - (a == b ? 4 : 0)) < 1e-12)
      }
    }
  }

  @Test func sparseUnits() {
    let matrix = values(.sparse(nonzero: 0.1, deviation: 1), [50, 40])
    for unit in 0..<40 {
      #expect((0..<50).filter { matrix[$0 * 40 + unit] != 0 }.count == 5)
    }
    let rows = Set((0..<50).filter { matrix[$0 * 40] != 0 })
    #expect(rows != Set((0..<50).filter { matrix[$0 * 40 + 1] != 0 }))
    let kernels = values(.sparse(nonzero: 0.5, deviation: 1), [6, 2, 3, 3])
    for unit in 0..<6 {
      #expect((0..<18).filter { kernels[unit * 18 + $0] != 0 }.count == 9)
    }
  }

  @Test func valuesDependOnTheNameOnly() {
    func first(_ name: String, seed: UInt64) -> NDArray {
      Initializer.heNormal.array(
        shape: [4], dtype: .float32, stream: Philox(seed: seed, name: name))
    }
    #expect(first("a", seed: 1) == first("a", seed: 1))
    #expect(first("a", seed: 1) != first("b", seed: 1))
    #expect(first("a", seed: 1) != first("a", seed: 2))
  }
}
