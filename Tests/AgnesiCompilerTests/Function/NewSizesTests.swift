import Agnesi
import AgnesiCPU
import TestSupport
import Testing

/// New sizes need new plans, not new machine code.
@Suite struct NewSizesTests {
  /// A batch that is another kind of size waits for a compiler only where it needs other code than
  /// whole batches do: equal code is compiled once.
  @Test func theRestOfAnEpochDoesNotWait() throws {
    let folder = try TemporaryFolder()
    let cache = CompileCache(folder: folder.path)
    let cpu = CPU(compiler: KernelCompiler(cache: cache, math: CMath.source))
    let x = Tensor.input("x", [.batch, 3])
    let function = try compile([x], to: [relu(x * 2).sum(axes: [0])], on: cpu)
    func sums(_ batch: Int) throws -> [Double] {
      try function(NDArray(filled: 1, shape: [batch, 3]))[0].doubles
    }
    #expect(cache.compilations == 0)
    #expect(try sums(100) == [200, 200, 200])
    #expect(cache.compilations == 1)
    for batch in [7, 1, 0, 7, 1] {
      let expected = Double(2 * batch)
      #expect(try sums(batch) == [expected, expected, expected])
    }
    #expect(cache.compilations == 1)
  }

  @Test func newSizesDoNotRunTheCompiler() throws {
    let folder = try TemporaryFolder()
    let cache = CompileCache(folder: folder.path)
    let cpu = CPU(compiler: KernelCompiler(cache: cache, math: CMath.source))
    let x = Tensor.input("x", [.batch, 3])
    let w = Tensor.parameter("w", [3, 2], .constant(0.5))
    let function = try compile([x], to: [relu(matmul(x, w)).sum(axes: [0])], on: cpu)
    _ = try function(NDArray(filled: 1, shape: [20, 3]))
    let compilations = cache.compilations
    #expect(compilations > 0)
    // More than the plans that are kept, twice.
    for _ in 0..<2 {
      for batch in 8..<48 {
        let sums = try function(NDArray(filled: 1, shape: [batch, 3]))[0].doubles
        #expect(sums == [1.5 * Double(batch), 1.5 * Double(batch)])
      }
    }
    #expect(cache.compilations == compilations)
  }

  /// The second process, or the second function, finds the code.
  @Test func theSameFunctionIsCompiledOnce() throws {
    let folder = try TemporaryFolder()
    let x = Tensor.input("x", [.batch])
    func run(_ cache: CompileCache) throws -> Int {
      let cpu = CPU(compiler: KernelCompiler(cache: cache, math: CMath.source))
      let function = try compile([x], to: [exp(x) * 3], on: cpu)
      #expect(try function(NDArray(zeros: [2]))[0].doubles == [3, 3])
      return cache.compilations
    }
    let cache = CompileCache(folder: folder.path)
    #expect(try run(cache) == 1)
    #expect(try run(cache) == 1)
    #expect(try run(CompileCache(folder: folder.path)) == 0)
  }
}
