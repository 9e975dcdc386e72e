import Agnesi
import AgnesiCompiler
import AgnesiExpressions
import TestSupport
import Testing

/// A maximum and ReLU change places, forward and backward.
@Suite struct PoolingBeforeReLUTests {
  private let x = Tensor.input("x", [.batch, 3, 4, 6])
  private let upstream = Tensor.input("upstream", [.batch, 3, 2, 3])
  private let geometry = PoolingGeometry(
    window: [2, 2], stride: [2, 2], padBegin: [0, 0], padEnd: [0, 0])

  private func rectified(_ x: Tensor) -> Tensor { Tensor(Rectify(), x) }
  private func pooled(_ x: Tensor) -> [Tensor] { Tensor.make(geometry.maximum, [x]) }
  private func unpooled(_ gradient: Tensor, _ places: Tensor) -> Tensor {
    Tensor(geometry.unpooling(to: [4, 6]), gradient, places)
  }

  @Test func forward() {
    let after = poolingBeforeReLU([pooled(rectified(x))[0]])
    #expect(areEqual(after[0], rectified(pooled(x)[0])))
  }

  @Test func withItsGradient() {
    let y = rectified(x)
    let maxima = pooled(y)
    let back = Tensor(RectifyGradient(), y, unpooled(upstream, maxima[1]))
    let after = poolingBeforeReLU([maxima[0], back])
    let inner = pooled(x)
    #expect(areEqual(after[0], rectified(inner[0])))
    #expect(
      areEqual(
        after[1], unpooled(Tensor(RectifyGradient(), rectified(inner[0]), upstream), inner[1])))
    let nodes = after.topologicalNodes()
    #expect(nodes.count { $0.pooling != nil } == 1 && nodes.count { $0.operation is Rectify } == 1)
  }

  /// Of windows without a positive element the places would be others.
  @Test func notWhereThePlacesAreWanted() {
    let maxima = pooled(rectified(x))
    #expect(poolingBeforeReLU([maxima[0], maxima[1]]) == maxima)
    let decoder = unpooled(upstream, maxima[1])
    #expect(poolingBeforeReLU([maxima[0], decoder]) == [maxima[0], decoder])
  }

  @Test func notWhereSomebodyElseReadsTheGradient() {
    let y = rectified(x)
    let maxima = pooled(y)
    let back = unpooled(upstream, maxima[1])
    let outputs = [maxima[0], Tensor(RectifyGradient(), y, back), back * 2]
    #expect(poolingBeforeReLU(outputs) == outputs)
  }

  /// Ties, zeros, infinities and windows without a positive element, with the gradient.
  @Test func keepsTheNumbers() throws {
    let special: [Float] = [0, -1, 2, 2, -0.0, .infinity, -.infinity, -3, 1e-20]
    let values = NDArray((0..<144).map { special[$0 * 7 % 9] }, shape: [2, 3, 4, 6])
    let y = maxPool2D(relu(x))
    let gradients = gradient(of: (y * upstream).sum(), withRespectTo: [x])
    let upstreamValues = NDArray((0..<36).map { Float($0) / 8 - 2 }, shape: [2, 3, 2, 3])
    let plain = CompileOptions(rewriting: .none)
    func run(_ options: CompileOptions) throws -> [NDArray] {
      try compile([x, upstream], to: [y] + gradients, options: options, on: .reference)
        .call([values, upstreamValues]).arrays
    }
    let (expected, actual) = (try run(plain), try run(.init()))
    for (a, b) in zip(expected, actual) { #expect(difference(a, b, ulps: 0) == nil) }
  }
}
