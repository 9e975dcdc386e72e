/// A mistake in how a function is compiled or called.
public struct FunctionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was being done: `compile`, or the function's name.
  public var subject: String
  public var message: String
  public var hint: String?

  package init(_ subject: String, _ message: String, hint: String? = nil) {
    self.subject = subject
    self.message = message
    self.hint = hint
  }

  public var description: String {
    let first = "\(subject): \(message)"
    return hint.map { "\(first)\n  hint: \($0)" } ?? first
  }
}
