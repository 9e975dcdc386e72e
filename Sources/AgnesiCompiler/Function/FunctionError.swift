import AgnesiExpressions

/// A mistake in how a function is compiled or called.
public struct FunctionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was being done: `compile`, or the function's name.
  public var subject: String
  public var message: String
  public var hint: String?
  /// Where the user wrote what it is about, where that is one place.
  public var location: SourceLocation?

  package init(
    _ subject: String, _ message: String, hint: String? = nil, location: SourceLocation? = nil
  ) {
    self.subject = subject
    self.message = message
    self.hint = hint
    self.location = location
  }

  public var description: String { text(withLocations: true) }

  /// The words; without source locations they do not depend on where the code stands.
  public func text(withLocations: Bool) -> String {
    var lines = ["\(subject): \(message)"]
    if withLocations, let frame = location?.frames.first { lines.append("  built at \(frame)") }
    if let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
  }

  /// The words decide; where they were written does not.
  public static func == (a: FunctionError, b: FunctionError) -> Bool {
    a.text(withLocations: false) == b.text(withLocations: false)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(text(withLocations: false)) }
}
