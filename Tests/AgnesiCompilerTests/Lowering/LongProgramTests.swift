import Agnesi
import AgnesiCompiler
import AgnesiLoops
import TestSupport
import Testing

/// What deep networks cost to compile, in counts of work.
@Suite struct LongProgramTests {
  private let x = Tensor.input("x", [.batch, 8])

  private func chain(_ count: Int) -> (output: Tensor, parameters: [Tensor]) {
    var (h, parameters): (Tensor, [Tensor]) = (x, [])
    for layer in 0..<count {
      let (a, b) = (Tensor.parameter("a\(layer)", [8]), Tensor.parameter("b\(layer)", [8]))
      parameters += [a, b]
      h = tanh(h * a + b)
    }
    return (h, parameters)
  }

  /// A long chain of elementwise functions is cut, so that no kernel, and no C function, grows with
  /// the network.
  @Test func kernelsStayShort() throws {
    func longest(_ layers: Int) throws -> (length: Int, kernels: Int) {
      let program = try lowered([x], [chain(layers).output])
      let lengths = program.steps.map { step -> Int in
        guard case .kernel(let kernel, _) = step.work else { return 0 }
        return kernel.description.utf8.count
      }
      return (lengths.max() ?? 0, lengths.count)
    }
    let (small, large) = (try longest(200), try longest(1000))
    #expect(large.length < small.length * 2)
    #expect(large.kernels > small.kernels * 4)
    #expect(large.kernels < small.kernels * 6)
  }

  /// Five times the layers are five times the steps, buffers and attempts at rewriting.
  @Test func workGrowsWithTheNetwork() throws {
    func work(_ layers: Int) throws -> [Int] {
      let (output, parameters) = chain(layers)
      let updates = sgd((output * output).sum(), parameters, rate: 0.1)
      var log = RewriteLog()
      _ = try Pipeline().apply(to: updates.pairs.map(\.value), log: &log)
      let program = try lowered([x], [], updates)
      #expect(program.copies.isEmpty)
      #expect(program.inPlaceCount == parameters.count)
      return [log.attempts, program.steps.count, program.buffers.count]
    }
    for (small, large) in zip(try work(40), try work(200)) {
      #expect(large < small * 6)
      #expect(large > small * 4)
    }
  }

  /// Plans of very many buffers place them by birth: memory is used again there, too.
  @Test func manyBuffersShareMemory() throws {
    var h = x
    let w = Tensor.parameter("w", [8, 8])
    for _ in 0..<3000 { h = matmul(h, w) }
    let plan = MemoryPlan(try lowered([x], [h]), sizes: ["batch": 64])
    #expect(plan.offsets.count { $0 != nil } > 2000)
    #expect(plan.byteCount == 2 * 64 * 8 * 4)
  }
}
