import Agnesi
import AgnesiCompiler
import AgnesiLoops
import TestSupport
import Testing

/// Matrix products as loops, with what is done with them.
@Suite struct ProductTests {
  private let x = Tensor.input("x", [.batch, 5])

  @Test func biasAndActivationAreTheEndOfTheProduct() throws {
    let (w, b) = (Tensor.input("w", [5, 40]), Tensor.input("b", [40]))
    let program = try lowered([x, w, b], [relu(matmul(x, w) + b)], library: NoLibrary())
    #expect(
      program.text == """
        kernel (a0: float32, a1: float32, a2: float32, a3: float32 written; batch)
          parallel tiles for _i0 in 0..<batch by 8, _i1 in 0..<40 by 32, 2 side by side
            var l0: float32 = 0
            reduce _r0 in 0..<5
              l0 = sum(l0, (a0[_i0 * 5 + _r0] * a1[_i1 + _r0 * 40]))
            let t0 = (l0 + a2[_i1])
            a3[_i0 * 40 + _i1] = select((t0 <= 0), 0, t0)
        """)
  }

  /// A factor that lies column after column is stored in panels for many rows, and read as it lies for few.
  @Test func theRightFactorIsTransposedForManyRows() throws {
    let (few, w) = (Tensor.input("few", [3, 5]), Tensor.input("w", [40, 5]))
    let many = try lowered([x, w], [matmul(x, w.transposed())], library: NoLibrary())
    #expect(
      many.text == """
        kernel (a0: float32, a1: float32 written)
          parallel for _i0 in 0..<2
            parallel tiles for _i1 in 0..<5 by 16, _i2 in 0..<32 by 16
              a1[_i0 * 160 + _i1 * 32 + _i2] = select(((_i0 * 32 + _i2) < 40), a0[_i0 * 160 + _i1 + _i2 * 5], 0)
        kernel (a0: float32, a1: float32, a2: float32 written; batch)
          parallel tiles for _i0 in 0..<batch by 8, _i1 in 0..<40 by 32, 2 side by side
            var l0: float32 = 0
            reduce _r0 in 0..<5
              l0 = sum(l0, (a0[_i0 * 5 + _r0] * a1[((_i1) / (32)) * 128 + _i1 + _r0 * 32]))
            a2[_i0 * 40 + _i1] = l0
        """)
    let one = try lowered([few, w], [matmul(few, w.transposed())], library: NoLibrary())
    #expect(one.steps.count == 1)
  }

  /// The gradient of the weights is never in memory: what it updates is updated as it is made.
  @Test func anUpdateIsTheEndOfItsGradient() throws {
    let w = Tensor.parameter("w", [5, 40])
    let cost = matmul(x, w).sum()
    let updates = Optimizer.nesterov().updates(of: cost, parameters: [w], rate: 0.1)
    let gradient = Tensor.input("gradient", [.batch, 40])
    let given = Optimizer.nesterov().updates(
      of: (matmul(x, w) * gradient).sum(), parameters: [w], rate: 0.1)
    let program = try lowered([x, gradient], [], given, library: NoLibrary())
    #expect(program.steps.count == 1)
    #expect(program.inPlaceCount == 2)
    #expect(try lowered([x], [], updates, library: NoLibrary()).inPlaceCount == 2)
  }

  /// A sum over samples and places that do not lie behind each other in memory.
  @Test func aSumOverTwoAxesRunsInTiles() throws {
    let y = Tensor.input("y", [.batch, 6, 20])
    let z = Tensor.input("z", [.batch, 20, 40])
    let left = y.transposed([1, 0, 2]).reshaped([6, 1, .batch, 20])
    let right = z.transposed([2, 0, 1]).reshaped([1, 40, .batch, 20])
    let product = (left * right).sum(axes: [2, 3])
    let text = try lowered([y, z], [product], library: NoLibrary()).text
    #expect(text.contains("tiles") && text.contains("reduce _r1 in 0..<20"), "\(text)")
    let fast = try compile([y, z], to: [product])
    let reference = try compile([y, z], to: [product], on: .reference)
    for batch in [0, 1, 3, 17] {
      let inputs = [whole([batch, 6, 20], 1), whole([batch, 20, 40], 2)]
      #expect(try fast.call(inputs)[0].doubles == reference.call(inputs)[0].doubles)
    }
  }

  /// A right factor that is not in memory, and lies column after column, is stored once for many rows.
  @Test func theRightFactorIsStoredWhereItIsComputed() throws {
    let (w, v) = (Tensor.input("w", [40, 5]), Tensor.input("v", [40, 5]))
    let program = try lowered(
      [x, w, v], [matmul(x, (w + v).transposed())], library: NoLibrary())
    #expect(
      program.steps.count == 2 && program.text.contains("parallel tiles for _i0 in 0..<batch"))
  }

  /// Rows a power of two apart push one another out of the cache: such factors are stored in panels,
  /// others are read as they lie.
  @Test(arguments: [(512, 2), (500, 0)]) func slowFactorsAreStoredInPanels(
    _ width: Int, _ copies: Int
  ) throws {
    let x = Tensor.input("x", [.batch, Size(width)])
    let y = Tensor.input("y", [.batch, Size(width)])
    let product = matmul(x.transposed(), y)
    let program = try lowered([x, y], [product], library: NoLibrary())
    #expect(program.steps.count == 1 + copies, "\(program.text)")
    let fast = try compile([x, y], to: [product])
    let right = try compile([x, y], to: [product], on: .reference)
    for batch in [0, 1, 70] {
      let inputs = [whole([batch, width], 1), whole([batch, width], 2)]
      #expect(try fast.call(inputs)[0].doubles == right.call(inputs)[0].doubles)
    }
  }

  /// Leading axes that a factor is the same along have one panel.
  @Test func aFactorForAllLeadingAxesIsStoredOnce() throws {
    let x = Tensor.input("x", [.batch, 3, 40, 64])
    let w = Tensor.input("w", [48, 64])
    let v = Tensor.input("v", [.batch, 3, 48, 64])
    let outputs = [matmul(x, w.transposed()), matmul(x, v.matrixTransposed())]
    let text = try lowered([x, w], [outputs[0]], library: NoLibrary()).text
    #expect(text.hasPrefix("kernel (a0: float32, a1: float32 written)\n"), "\(text)")
    let fast = try compile([x, w, v], to: outputs)
    let right = try compile([x, w, v], to: outputs, on: .reference)
    for batch in [0, 1, 2] {
      let inputs = [
        whole([batch, 3, 40, 64], 1), whole([48, 64], 2), whole([batch, 3, 48, 64], 3),
      ]
      let (computed, expected) = (try fast.call(inputs), try right.call(inputs))
      for output in outputs { #expect(computed[output].doubles == expected[output].doubles) }
    }
  }

  /// A long product is summed in chunks, each of which takes longer than its results through memory.
  @Test func aLongProductRunsInLongChunks() throws {
    let x = Tensor.input("x", [.batch, 256, 64])
    let y = Tensor.input("y", [.batch, 256, 80])
    let rows = [Size.batch * 256]
    let product = matmul(
      x.reshaped(rows + [64]).transposed(), y.reshaped(rows + [80]))
    let program = try lowered([x, y], [product], library: NoLibrary())
    #expect(program.text.contains("0..<((batch * 256 + 1023) / (1024))"), "\(program.text)")
    let fast = try compile([x, y], to: [product])
    let right = try compile([x, y], to: [product], on: .reference)
    for batch in [0, 1, 5] {
      let inputs = [whole([batch, 256, 64], 1), whole([batch, 256, 80], 2)]
      #expect(try fast.call(inputs)[0].doubles == right.call(inputs)[0].doubles)
    }
  }

  private func whole(_ shape: [Int], _ seed: UInt64) -> NDArray {
    let stream = Philox(key: seed)
    let count = shape.reduce(1, *)
    return NDArray((0..<count).map { Float(stream.word(UInt64($0)) % 9) - 4 }, shape: shape)
  }

  /// One function for all batches, whichever comes first, against the definition.
  @Test(arguments: [1, 100]) func everyBatch(_ first: Int) throws {
    let (w, v) = (Tensor.input("w", [5, 37]), Tensor.input("v", [37, 37]))
    let h = relu(matmul(x, w))
    let back = matmul(h, v.transposed())
    let outputs = [h, back, matmul(h.transposed(), back), matmul(x.transposed(), h) + w]
    let fast = try compile([x, w, v], to: outputs)
    let right = try compile([x, w, v], to: outputs, on: .reference)
    for batch in [first, 0, 1, 2, 7, 8, 9, 99, 100, 101] {
      let inputs = [whole([batch, 5], 1), whole([5, 37], 2), whole([37, 37], 3)]
      let computed = try fast(inputs[0], inputs[1], inputs[2])
      let expected = try right(inputs[0], inputs[1], inputs[2])
      for output in outputs { #expect(computed[output].doubles == expected[output].doubles) }
    }
  }

  @Test func batchesOfProducts() throws {
    let a = Tensor.input("a", [3, 2, 9, 4])
    let b = Tensor.input("b", [4, 20])
    let c = Tensor.input("c", [3, 2, 20, 9])
    let outputs = [matmul(a, b), matmul(matmul(a, b), c)]
    let fast = try compile([a, b, c], to: outputs)
    let right = try compile([a, b, c], to: outputs, on: .reference)
    let inputs = [whole([3, 2, 9, 4], 1), whole([4, 20], 2), whole([3, 2, 20, 9], 3)]
    let computed = try fast(inputs[0], inputs[1], inputs[2])
    let expected = try right(inputs[0], inputs[1], inputs[2])
    for output in outputs { #expect(computed[output].doubles == expected[output].doubles) }
  }
}
