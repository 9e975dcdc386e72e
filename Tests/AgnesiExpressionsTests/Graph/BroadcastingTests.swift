import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

@Suite struct BroadcastingTests {
  private func sum(_ a: Shape, _ b: Shape) -> Tensor {
    Tensor.input("a", a) + Tensor.input("b", b)
  }

  @Test func sizesOfOneAndMissingAxesAreRepeated() {
    #expect(typeText(sum([3, 4], [4])) == "float32[3, 4]")
    #expect(typeText(sum([3, 1], [1, 5])) == "float32[3, 5]")
    #expect(typeText(sum([], [2, 2])) == "float32[2, 2]")
    #expect(typeText(sum([0, 3], [1, 3])) == "float32[0, 3]")
    #expect(typeText(sum([.batch, 3], [3])) == "float32[batch, 3]")
    #expect(typeText(sum([.batch, 1], [1, .symbol("n")])) == "float32[batch, n]")
  }

  @Test func aNumberIsKeptBesideAName() {
    #expect(typeText(sum([.batch, 3], [7, 3])) == "float32[7, 3]")
    #expect(typeText(sum([7, 3], [.batch, 3])) == "float32[7, 3]")
  }

  @Test func otherSizesAreAMistake() {
    #expect(
      mistakeText(sum([3, 4], [3])) == """
        add: ranks differ, 2 ≠ 1
          left   "a" float32[3, 4]
          right  "b" float32[3]
        """)
    #expect(
      mistakeText(sum([3, 4], [5, 4])) == """
        add: sizes of axis 0 differ, 3 ≠ 5
          left   "a" float32[3, 4]
          right  "b" float32[5, 4]
        """)
  }

  @Test func gradientsOfWhatWasRepeatedAreSummed() throws {
    let (a, b) = (Tensor.floats([1, 2, 3], [3, 1]), Tensor.floats([10, 20]))
    let gradients = gradient(of: (a * b).sum(), withRespectTo: [a, b])
    #expect(try computed(gradients[0]) == [30, 30, 30])
    #expect(try computed(gradients[1]) == [6, 6])
    #expect(typeText(gradients[0]) == "float32[3, 1]")
  }
}

@Suite struct PromotionTests {
  private func promoted(_ a: DType, _ b: DType) -> DType {
    (Tensor.input("a", [2], a) + Tensor.input("b", [2], b)).dtype
  }

  @Test func aFloatMeetsAnInteger() {
    #expect(promoted(.float32, .int64) == .float32)
    #expect(promoted(.int32, .float16) == .float16)
    #expect(promoted(.bool, .bfloat16) == .bfloat16)
  }

  @Test func twoFloats() {
    #expect(promoted(.float32, .float64) == .float64)
    #expect(promoted(.float16, .bfloat16) == .float32)
    #expect(promoted(.float16, .float32) == .float32)
  }

  @Test func twoIntegers() {
    #expect(promoted(.int8, .int32) == .int32)
    #expect(promoted(.uint8, .int8) == .int16)
    #expect(promoted(.uint8, .int32) == .int32)
    #expect(promoted(.uint32, .int32) == .int64)
    #expect(promoted(.uint64, .int8) == .int64)
    #expect(promoted(.bool, .uint8) == .uint8)
  }

  @Test func theOrderDoesNotMatter() throws {
    try withEvery("a", DType.allCases) { a in
      try withEvery("b", DType.allCases) { b in
        let both = DType.promoted(a, b)
        try require(both == DType.promoted(b, a), "\(both)")
        try require(DType.promoted(both, a) == both, "\(both) is not wide enough")
      }
    }
  }

  @Test func aNumberTakesTheTensorsDType() {
    #expect((Tensor.input("x", [2], .int8) + 1).dtype == .int8)
    #expect((Tensor.input("x", [2], .int8) + 1.5).dtype == .float32)
    #expect((Tensor.input("x", [2], .float16) * 2.5).dtype == .float16)
    #expect((Tensor.input("x", [2], .bool) + 1).dtype == .int32)
    #expect((Tensor.input("x", [2], .int32) / 2).dtype == .float32)
  }
}
