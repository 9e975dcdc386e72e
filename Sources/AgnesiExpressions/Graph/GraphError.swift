/// A mistake in a formula: which operation, what disagrees, the operands, and where it was written.
///
/// Recorded in the node where it is found; everything built from that node carries the same error,
/// and `compile` and `evaluate` throw it.
public struct GraphError: Error, Sendable {
  public var operation: String
  public var message: String
  public var operands: [Operand]
  public var hint: String?
  public var site: Site?
  /// The same in the words in which the network was written, where these were not Swift but a notation:
  /// for those who wrote them. Nil where there are none.
  public var wording: String?

  /// One operand of the operation: its role there, its own name, type and origin.
  public struct Operand: Sendable {
    public var role: String
    public var name: String
    public var type: TensorType
    public var site: Site?

    package init(role: String, name: String, type: TensorType, site: Site?) {
      self.role = role
      self.name = name
      self.type = type
      self.site = site
    }
  }

  public init(
    _ operation: String, _ message: String, operands: [Operand] = [], hint: String? = nil,
    site: Site? = nil
  ) {
    self.operation = operation
    self.message = message
    self.operands = operands
    self.hint = hint
    self.site = site
  }
}

extension GraphError: CustomStringConvertible {
  public var description: String { text(withSites: true) }

  /// The words; without sites they do not depend on where the code stands.
  ///
  /// - Parameter withHint: whether to advise what to change in the code; of no use to somebody who has
  ///   a file only.
  public func text(withSites: Bool, withHint: Bool = true) -> String {
    var lines = ["\(operation): \(message)"]
    let width = operands.map(\.role.count).max() ?? 0
    for operand in operands {
      let role = operand.role.padded(to: width)
      let name = operand.name.isEmpty ? "" : "\"\(operand.name)\" "
      let origin = withSites ? located(operand.site) : ""
      lines.append("  \(role)  \(name)\(operand.type)\(origin)")
    }
    if withSites, let frames = site?.frames, let first = frames.first {
      lines.append("  built at \(first)")
      lines += frames.dropFirst().prefix(3).map { "  called from \($0)" }
    }
    if withHint, let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
  }

  private func located(_ site: Site?) -> String {
    guard let text = site?.description, !text.isEmpty else { return "" }
    return "  (\(text))"
  }
}

extension String {
  package func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
