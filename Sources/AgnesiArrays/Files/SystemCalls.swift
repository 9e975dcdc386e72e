#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The few system calls that files need, repeated when a signal interrupts them.
package enum SystemCalls {
  /// More than this in one call is refused on some systems.
  private static let largestTransfer = 1 << 30

  /// Writes all of `bytes`; returns the system's error number, or nil when it is done.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
    var done = 0
    while done < bytes.count {
      guard let base = bytes.baseAddress else { return nil }
      let size = min(bytes.count - done, largestTransfer)
      #if canImport(Glibc)
        let written = Glibc.write(descriptor, base + done, size)
      #else
        let written = Darwin.write(descriptor, base + done, size)
      #endif
      if written < 0 {
        if errno == EINTR { continue }
        return errno
      }
      done += written
    }
    return nil
  }

  /// Fills `buffer` as far as the file goes; -1 with `errno` set on failure.
  package static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var done = 0
    while done < buffer.count {
      guard let base = buffer.baseAddress else { return done }
      let size = min(buffer.count - done, largestTransfer)
      #if canImport(Glibc)
        let count = Glibc.read(descriptor, base + done, size)
      #else
        let count = Darwin.read(descriptor, base + done, size)
      #endif
      if count < 0 {
        if errno == EINTR { continue }
        return -1
      }
      if count == 0 { break }
      done += count
    }
    return done
  }

  package static func open(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
    // A NUL would silently cut the path short and reach another file.
    if path.utf8.contains(0) {
      errno = EINVAL
      return -1
    }
    while true {
      #if canImport(Glibc)
        let descriptor = FileName.withCString(path) { Glibc.open($0, flags | O_CLOEXEC, mode) }
      #else
        let descriptor = FileName.withCString(path) { Darwin.open($0, flags | O_CLOEXEC, mode) }
      #endif
      if descriptor >= 0 || errno != EINTR { return descriptor }
    }
  }

  /// The folder that holds `path`: "." for a bare name.
  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// What `stat` says about `path`, following links; nil where there is nothing.
  package static func status(of path: String) -> stat? {
    var result = stat()
    if path.utf8.contains(0) { return nil }
    return FileName.withCString(path) { stat($0, &result) } == 0 ? result : nil
  }
}

extension stat {
  package var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
  package var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
}
