/// The text of small files that people and spreadsheets write.
package enum TextFile {
  /// The text of a file in UTF-8, or in UTF-16 with a byte-order mark, which is left out. Bytes that are
  /// no UTF-8 stay as ``FileName`` keeps them, because a file may name files.
  ///
  /// - Parameters:
  ///   - path: the file's name, for errors.
  ///   - format: what the text should be, for errors, such as "a list of classes".
  /// - Throws: ``FormatError`` where it is UTF-16 that is damaged or has no mark.
  package static func text(
    _ bytes: [UInt8], path: String, format: String
  ) throws(FormatError) -> String {
    func failure(_ reason: String) -> FormatError {
      FormatError(path: path, format: format, reason: reason)
    }
    let isSmallFirst = bytes.starts(with: [0xff, 0xfe])
    if isSmallFirst || bytes.starts(with: [0xfe, 0xff]) {
      guard bytes.count % 2 == 0 else {
        throw failure("it is UTF-16 of \(bytes.count) bytes, which are not pairs")
      }
      let units = stride(from: 2, to: bytes.count, by: 2).map { position -> UInt16 in
        let (first, second) = (UInt16(bytes[position]), UInt16(bytes[position + 1]))
        return isSmallFirst ? second << 8 | first : first << 8 | second
      }
      guard let text = String(validating: units, as: UTF16.self) else {
        throw failure("it is UTF-16 with a half of a surrogate pair")
      }
      return text
    }
    if bytes.contains(0) {
      throw failure("it holds zero bytes, as UTF-16 does, but has no byte-order mark")
    }
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    return FileName.decoded(bytes.starts(with: mark) ? bytes[3...] : bytes[...])
  }
}
