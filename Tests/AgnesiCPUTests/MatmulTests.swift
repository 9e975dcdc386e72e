import CAgnesi
import Testing

@Suite struct MatmulTests {
  /// The product by three loops, in float64.
  private func product(_ it: agnesi_matmul, _ a: [Double], _ b: [Double], _ c: [Double]) -> [Double]
  {
    var result = c
    for batch in 0..<Int(it.batch) {
      let (baseA, baseB) = (batch * Int(it.batch_a), batch * Int(it.batch_b))
      let baseC = batch * Int(it.batch_c)
      for (i, j) in pairs(Int(it.m), Int(it.n)) {
        var sum = 0.0
        for k in 0..<Int(it.k) {
          let placeA = it.transpose_a ? k * Int(it.row_a) + i : i * Int(it.row_a) + k
          let placeB = it.transpose_b ? j * Int(it.row_b) + k : k * Int(it.row_b) + j
          sum += a[baseA + placeA] * b[baseB + placeB]
        }
        let place = baseC + i * Int(it.row_c) + j
        result[place] = it.alpha * sum + (it.beta == 0 ? 0 : it.beta * result[place])
      }
    }
    return result
  }

  /// A description whose rows are longer than they need be by `slack`.
  private func describe(
    _ m: Int, _ n: Int, _ k: Int, transposed: (Bool, Bool), batch: Int = 1, slack: Int = 0
  ) -> agnesi_matmul {
    var it = agnesi_matmul()
    (it.transpose_a, it.transpose_b) = transposed
    (it.m, it.n, it.k) = (Int64(m), Int64(n), Int64(k))
    it.row_a = Int64((transposed.0 ? m : k) + slack)
    it.row_b = Int64((transposed.1 ? k : n) + slack)
    it.row_c = Int64(n + slack)
    it.batch = Int64(batch)
    it.batch_a = Int64(transposed.0 ? k : m) * it.row_a
    it.batch_b = Int64(transposed.1 ? n : k) * it.row_b
    it.batch_c = Int64(m) * it.row_c
    (it.alpha, it.beta) = (1, 0)
    return it
  }

  private func check(_ description: agnesi_matmul) {
    var it = description
    let sizes = [
      max(it.batch_a, it.m * it.row_a, it.k * it.row_a),
      max(it.batch_b, it.k * it.row_b, it.n * it.row_b), max(it.batch_c, it.m * it.row_c),
    ]
    let counts = sizes.map { Int($0 * max(it.batch, 1)) + 1 }
    let (a, b) = (numbers(counts[0], "a"), numbers(counts[1], "b"))
    // With beta = 0, what was there must not be read.
    let c = it.beta == 0 ? [Float](repeating: .nan, count: counts[2]) : numbers(counts[2], "c")
    var expected = product(it, a.map(Double.init), b.map(Double.init), c.map(Double.init))
    var largest = 0.0
    if it.is_double {
      var (a, b, c) = (a.map(Double.init), b.map(Double.init), c.map(Double.init))
      #expect(call(&it, &a, &b, &c) == 0)
      largest = zip(c, expected).map { $0.isNaN && $1.isNaN ? 0 : abs($0 - $1) }.max() ?? 0
    } else {
      var (a, b, c) = (a, b, c)
      #expect(call(&it, &a, &b, &c) == 0)
      expected = expected.map { Double(Float($0)) }
      largest =
        zip(c, expected).map { $0.isNaN && $1.isNaN ? 0 : abs(Double($0) - $1) }.max() ?? 0
    }
    #expect(largest < (it.is_double ? 1e-12 : 1e-5) * Double(max(it.k, 1)))
  }

  private func call<Value>(
    _ it: inout agnesi_matmul, _ a: inout [Value], _ b: inout [Value], _ c: inout [Value]
  ) -> Int32 {
    a.withUnsafeMutableBytes { a in
      b.withUnsafeMutableBytes { b in
        c.withUnsafeMutableBytes { c in
          let addresses = [a.baseAddress, b.baseAddress, c.baseAddress]
          return callOnExecutor(agnesi_matmul_call, &it, addresses)
        }
      }
    }
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 7), (17, 1, 9), (1, 19, 33), (70, 65, 68), (10, 130, 257)])
  func allTransposes(_ m: Int, _ n: Int, _ k: Int) {
    for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
      for library in [agnesi_matmul_auto, agnesi_matmul_onednn, agnesi_matmul_openblas] {
        for slack in [0, 3] {
          var it = describe(m, n, k, transposed: (left, right), slack: slack)
          it.library = Int32(bitPattern: library.rawValue)
          check(it)
          (it.alpha, it.beta) = (0.5, -2)
          check(it)
        }
      }
      var double = describe(m, n, k, transposed: (left, right), slack: 1)
      double.is_double = true
      check(double)
    }
  }

  @Test(arguments: [(0, 3, 2), (3, 0, 2), (3, 2, 0), (0, 0, 0)])
  func emptySizes(_ m: Int, _ n: Int, _ k: Int) {
    for isDouble in [false, true] {
      var it = describe(m, n, k, transposed: (false, false))
      it.is_double = isDouble
      check(it)
      it.beta = 0.5
      check(it)
    }
  }

  @Test(arguments: [0, 1, 2, 5])
  func batches(_ batch: Int) {
    check(describe(4, 5, 6, transposed: (false, true), batch: batch, slack: 2))
    check(describe(120, 90, 100, transposed: (true, false), batch: batch))
    var shared = describe(7, 8, 9, transposed: (false, false), batch: batch)
    shared.batch_b = 0
    check(shared)
  }

  @Test func refusesContradictions() {
    var values: [Float] = [0, 0, 0, 0]
    var others = values
    var result = values
    func status(_ change: (inout agnesi_matmul) -> Void) -> Int32 {
      var it = describe(2, 2, 2, transposed: (false, false), batch: 1)
      change(&it)
      return call(&it, &values, &others, &result)
    }
    #expect(status { _ in } == 0)
    #expect(status { $0.row_a = 1 } == 1)
    #expect(status { $0.m = -1 } == 1)
    #expect(status { $0.n = 1 << 40 } == 1)
    #expect(status { ($0.batch, $0.batch_c) = (2, 0) } == 1)
  }
}
