import AgnesiLoops

extension Tensor {
  /// The expression as a formula: `log(1 + exp(x))`.
  ///
  /// Broadcasts are left out, as the user does. A formula of more than `limit` operations is cut
  /// with `…`; what occurs twice is written twice.
  public func formula(limit: Int = 40) -> String {
    var writer = FormulaWriter(remaining: limit)
    return writer.text(self).text
  }
}

/// Recursion is bounded by the limit.
private struct FormulaWriter {
  /// How tightly the outermost operation binds; more is tighter.
  enum Binding: Int { case comparison, sum, product, prefix, call }

  var remaining: Int

  mutating func text(_ tensor: Tensor) -> (text: String, binding: Binding) {
    if let number = tensor.scalarConstant {
      return (printedNumber(number, tensor.dtype), number < 0 ? .prefix : .call)
    }
    let node = tensor.node
    if node.operands.isEmpty { return (leaf(node), .call) }
    guard remaining > 0 else { return ("…", .call) }
    remaining -= 1
    if tensor.isBroadcast { return text(node.operands[0]) }
    if let written = infix(tensor) { return written }
    let operands = node.operands.map { text($0).text }
    let arguments = (operands + node.operation.printedAttributes).joined(separator: ", ")
    let suffix = node.types.count > 1 ? ".\(tensor.result)" : ""
    return ("\(tensor.label)(\(arguments))\(suffix)", .call)
  }

  private func leaf(_ node: Node) -> String {
    if let name = node.operation.instanceName, !name.isEmpty { return name }
    return node.text { _ in "" }
  }

  private mutating func infix(_ tensor: Tensor) -> (text: String, binding: Binding)? {
    let operands = tensor.node.operands
    if operands.count == 1, tensor.label == "negate" {
      return ("-\(operand(operands[0], atLeast: .prefix))", .prefix)
    }
    guard operands.count == 2, let (symbol, binding, isAssociative) = Self.symbols[tensor.label]
    else { return nil }
    let left = operand(operands[0], atLeast: binding)
    let right = operand(operands[1], atLeast: binding, tighter: !isAssociative)
    return ("\(left) \(symbol) \(right)", binding)
  }

  private mutating func operand(
    _ tensor: Tensor, atLeast binding: Binding, tighter: Bool = false
  ) -> String {
    let inner = text(tensor)
    let needed = binding.rawValue + (tighter ? 1 : 0)
    return inner.binding.rawValue < needed ? "(\(inner.text))" : inner.text
  }

  private static let symbols: [String: (String, Binding, isAssociative: Bool)] = [
    "add": ("+", .sum, true), "subtract": ("-", .sum, false),
    "multiply": ("*", .product, true), "divide": ("/", .product, false),
    "less": (".<", .comparison, false), "lessOrEqual": (".<=", .comparison, false),
    "equal": (".==", .comparison, false), "notEqual": (".!=", .comparison, false),
  ]
}
