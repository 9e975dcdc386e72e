#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where progress is written, and what can be shown there.
public struct ProgressOutput: Sendable {
  /// A terminal gets one line that is redrawn; anything else gets plain lines.
  package let isTerminal: Bool
  package let style: ProgressLine.Style
  package let width: @Sendable () -> Int
  package let write: @Sendable (String) -> Void

  package init(
    isTerminal: Bool, style: ProgressLine.Style, width: @escaping @Sendable () -> Int,
    write: @escaping @Sendable (String) -> Void
  ) {
    self.isTerminal = isTerminal
    self.style = style
    self.width = width
    self.write = write
  }

  /// The process's standard error, so that standard output stays free for results.
  ///
  /// Colours are left out where `NO_COLOR` is set and not empty (no-color.org), or the terminal
  /// calls itself `dumb`, which also cannot redraw.
  public static func standardError() -> ProgressOutput {
    let isTerminal = isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb"
    return ProgressOutput(
      isTerminal: isTerminal, style: style(isTerminal: isTerminal, environment: environment),
      width: { terminalWidth(of: STDERR_FILENO) },
      write: { writeAll($0, to: STDERR_FILENO) })
  }

  /// Nothing is written anywhere.
  public static let none = ProgressOutput(
    isTerminal: false, style: .init(usesColour: false, usesUnicode: false), width: { 80 },
    write: { _ in })

  package static func style(
    isTerminal: Bool, environment: (String) -> String?
  ) -> ProgressLine.Style {
    let refused = environment("NO_COLOR").map { !$0.isEmpty } ?? false
    // The first of these that is set decides, as in POSIX; terminals without any are modern ones
    // in bare containers.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap(environment).first { !$0.isEmpty }
    let encoding = locale.map { $0.uppercased().contains("UTF") } ?? true
    return .init(usesColour: isTerminal && !refused, usesUnicode: encoding)
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  private static func terminalWidth(of descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes all bytes, if possible in one call, so that lines of several writers do not mix.
  private static func writeAll(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var position = 0
      while position < bytes.count, let base = bytes.baseAddress {
        #if canImport(Glibc)
          let written = Glibc.write(descriptor, base + position, bytes.count - position)
        #else
          let written = Darwin.write(descriptor, base + position, bytes.count - position)
        #endif
        // Progress that cannot be written must not end the training.
        if written <= 0 && errno != EINTR { return }
        position += max(written, 0)
      }
    }
  }
}
