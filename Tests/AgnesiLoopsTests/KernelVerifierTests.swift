import AgnesiArrays
import AgnesiLoops
import Testing

private let i = Size.symbol("i")

/// What the verifier says about `body`, with a float32 input, a float16 output and an int32 input.
private func problem(_ body: [Statement], name: String = "k") -> String {
  let kernel = Kernel(
    name: name,
    arguments: [
      .init(.float32, isWritten: false), .init(.float16, isWritten: true),
      .init(.int32, isWritten: false),
    ], body: body)
  do {
    try kernel.verify()
    return "none"
  } catch {
    return error.description
  }
}

private func store(_ value: Scalar) -> Statement {
  .store(.argument(1), index: .index(0), value: value)
}

private func load(_ argument: Int, _ dtype: DType) -> Scalar {
  .load(.argument(argument), .index(0), dtype)
}

private let x = load(0, .float32)

@Suite struct KernelVerifierTests {
  @Test func whatIsAllowed() {
    #expect(problem([store(x)]) == "none")
    // A 16-bit float is loaded as float32; what is rounded already may be stored as well.
    #expect(problem([store(load(1, .float32) + x)]) == "none")
    #expect(problem([store(x.cast(to: .float16))]) == "none")
    #expect(
      problem([
        .loop(.init("i", 3, isParallel: true, body: [.loop(.init("j", i + 1, body: [store(x)]))]))
      ]) == "none")
    // Siblings may use one name twice.
    let loop = Statement.loop(
      .init(
        "i", 3,
        body: [
          .define(0, x), .assign(0, x), .scratch(0, .int8, count: 1), store(.local(0, .float32)),
        ]))
    #expect(problem([loop, loop]) == "none")
    #expect(
      problem([
        .define(0, x),
        .reduce(.init("k", 3, folds: [.init(local: 0, combiner: .sum, value: x)])),
      ]) == "none")
  }

  @Test func names() {
    #expect(problem([], name: "a-b") == "kernel a-b: the name is no C identifier")
    #expect(problem([], name: "3d") == "kernel 3d: the name is no C identifier")
    #expect(
      problem([store(.local(3, .float32))])
        == "kernel k: local l3 is not defined\n  in a1[0] = l3")
    #expect(
      problem([.assign(3, x)]) == "kernel k: local l3 is not defined\n  in l3 = a0[0]")
    #expect(
      problem([.define(0, x), .define(0, x)])
        == "kernel k: local l0 is defined twice\n  in var l0: float32 = a0[0]")
    #expect(
      problem([.scratch(0, .int8, count: 1), .scratch(0, .int8, count: 1)])
        == "kernel k: scratch s0 is defined twice\n  in scratch s0: int8[1]")
    #expect(
      problem([.when(.constant(1, .bool), [.define(0, x)]), store(.local(0, .float32))])
        == "kernel k: local l0 is not defined\n  in a1[0] = l0")
    #expect(
      problem([.loop(.init("i", 3, body: [.loop(.init("i", 3, body: []))]))])
        == "kernel k: loop variable i is already in use\n  in for i in 0..<3")
    #expect(
      problem([
        .loop(.init("i", 3, body: [])),
        .store(.argument(1), index: .index(i), value: x),
      ]) == "kernel k: loop variable i is used outside of its loop\n  in a1[i] = a0[0]")
  }

  @Test func buffers() {
    #expect(
      problem([store(load(3, .float32))]) == "kernel k: argument a3 of 3\n  in a1[0] = a3[0]")
    #expect(
      problem([.store(.argument(0), index: .index(0), value: x)])
        == "kernel k: argument a0 is stored to but not written\n  in a0[0] = a0[0]")
    #expect(
      problem([.store(.scratch(0), index: .index(0), value: x)])
        == "kernel k: scratch s0 is not defined\n  in s0[0] = a0[0]")
    #expect(
      problem([.scratch(0, .float32, count: 0)])
        == "kernel k: scratch s0 has 0 elements\n  in scratch s0: float32[0]")
    #expect(
      problem([.store(.argument(1), index: load(2, .int32), value: x)])
        == "kernel k: the index of a1 is int32, not int64\n  in a1[a2[0]] = a0[0]")
  }

  @Test func dtypes() {
    #expect(
      problem([store(load(2, .int32))])
        == "kernel k: a1 holds float16, the value is int32\n  in a1[0] = a2[0]")
    #expect(
      problem([store(load(1, .float16))])
        == "kernel k: a1 holds float16, loaded as float16\n  in a1[0] = a1[0]")
    #expect(
      problem([store(x + load(2, .int32))])
        == "kernel k: add of float32 and int32\n  in a1[0] = (a0[0] + a2[0])")
    #expect(
      problem([store(load(2, .int32)(.exp))])
        == "kernel k: exp is not defined for int32\n  in a1[0] = exp(a2[0])")
    #expect(
      problem([store(x .& x)])
        == "kernel k: and is not defined for float32\n  in a1[0] = (t0 & t0) where t0 = a0[0]")
    #expect(
      problem([store(.select(x, x, x))])
        == "kernel k: select by float32, not bool\n  in a1[0] = select(t0, t0, t0) where t0 = a0[0]"
    )
    #expect(
      problem([store(.select(x .== x, x, load(2, .int32)))])
        == """
        kernel k: select of float32 and int32 as float32
          in a1[0] = select((t0 == t0), t0, a2[0]) where t0 = a0[0]
        """)
    #expect(
      problem([.when(x, [])]) == "kernel k: the condition is float32, not bool\n  in when a0[0]")
    #expect(
      problem([.define(0, x), .assign(0, load(2, .int32))])
        == "kernel k: local l0 is float32, the value int32\n  in l0 = a2[0]")
    #expect(
      problem([.define(0, x), store(.local(0, .int32).cast(to: .float32))])
        == "kernel k: local l0 is float32, read as int32\n  in a1[0] = float32(l0)")
    #expect(
      problem([.define(0, x.cast(to: .bfloat16))])
        == """
        kernel k: a local of bfloat16, which is for storage only
          in var l0: bfloat16 = bfloat16(a0[0])
        """)
    #expect(
      problem([store(x.cast(to: .float16)(.exp))])
        == "kernel k: exp is not defined for float16\n  in a1[0] = exp(float16(a0[0]))")
    #expect(
      problem([.define(0, .constant(300, .uint8))])
        == "kernel k: constant 300.0 is no uint8\n  in var l0: uint8 = 300")
    #expect(
      problem([.define(0, .random(key: 0, low: x, high: .index(0), word: 0))])
        == """
        kernel k: random words at counters float32, int64, not int64
          in var l0: uint32 = random(0x0, a0[0], 0, 0)
        """)
  }

  @Test func loops() {
    let parallel = Statement.loop(.init("i", 3, isParallel: true, body: []))
    let text = "a parallel loop is not the single outermost statement"
    #expect(problem([parallel, store(x)]) == "kernel k: \(text)\n  in parallel for i in 0..<3")
    #expect(
      problem([.loop(.init("j", 3, body: [parallel]))])
        == "kernel k: \(text)\n  in parallel for i in 0..<3")
    #expect(problem([.loop(.init("j", 3, isParallel: true, body: [parallel]))]) == "none")
    #expect(
      problem([.loop(.init("j", 3, isParallel: true, body: [parallel, store(x)]))])
        == "kernel k: \(text)\n  in parallel for i in 0..<3")
  }

  @Test func tiles() {
    func tiles(_ step: Int, _ body: [Statement], isParallel: Bool = false) -> Statement {
      .tiles(
        .init(
          rows: .init("i", 3, by: step), columns: .init("j", 4, by: 2), isParallel: isParallel,
          body: body))
    }
    let place = "\n  in tiles for i in 0..<3 by 0, j in 0..<4 by 2"
    #expect(
      problem([tiles(0, [])]) == "kernel k: tiles of 0 iterations of i\(place)")
    let text = "a parallel loop is not the single outermost statement"
    #expect(problem([tiles(2, [], isParallel: true), store(x)]).hasPrefix("kernel k: \(text)"))
    let inner = Statement.loop(.init("j", 2, body: []))
    #expect(problem([tiles(2, [inner])]).contains("loop variable j is already in use"))
  }

  @Test func reductions() {
    func fold(_ combiner: Combiner, _ value: Scalar, twice: Bool = false) -> String {
      let fold = Statement.Reduction.Fold(local: 0, combiner: combiner, value: value)
      return problem([.define(0, x), .reduce(.init("k", 3, folds: twice ? [fold, fold] : [fold]))])
    }
    let place = "\n  in reduce k in 0..<3"
    #expect(fold(.sum, .index(.symbol("k")).cast(to: .float32)) == "none")
    #expect(
      fold(.sum, load(2, .int32)) == "kernel k: local l0 is float32, the value int32\(place)")
    #expect(fold(.any, x) == "kernel k: any is not defined for float32\(place)")
    #expect(fold(.sum, x, twice: true) == "kernel k: two folds have one local\(place)")
    #expect(
      fold(.sum, .local(0, .float32))
        == "kernel k: a folded value reads local l0, which is being folded\(place)")
  }
}
