import AgnesiArrays
import AgnesiExpressions

/// What went wrong while a graph ran: at which operation, on which values, and where that was
/// written.
public struct ExecutionError: Error, Sendable, CustomStringConvertible {
  public let operation: String
  public let message: String
  /// `float32[2, 3]`, one for each operand.
  public let operands: [String]
  public let location: SourceLocation

  init(_ node: Node, _ message: String, operands: [NDArray]) {
    operation = node.operation.label
    self.message = message
    self.operands = operands.map { "\($0.dtype)\($0.shape)" }
    location = node.location
  }

  public var description: String { text(withLocation: true) }

  /// The words; without the source location they do not depend on where the code stands.
  public func text(withLocation: Bool) -> String {
    var lines = ["\(operation): \(message)"]
    if !operands.isEmpty { lines.append("  operands \(operands.joined(separator: ", "))") }
    let origin = withLocation ? location.description : ""
    if !origin.isEmpty { lines.append("  built at \(origin)") }
    return lines.joined(separator: "\n")
  }
}
