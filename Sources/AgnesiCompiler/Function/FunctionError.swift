import AgnesiExpressions

/// A mistake in how a function is compiled or called.
public struct FunctionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was being done: `compile`, or the function's name.
  public var subject: String
  public var message: String
  public var hint: String?
  /// Where the user wrote what it is about, where that is one place.
  public var site: Site?

  package init(_ subject: String, _ message: String, hint: String? = nil, site: Site? = nil) {
    self.subject = subject
    self.message = message
    self.hint = hint
    self.site = site
  }

  public var description: String { text(withSites: true) }

  /// The words; without sites they do not depend on where the code stands.
  public func text(withSites: Bool) -> String {
    var lines = ["\(subject): \(message)"]
    if withSites, let frame = site?.frames.first { lines.append("  built at \(frame)") }
    if let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
  }

  /// The words decide; where they were written does not.
  public static func == (a: FunctionError, b: FunctionError) -> Bool {
    a.text(withSites: false) == b.text(withSites: false)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(text(withSites: false)) }
}
