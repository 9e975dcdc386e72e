import AgnesiArrays
import TestSupport
import Testing

@Suite struct StrictJSONTests {
  private func parse(_ text: String) throws -> StrictJSON { try StrictJSON(Array(text.utf8)) }

  private func string(_ text: String) throws -> String {
    guard case .string(let result) = try parse(text) else { return "not a string" }
    return result
  }

  @Test func keepsOrderAndSpelling() throws {
    guard case .object(let members) = try parse(#" {"b": 1.50, "a": [true, null, -2e3]} "#),
      case .number(let digits) = members[0].value, case .array(let items) = members[1].value,
      case .bool(true) = items[0], case .null = items[1], case .number("-2e3") = items[2]
    else {
      Issue.record("parsed to something else")
      return
    }
    #expect(members.map(\.key) == ["b", "a"])
    #expect(digits == "1.50")
  }

  @Test func readsEscapes() throws {
    #expect(try string(#""\"\\\/\b\f\n\r\t\u00e9\ud83c\udf5d""#) == "\"\\/\u{8}\u{c}\n\r\té🍝")
    #expect(try string("\"é🍝\"") == "é🍝")
  }

  @Test(arguments: ["", "plain", "\"\\\n\r\t\u{1}\u{1f}", "é🍝\u{2028}", "\u{0}"])
  func quotedTextsAreReadBack(text: String) throws {
    #expect(try string(StrictJSON.quoted(text)) == text)
  }

  @Test(arguments: [
    ("", "a value is missing at byte 0"),
    ("{} {}", "other text follows the value at byte 3"),
    (#"{"a":1,"a":2}"#, #"the name "a" occurs twice at byte 7"#),
    (#"{"a":1,"\u0061":2}"#, #"the name "a" occurs twice at byte 7"#),
    (#"{"a" 1}"#, "':' is missing at byte 5"),
    (#"{"a":1"#, "'}' is missing at byte 6"),
    (#"{"a":1,}"#, "a name in quotes is missing at byte 7"),
    ("{a:1}", "a name in quotes is missing at byte 1"),
    ("[1 2]", "']' is missing at byte 3"),
    ("[1,]", "a value is missing at byte 3"),
    ("nul", "a value is missing at byte 0"),
    ("\"abc", "a string has no end at byte 0"),
    ("\"a\nb\"", "a control character stands in a string at byte 2"),
    (#""\x""#, "an escape is unknown at byte 1"),
    (#""\u12g4""#, "an escape is unknown at byte 1"),
    (#""\ud800""#, "half of a surrogate pair stands alone at byte 1"),
    (#""\udc00\ud800""#, "half of a surrogate pair stands alone at byte 1"),
    (#""\"#, "an escape is unknown at byte 1"),
  ])
  func wrongTextsAreNamed(text: String, expected: String) {
    #expect(errorText { _ = try parse(text) } == expected)
  }

  @Test func deepNestingIsRefused() {
    let text = String(repeating: "[", count: 100_000)
    #expect(errorText { _ = try parse(text) } == "values nest too deeply at byte 8")
  }

  @Test func otherEncodingsAreRefused() {
    #expect(
      errorText { _ = try StrictJSON([0x22, 0xff, 0x22]) } == "a string is not UTF-8 at byte 0")
  }
}
