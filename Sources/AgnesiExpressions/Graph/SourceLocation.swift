import AgnesiArrays
import Runtime
import Synchronization

/// Where in the user's code, or in which part of a file, a node was built.
///
/// Capturing costs about 3 µs; names, files and lines are looked up only when an error is printed.
public struct SourceLocation: Sendable {
  private let backtrace: Backtrace?
  /// The part of a file that the node comes from, if it comes from one, and the file.
  private let part: (name: String, file: String)?

  /// The images are the same for the whole life of a process but for libraries loaded later, which
  /// hold no code of users.
  private static let images = ImageMap.capture()

  /// The source location that nodes get while a rewrite builds them: that of the node they replace.
  @TaskLocal package static var inherited: SourceLocation?

  package static func capture() -> SourceLocation {
    if let inherited { return inherited }
    let backtrace = try? Backtrace.capture(
      algorithm: .fast, limit: 24, offset: 1, top: 0, images: images)
    return SourceLocation(backtrace: backtrace, part: nil)
  }

  private init(backtrace: Backtrace?, part: (name: String, file: String)?) {
    self.backtrace = backtrace
    self.part = part
  }

  /// A part of a file, such as `node 3 (Conv)` of `network.onnx`, which means more to a reader than the
  /// code that read it.
  package init(_ part: String, of file: String) {
    self.init(backtrace: nil, part: (part, file))
  }

  /// Whether the place is a part of a file, and not one in code.
  package var isInFile: Bool { part != nil }

  /// Where something was asked for, for errors of memory.
  package var place: Memory.Place { Memory.Place(isInFile: isInFile) { description } }

  /// The place on a narrow line: without the file that all nodes come from, or the column, which says little
  /// to a person who looks for a line.
  package var brief: String {
    part?.name ?? description.split(separator: ":").prefix(2).joined(separator: ":")
  }

  /// The user's own frames, innermost first, as `file:line:column`; empty where the program carries
  /// no debug information. Of what a file brought the part of the file, in its words.
  ///
  /// - Complexity: some tenths of a second for frames that were never asked for before.
  public var frames: [String] {
    if let part { return ["\(part.name) of \(part.file)"] }
    guard let backtrace else { return [] }
    let addresses = backtrace.frames.map(\.adjustedProgramCounter)
    let known = Self.known.withLock { known in addresses.compactMap { known[$0] } }
    if known.count == addresses.count { return known.flatMap { $0 } }
    let found = Self.places(backtrace)
    Self.known.withLock { known in
      for address in addresses { known[address] = found[address] ?? [] }
    }
    return addresses.flatMap { found[$0] ?? [] }
  }

  /// What was found at each address: looking it up takes milliseconds, and source locations share
  /// most of theirs.
  private static let known = Mutex<[Backtrace.Address: [String]]>([:])

  /// The user's places at each address, several where functions were inlined.
  private static func places(_ backtrace: Backtrace) -> [Backtrace.Address: [String]] {
    guard let symbolicated = backtrace.symbolicated() else { return [:] }
    var result: [Backtrace.Address: [String]] = [:]
    var previous: Backtrace.Address?
    for frame in symbolicated.frames {
      let address = frame.captured.adjustedProgramCounter
      defer { previous = address }
      // A function that calls itself is on the stack more than once.
      if address != previous, result[address] != nil { continue }
      result[address, default: []] += place(of: frame).map { [$0] } ?? []
    }
    return result
  }

  private static func place(of frame: SymbolicatedBacktrace.Frame) -> String? {
    guard let location = frame.symbol?.sourceLocation, location.line > 0 else { return nil }
    // Macros expand into files of their own, which the user never saw.
    guard !isLibrary(location.path), !location.path.contains("@__swiftmacro") else { return nil }
    let file = location.path.split(separator: "/").last.map(String.init) ?? location.path
    return "\(file):\(location.line):\(location.column)"
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

extension SourceLocation: CustomStringConvertible {
  /// `main.swift:4:38`, or empty.
  public var description: String { frames.first ?? "" }
}
