extension Sequence<Tensor> {
  /// The graph in the language of Graphviz: `dot -Tsvg`.
  ///
  /// Inputs are ellipses, parameters and constants houses and plain text, operations boxes,
  /// composites boxes of two lines; edges carry types.
  public func graphviz() -> String {
    let nodes = topologicalNodes()
    let numbers = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
    var lines = ["digraph {", "  node [fontname=\"Helvetica\"];"]
    for (number, node) in nodes.enumerated() {
      lines.append("  n\(number) [label=\"\(node.drawnLabel)\", shape=\(node.drawnShape)];")
      for operand in node.operands {
        let source = numbers[operand.node].map { "n\($0)" } ?? "?"
        lines.append("  \(source) -> n\(number) [label=\"\(operand.type)\"];")
      }
    }
    for (number, output) in self.enumerated() {
      let source = numbers[output.node].map { "n\($0)" } ?? "?"
      lines.append("  out\(number) [label=\"output \(number)\", shape=plaintext];")
      lines.append("  \(source) -> out\(number) [label=\"\(output.type)\"];")
    }
    return (lines + ["}"]).joined(separator: "\n")
  }
}

extension Node {
  fileprivate var drawnLabel: String {
    let attributes = operation.printedAttributes
    let text: String
    if operands.isEmpty {
      text = self.text { _ in "" }
    } else {
      text = ([operation.label] + attributes).joined(separator: "\\n")
    }
    return text.replacing("\"", with: "\\\"")
  }

  fileprivate var drawnShape: String {
    switch operation {
    case is Input: "ellipse"
    case is ParameterLeaf: "house"
    case is Constant: "plaintext"
    case is Composite: "box, peripheries=2"
    default: "box"
    }
  }
}
