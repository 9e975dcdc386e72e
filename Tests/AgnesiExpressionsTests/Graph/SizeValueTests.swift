import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct SizeValueTests {
  private static var formula: Size { 3 * .symbol("batch") / .symbol("parts") }

  @Test func formulasOfKnownSizesAreNumbers() {
    #expect(Self.formula.value(in: ["batch": 4, "parts": 2]) == 6)
    #expect(Self.formula.value(in: ["batch": 0, "parts": 0]) == 0)
  }

  /// A 0 in its place would be a kernel that computes nothing and results that nobody wrote.
  @Test func aMissingSizeIsAnInternalError() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = SizeValueTests.formula.value(in: ["batch": 4])
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains("please report it: the size parts in "), "\(text)")
    #expect(text.contains(" is not known: "), "\(text)")
  }
}
