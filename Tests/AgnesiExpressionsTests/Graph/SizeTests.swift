import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

@Suite struct SizeTests {
  private let n = Size.symbol("n")
  private let m = Size.symbol("m")

  @Test func equalFormulasAreEqualValues() {
    #expect(n * 2 - n == n)
    #expect((n + m) * (n - m) == n * n - m * m)
    #expect(n + m == m + n)
    #expect(n - n == 0)
    #expect((n + 1) * (n + 1) == n * n + n * 2 + 1)
  }

  @Test func quotientsAreExactWhereTheyCanBe() {
    #expect(n * 6 / 3 == n * 2)
    #expect(n * m / m == n)
    #expect((n * 4 + 2) / 2 == n * 2 + 1)
    #expect(n / n == 1)
    #expect(n * m % m == 0)
    #expect(Size(7) / 2 == 3)
    #expect(Size(-7) / 2 == -4)
    #expect(Size(-7) % 2 == 1)
  }

  @Test func otherQuotientsWaitForValues() {
    let half = (n + 1) / 2
    #expect(half.known == nil)
    #expect(half.evaluated(["n": 6]) == 3)
    #expect(half.evaluated(["n": 7]) == 4)
    #expect(half.substituting(["n": 9]) == 5)
    #expect(half.evaluated([:]) == nil)
    #expect((n / m).evaluated(["n": 5, "m": 0]) == nil)
  }

  /// Every small quotient and remainder against the definition.
  @Test func floorDivisionIsThatOfMathematics() throws {
    try withEvery("a", -6...6) { a in
      try withEvery("b", [-3, -2, -1, 1, 2, 3]) { b in
        let quotient = Size(a) / Size(b)
        let remainder = Size(a) % Size(b)
        let expected = (Double(a) / Double(b)).rounded(.down)
        try require(quotient.known == Int(expected), "\(quotient)")
        try require(quotient * Size(b) + remainder == Size(a), "remainder \(remainder)")
      }
    }
  }

  @Test func textIsAsPeopleWriteIt() {
    #expect((n * 2 + 1).description == "n * 2 + 1")
    #expect((m - n * 3 - 4).description == "m - n * 3 - 4")
    #expect((Size(0) - n).description == "-n")
    #expect(((n + 1) / 2).description == "((n + 1) / (2))")
    #expect(Size(-3).description == "-3")
  }

  @Test func namesThatMayBeTheSameNumber() {
    #expect(n.mayEqual(5))
    #expect(n.mayEqual(m))
    #expect(!Size(4).mayEqual(5))
    #expect((n + m).symbols == ["n", "m"])
    #expect(((n + 1) / (m * 2)).symbols == ["n", "m"])
  }
}
