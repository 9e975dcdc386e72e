/// A mistake in a formula: which operation, what disagrees, the operands, and where it was written.
///
/// Recorded in the node where it is found; everything built from that node carries the same error,
/// and `compile` and `evaluate` throw it.
public struct GraphError: Error, Sendable {
  public var operation: String
  public var message: String
  public var operands: [Operand]
  public var hint: String?
  public var location: SourceLocation?
  /// The same in the words in which the network was written, where these were not Swift but a notation:
  /// for those who wrote them. Nil where there are none.
  public var wording: String?

  /// One operand of the operation: its role there, its own name, type and origin.
  public struct Operand: Sendable {
    public var role: String
    public var name: String
    public var type: TensorType
    public var location: SourceLocation?

    package init(role: String, name: String, type: TensorType, location: SourceLocation?) {
      self.role = role
      self.name = name
      self.type = type
      self.location = location
    }
  }

  public init(
    _ operation: String, _ message: String, operands: [Operand] = [], hint: String? = nil,
    location: SourceLocation? = nil
  ) {
    self.operation = operation
    self.message = message
    self.operands = operands
    self.hint = hint
    self.location = location
  }
}

extension GraphError: CustomStringConvertible {
  public var description: String { text(withLocations: true) }

  /// The words; without source locations they do not depend on where the code stands.
  ///
  /// - Parameter withHint: whether to advise what to change in the code; of no use to somebody who has
  ///   a file only.
  public func text(withLocations: Bool, withHint: Bool = true) -> String {
    var lines = ["\(operation): \(message)"]
    let width = operands.map(\.role.count).max() ?? 0
    for operand in operands {
      let role = operand.role.padded(to: width)
      let name = operand.name.isEmpty ? "" : "\"\(operand.name)\" "
      let origin = withLocations ? located(operand.location) : ""
      lines.append("  \(role)  \(name)\(operand.type)\(origin)")
    }
    if withLocations, let frames = location?.frames, let first = frames.first {
      lines.append("  built at \(first)")
      lines += frames.dropFirst().prefix(3).map { "  called from \($0)" }
    }
    if withHint, let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
  }

  private func located(_ location: SourceLocation?) -> String {
    guard let text = location?.description, !text.isEmpty else { return "" }
    return "  (\(text))"
  }
}

extension String {
  package func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
