import AgnesiArrays
import Foundation

/// Unpacks tar archives that may be hostile: plain files and folders only, inside of one folder.
///
/// - Source: POSIX.1-1988 (ustar), "tar Interchange Format".
package struct TarArchive {
  private static let blockSize = 512

  private let file: InputFile
  private let folder: String
  /// Bytes that may still be unpacked.
  private var allowance: Int

  /// Unpacks an archive, gzipped or not.
  ///
  /// - Parameters:
  ///   - folder: a folder that does not exist yet; where unpacking fails, it may hold a part.
  ///   - limit: the most bytes that the files may take together.
  /// - Throws: `FormatError` where the archive is cut short or damaged, or an entry is no plain
  ///   file or folder, or would lie outside of `folder`.
  package static func unpack(_ path: String, into folder: String, limit: Int) throws {
    var archive = TarArchive(file: try InputFile(path), folder: folder, allowance: limit)
    try Folders.make(folder)
    while let entry = try archive.nextEntry() { try archive.unpack(entry) }
  }

  private struct Entry {
    let name: String
    let size: Int
    let type: UInt8
  }

  private mutating func unpack(_ entry: Entry) throws {
    switch entry.type {
    case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
      try Folders.make(SystemCalls.folder(of: "\(folder)/\(entry.name)"))
      try AtomicFile.replace("\(folder)/\(entry.name)") { file in
        try copy(entry.size) { try file.write($0) }
      }
    case UInt8(ascii: "5"): try Folders.make("\(folder)/\(entry.name)")
    // Comments for the whole archive, as git writes them.
    case UInt8(ascii: "g"): try copy(entry.size) { _ in }
    case UInt8(ascii: "1"), UInt8(ascii: "2"):
      throw error("its entry \(entry.name) is a link, which is never unpacked")
    default:
      let type = Character(Unicode.Scalar(entry.type))
      throw error("its entry \(entry.name) has the type \"\(type)\", which is not unpacked")
    }
  }

  private func nextEntry() throws -> Entry? {
    let block = try file.read(upTo: Self.blockSize)
    guard block.count == Self.blockSize else { throw error("it is cut short") }
    if block.allSatisfy({ $0 == 0 }) { return nil }
    guard number(block[148..<156]) == checksum(block) else {
      throw error("the checksum of an entry is wrong")
    }
    guard let size = number(block[124..<136]) else {
      throw error("the size of an entry is not a number")
    }
    let isUstar = block[257..<262].elementsEqual("ustar".utf8)
    let prefix = isUstar ? text(block[345..<500]) : ""
    let name = text(block[0..<100])
    return Entry(
      name: try safeName(prefix.isEmpty ? name : "\(prefix)/\(name)"), size: size,
      type: block[156])
  }

  /// The name without "." and doubled slashes.
  private func safeName(_ name: String) throws -> String {
    let parts = name.split(separator: "/").filter { $0 != "." }
    if name.hasPrefix("/") || parts.contains("..") {
      throw error("its entry \(name) would lie outside of the folder")
    }
    if name.isEmpty { throw error("an entry has no name") }
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  private mutating func copy(
    _ size: Int, to write: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard size <= allowance else { throw error("it unpacks to more bytes than are allowed here") }
    allowance -= size
    var left = size
    while left > 0 {
      let part = try file.read(upTo: min(left, 1 << 20))
      if part.isEmpty { throw error("it is cut short") }
      try part.withUnsafeBytes { try write($0) }
      left -= part.count
    }
    let padding = (Self.blockSize - size % Self.blockSize) % Self.blockSize
    if try file.read(upTo: padding).count < padding { throw error("it is cut short") }
  }

  private func checksum(_ block: [UInt8]) -> Int {
    // The checksum's own place counts as spaces.
    block.enumerated().reduce(0) { $0 + (148..<156 ~= $1.offset ? 0x20 : Int($1.element)) }
  }

  /// An octal number that spaces or zeros surround.
  private func number(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = text(field).trimmingCharacters(in: .whitespaces)
    return digits.allSatisfy(\.isNumber) ? Int(digits, radix: 8) : nil
  }

  private func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  private func error(_ reason: String) -> FormatError {
    FormatError(path: file.path, format: "tar", reason: reason)
  }
}
