import Runtime
import Synchronization

/// Where in the user's code a node was built.
///
/// Capturing costs about 3 µs; names, files and lines are looked up only when an error is printed.
public struct Site: Sendable {
  private let backtrace: Backtrace?

  /// The images are the same for the whole life of a process but for libraries loaded later, which
  /// hold no code of users.
  private static let images = ImageMap.capture()

  /// The site that nodes get while a rewrite builds them: that of the node they replace.
  @TaskLocal package static var inherited: Site?

  package static func capture() -> Site {
    if let inherited { return inherited }
    let backtrace = try? Backtrace.capture(
      algorithm: .fast, limit: 24, offset: 1, top: 0, images: images)
    return Site(backtrace: backtrace)
  }

  /// The user's own frames, innermost first, as `file:line:column`; empty where the program carries
  /// no debug information.
  public var frames: [String] {
    guard let symbolicated = backtrace?.symbolicated() else { return [] }
    var result: [String] = []
    for frame in symbolicated.frames {
      guard let location = frame.symbol?.sourceLocation, location.line > 0 else { continue }
      // Macros expand into files of their own, which the user never saw.
      guard !Self.isLibrary(location.path), !location.path.contains("@__swiftmacro") else {
        continue
      }
      let file = location.path.split(separator: "/").last.map(String.init) ?? location.path
      result.append("\(file):\(location.line):\(location.column)")
    }
    return result
  }

  /// Frames of the library itself are noise to its users; the command is a user.
  private static func isLibrary(_ path: String) -> Bool {
    if path.contains("<compiler-generated>") || path.hasPrefix("/usr/") { return true }
    // Release builds name some files relative to the package.
    guard let range = "/\(path)".firstRange(of: "/Sources/Agnesi") else { return false }
    let module = "/\(path)"[range.upperBound...]
    return !module.hasPrefix("Command/") && !module.hasPrefix("Bench/")
  }
}

extension Site: CustomStringConvertible {
  /// `main.swift:4:38`, or empty.
  public var description: String { frames.first ?? "" }
}
