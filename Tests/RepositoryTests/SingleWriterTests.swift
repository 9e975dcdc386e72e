import Testing

/// What must stand in one place.
@Suite struct SingleWriterTests {
  /// Elsewhere somebody would forget NaN.
  @Test func jsonHasOneWriterAndOneReader() throws {
    let coders = try Repository.sources.filter { path in
      guard path.hasPrefix("Sources/") else { return false }
      let text = try Repository.text(path)
      return text.contains("JSONEncoder(") || text.contains("JSONDecoder(")
    }
    #expect(coders == ["Sources/AgnesiArrays/Files/JSONText.swift"])
  }
}
