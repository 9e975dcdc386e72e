import AgnesiArrays
import CAgnesiFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The colours that a file's are turned into.
public enum PictureColor: Sendable, Hashable {
  /// Three channels; a grey file has the same in each.
  case rgb
  /// One channel; of coloured files the luma of ITU-R 601: 0.299 red, 0.587 green, 0.114 blue.
  case grey
}

extension Picture {
  /// The picture in a JPEG, PNG, WebP, GIF, TIFF or BMP file; the first of several.
  ///
  /// It stands upright, as EXIF says. What is transparent lies on white; of 16 bits the upper eight
  /// are taken; inks become light without a colour profile. The pixels of a JPEG are those of
  /// libjpeg-turbo's exact settings, so equal to those that Pillow reads.
  ///
  /// The file is decoded in a process of its own within `limits`: whatever it holds, this process
  /// goes on.
  ///
  /// - Parameters:
  ///   - path: the file; its format is told by its first bytes, not by its name.
  ///   - color: one channel or three.
  ///   - limits: what decoding may take.
  ///   - shortSide: where only a small picture is needed: a JPEG may be read at a half, a quarter or an
  ///     eighth of its size (much faster) as long as its shorter side keeps this many pixels. The
  ///     pixels then differ a little from those of the full size made smaller.
  /// - Throws: ``ImageFileError``.
  public init(
    reading path: String, as color: PictureColor = .rgb, limits: DecodingLimits = .standard,
    reducedTo shortSide: Int? = nil
  ) throws(ImageFileError) {
    try self.init(
      PictureSource.opening(path, limits), name: path, as: color, limits: limits,
      reducedTo: shortSide)
  }

  /// The picture in the bytes of such a file.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: what an error calls it.
  /// - Throws: ``ImageFileError``.
  public init(
    decoding bytes: [UInt8], name: String, as color: PictureColor = .rgb,
    limits: DecodingLimits = .standard, reducedTo shortSide: Int? = nil
  ) throws(ImageFileError) {
    try self.init(
      PictureSource.holding(bytes, name: name), name: name, as: color, limits: limits,
      reducedTo: shortSide)
  }

  /// The same, decoded by other workers than the program's.
  package init(
    decoding bytes: [UInt8], name: String, limits: DecodingLimits, by workers: FileWorkers
  ) throws(ImageFileError) {
    try self.init(
      PictureSource.holding(bytes, name: name), name: name, as: .rgb, limits: limits,
      reducedTo: nil, by: workers)
  }

  private init(
    _ source: borrowing PictureSource, name: String, as color: PictureColor,
    limits: DecodingLimits, reducedTo shortSide: Int?, by workers: FileWorkers = .shared
  ) throws(ImageFileError) {
    var request = agnesi_request()
    request.kind = AGNESI_KIND_PICTURE
    request.seconds = UInt32(limits.seconds)
    request.memory = UInt64(limits.memory)
    request.numbers.0 = color == .grey ? 1 : 3
    request.numbers.1 = Int64(limits.mostPixels)
    request.numbers.2 = Int64(shortSide ?? 0)
    let answer = workers.ask(request, descriptor: source.descriptor)
    let width = Int(answer.answer.numbers.0)
    let height = Int(answer.answer.numbers.1)
    if answer.answer.status == AGNESI_STATUS_TOO_LARGE {
      throw ImageFileError(
        path: name,
        reason: "\(width) × \(height) pixels are more than the limit of \(limits.mostPixels)")
    }
    if let failure = answer.failure(limits) {
      throw ImageFileError(path: name, reason: failure.reason, hint: failure.hint)
    }
    let channels = color == .grey ? 1 : 3
    let (pixels, isTooMuch) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !isTooMuch, pixels <= limits.mostPixels,
      pixels * channels == answer.bytes.count
    else { throw ImageFileError(path: name, reason: "the process that decoded it is confused") }
    self.init(
      width: width, height: height, channels: channels, samples: Array(answer.bytes))
  }
}

/// A descriptor of what is to be decoded, not empty.
private struct PictureSource: ~Copyable {
  let descriptor: Int32

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  static func opening(
    _ path: String, _ limits: DecodingLimits
  ) throws(ImageFileError) -> PictureSource {
    // Opening a named pipe would otherwise wait for a writer for ever.
    let descriptor = SystemCalls.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else { throw ImageFileError(path: path, code: errno) }
    let source = PictureSource(descriptor: descriptor)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw ImageFileError(path: path, code: errno) }
    if status.isFolder { throw ImageFileError(path: path, reason: "it is a folder") }
    if status.isRegularFile {
      if status.st_size == 0 { throw ImageFileError(path: path, reason: "the file is empty") }
      return source
    }
    return try holding(try contents(of: source, path, limits), name: path)
  }

  static func holding(_ bytes: [UInt8], name: String) throws(ImageFileError) -> PictureSource {
    if bytes.isEmpty { throw ImageFileError(path: name, reason: "the file is empty") }
    let descriptor = bytes.withUnsafeBytes { agnesi_memory_with($0.baseAddress, $0.count) }
    guard descriptor >= 0 else { throw ImageFileError(path: name, code: errno) }
    return PictureSource(descriptor: descriptor)
  }

  /// A pipe's bytes, which cannot be mapped.
  private static func contents(
    of pipe: borrowing PictureSource, _ path: String, _ limits: DecodingLimits
  ) throws(ImageFileError) -> [UInt8] {
    let most = 1 << 30
    let step = 1 << 16
    var result: [UInt8] = []
    while true {
      var wanted = pollfd(fd: pipe.descriptor, events: Int16(POLLIN), revents: 0)
      let isReady = poll(&wanted, 1, Int32(clamping: limits.seconds * 1000))
      if isReady < 0, errno == EINTR { continue }
      if isReady == 0 {
        throw ImageFileError(
          path: path, reason: "nothing was written to it for \(limits.seconds) seconds")
      }
      let start = result.count
      result += [UInt8](repeating: 0, count: step)
      let count = result.withUnsafeMutableBytes { bytes in
        read(pipe.descriptor, bytes.baseAddress.map { $0 + start }, step)
      }
      if count < 0, errno != EINTR, errno != EAGAIN {
        throw ImageFileError(path: path, code: errno)
      }
      result.removeLast(step - max(count, 0))
      if count == 0 { return result }
      if result.count > most {
        throw ImageFileError(path: path, reason: "it does not end after \(most) bytes")
      }
    }
  }
}

extension ImageFileError {
  /// The error that the system's number stands for.
  fileprivate init(path: String, code: Int32) {
    self.init(
      path: path, reason: String(cString: strerror(code)),
      hint: NearestNames.hint(missing: path, code: code))
  }
}
