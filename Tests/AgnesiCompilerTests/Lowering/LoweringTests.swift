import Agnesi
import AgnesiCompiler
import AgnesiLoops
import TestSupport
import Testing

/// The kernels of small graphs, as they are printed.
@Suite struct LoweringTests {
  private let x = Tensor.input("x", [.batch, 10])

  @Test func aChainOfElementsIsOneKernel() throws {
    let y = Tensor.input("y", [.batch, 10])
    let program = try lowered([x, y], [tanh(x * 2 + y) - x])
    #expect(
      program.text == """
        kernel (a0: float32, a1: float32, a2: float32 written; batch)
          parallel vector for _i1 in 0..<batch * 10
            var l0: float32 = a0[_i1]
            a2[_i1] = (tanh(((l0 * 2) + a1[_i1])) - l0)
        """)
  }

  @Test func biasAndActivationAreOneKernel() throws {
    let (w, b) = (Tensor.parameter("w", [10, 6]), Tensor.parameter("b", [6]))
    let program = try lowered([x], [relu(matmul(x, w) + b)])
    #expect(
      program.text == """
        call matmul
        kernel (a0: float32, a1: float32, a2: float32 written; batch)
          parallel for _i0 in 0..<batch
            vector for _i1 in 0..<6
              let t0 = (a0[_i0 * 6 + _i1] + a1[_i1])
              a2[_i0 * 6 + _i1] = select((t0 <= 0), 0, t0)
        """)
  }

  @Test func nesterovIsOneKernelInPlace() throws {
    let w = Tensor.parameter("w", [10])
    let updates = Optimizer.nesterov().updates(of: (w * w).sum(), parameters: [w], rate: 0.1)
    let program = try lowered([], [], updates)
    #expect(
      program.text == """
        kernel (a0: float32, a1: float32, a2: float32 written, a3: float32 written)
          parallel vector for _i0 in 0..<10
            var l0: float32 = a0[_i0]
            var l1: float32 = (0.10000000149011612 * (l0 + l0))
            var l2: float32 = ((0.8999999761581421 * a1[_i0]) - l1)
            var l3: float32 = (l0 + ((0.8999999761581421 * l2) - l1))
            a2[_i0] = l2
            a3[_i0] = l3
        """)
    #expect(program.inPlaceCount == 2)
    #expect(program.copies.isEmpty)
  }

  @Test func softmaxOfRows() throws {
    let program = try lowered([x], [softmax(x)])
    #expect(
      program.text == """
        kernel (a0: float32, a1: float32 written; batch)
          parallel for _i0 in 0..<batch
            var l0: float32 = -inf
            reduce _r0 in 0..<10
              l0 = maximum(l0, a0[_i0 * 10 + _r0])
            a1[_i0] = l0
        kernel (a0: float32, a1: float32, a2: float32 written; batch)
          parallel for _i0 in 0..<batch
            vector for _i1 in 0..<10
              a2[_i0 * 10 + _i1] = exp((a0[_i0 * 10 + _i1] - a1[_i0]))
        kernel (a0: float32, a1: float32 written; batch)
          parallel for _i0 in 0..<batch
            var l0: float32 = 0
            reduce _r0 in 0..<10
              l0 = sum(l0, a0[_i0 * 10 + _r0])
            a1[_i0] = l0
        kernel (a0: float32, a1: float32, a2: float32 written; batch)
          parallel for _i0 in 0..<batch
            vector for _i1 in 0..<10
              a2[_i0 * 10 + _i1] = (a0[_i0 * 10 + _i1] / a1[_i0])
        """)
  }

  @Test func sumsOfColumns() throws {
    let wide = Tensor.input("wide", [.batch, 300])
    let program = try lowered([wide], [wide.sum(axes: [0])])
    #expect(
      program.text == """
        kernel (a0: float32, a1: float32 written; batch)
          parallel vector for _i0 in 0..<300
            var l0: float32 = 0
            reduce _r0 in 0..<batch
              l0 = sum(l0, a0[_i0 + _r0 * 300])
            a1[_i0] = l0
        """)
  }

  /// An old value that is read later is copied over at the end.
  @Test func aSwapIsNotInPlace() throws {
    let (a, b) = (Tensor.parameter("a", [10]), Tensor.parameter("b", [10]))
    let program = try lowered([], [], Updates([(a, b), (b, a)]))
    #expect(program.inPlaceCount + program.copies.count == 2)
    #expect(program.copies.count >= 1)
  }
}
