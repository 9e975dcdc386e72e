import AgnesiArrays
import CAgnesiFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension Picture {
  /// Writes the picture as a PNG (`.png`) or JPEG file (`.jpg`, `.jpeg`), as its name says; beside and
  /// renamed, so that nobody sees half a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - quality: of a JPEG, 1 (small) to 100 (exact); others are brought into this range.
  /// - Throws: ``FileError`` where the file cannot be written; ``FormatError`` for another name, or a
  ///   JPEG with a side of more than 65,500 pixels.
  public func write(to path: String, quality: Int = 90) throws {
    switch try Self.checkFormat(of: path) {
    case .png: try AtomicFile.write(png, to: path)
    case .jpeg:
      guard let bytes = jpeg(quality: quality) else {
        throw FormatError(
          .write, path: path, format: "JPEG", reason: "\(width) × \(height) pixels are too large")
      }
      try AtomicFile.write(bytes, to: path)
    }
  }

  /// What a picture is written as.
  public enum FileFormat: Sendable { case png, jpeg }

  /// The format that a file's name asks for; to be known before the work is done.
  ///
  /// - Throws: ``FormatError`` where it asks for none that is written.
  @discardableResult
  public static func checkFormat(of path: String) throws(FormatError) -> FileFormat {
    let name = path.lowercased()
    if name.hasSuffix(".png") { return .png }
    if name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") { return .jpeg }
    throw FormatError(
      .write, path: path, format: "a picture",
      reason: "its name ends neither in .png nor in .jpg or .jpeg")
  }

  /// The picture as a JPEG file; nil where a side is longer than 65,500 pixels.
  ///
  /// - Parameter quality: 1 (small) to 100 (exact); others are brought into this range.
  public func jpeg(quality: Int = 90) -> [UInt8]? {
    var size = 0
    let file = agnesi_encode_jpeg(
      samples, width, height, channels, Int32(min(max(quality, 1), 100)), &size)
    guard let file else { return nil }
    defer { free(file) }
    return Array(UnsafeBufferPointer(start: file, count: size))
  }
}
