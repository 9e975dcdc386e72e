import AgnesiArrays
import Foundation
import Testing

@Suite struct SeparatedValuesTests {
  private func rows(_ text: String) throws -> [[String]] {
    try SeparatedValues(text, path: "t.csv", format: "a table").rows.map(\.fields)
  }

  @Test(arguments: [",", ";", "\t"])
  func separatorsAreFoundOut(separator: String) throws {
    let text = "file,label\r\na.jpg,x\r\n".replacing(",", with: separator)
    #expect(try rows(text) == [["file", "label"], ["a.jpg", "x"]])
    let table = try SeparatedValues(text, path: "t", format: "a table")
    #expect(String(table.separator) == separator)
  }

  /// The first line decides; what it holds in quotes does not.
  @Test func otherSignsAreText() throws {
    #expect(try rows("file;label\na,b.jpg;x") == [["file", "label"], ["a,b.jpg", "x"]])
    #expect(try rows("\"a;b;c\",d\n1,2") == [["a;b;c", "d"], ["1", "2"]])
    #expect(try rows("sep=;\r\na;b,c") == [["a", "b,c"]])
    #expect(try rows("one\ntwo,three") == [["one"], ["two", "three"]])
  }

  @Test func quotesAreThoseOfSpreadsheets() throws {
    #expect(
      try rows("\"a, b\",\"he said \"\"no\"\"\"\n\"two\r\nlines\",\"\"\n")
        == [["a, b", "he said \"no\""], ["two\r\nlines", ""]])
    // In the middle of a field a quote is a sign like any other.
    #expect(try rows("5\" pipe.jpg,x") == [["5\" pipe.jpg", "x"]])
    #expect(try rows(" a , \" b \" ,c\t") == [["a", " b ", "c"]])
    let error = #expect(throws: FormatError.self) { try rows("a,b\n\n\"c,d\ne,f") }
    #expect(
      error?.description == "cannot read t.csv as a table: line 3 has a quote that is never closed")
  }

  @Test func emptyRowsAreLeftOutAndLinesCounted() throws {
    let text = "a,b,,\n,,,\r\r\n\"x\ny\",1\nz,2"
    let table = try SeparatedValues(text, path: "t", format: "a table")
    #expect(
      table.rows == [
        .init(line: 1, fields: ["a", "b", "", ""]), .init(line: 4, fields: ["x\ny", "1"]),
        .init(line: 6, fields: ["z", "2"]),
      ])
    #expect(try rows("").isEmpty)
  }
}

@Suite struct TextFileTests {
  private func text(_ bytes: [UInt8]) throws -> String {
    try TextFile.text(bytes, path: "x.txt", format: "a list")
  }

  @Test func marksAreLeftOut() throws {
    #expect(try text(Array("\u{FEFF}né\n".utf8)) == "né\n")
    let units = Array("\u{FEFF}né🦚".utf16)
    let small = units.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    let great = units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    #expect(try text(small) == "né🦚")
    #expect(try text(great) == "né🦚")
    #expect(try text([]).isEmpty)
  }

  @Test func whatIsNoTextIsSaid() throws {
    func error(_ bytes: [UInt8]) -> String? {
      #expect(throws: FormatError.self) { try text(bytes) }?.reason
    }
    #expect(error([0xff, 0xfe, 0x41]) == "it is UTF-16 of 3 bytes, which are not pairs")
    #expect(
      error([0xff, 0xfe, 0x00, 0xd8]) == "it is UTF-16 with a half of a surrogate pair")
    #expect(
      error([0x41, 0x00]) == "it holds zero bytes, as UTF-16 does, but has no byte-order mark")
  }
}
