import AgnesiArrays
import Foundation
import Testing

@Suite struct JSONTextTests {
  private struct Values: Codable, Equatable {
    var b: [Double]
    var a: Float
    var path = "one/two"
  }

  private let values = Values(b: [.infinity, 1.5, -.infinity], a: .nan)

  @Test func inFilesOfOurOwnEveryNumberComesBack() throws {
    let text = try JSONText.encoded(values)
    #expect(text == #"{"a":"nan","b":["inf",1.5,"-inf"],"path":"one/two"}"#)
    let read: Values = try JSONText.decoded(from: text)
    #expect(read.b == values.b && read.a.isNaN && read.path == values.path)
  }

  @Test func forOtherProgramsItIsNull() throws {
    let text = try JSONText.encoded(values, nonFinite: .null)
    #expect(text == #"{"a":null,"b":[null,1.5,null],"path":"one/two"}"#)
    #expect(try JSONSerialization.jsonObject(with: Data(text.utf8)) is [String: Any])
  }

  /// A text that reads like a number stays a text.
  @Test func textsAreLeftAlone() throws {
    for nonFinite in [JSONText.NonFinite.named, .null] {
      #expect(try JSONText.encoded(["nan", "null"], nonFinite: nonFinite) == #"["nan","null"]"#)
    }
  }
}
