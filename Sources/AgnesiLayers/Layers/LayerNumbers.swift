import AgnesiExpressions

/// Numbers for layers without a name, each kind counted on its own: `dense1`, `dense2`.
///
/// Kinds are counted apart so that dropout or pooling that is added to a network leaves the names of
/// its weights, and so the files of its values, as they are.
struct LayerNumbers {
  private var counts: [String: Int] = [:]

  /// Counts from 1.
  init() {}

  /// Counts on from the layers of the enclosing scope that `input` was made by.
  init(in input: Tensor) {
    let scope = Scope.current
    let prefix = scope.isEmpty ? "" : scope + "."
    var pending = [input].topologicalNodes()
    while let node = pending.popLast() {
      // Random streams stand inside of composites.
      if let composite = node.operation as? Composite {
        pending += composite.body.outputs.topologicalNodes()
      }
      guard let name = node.operation.instanceName, name.hasPrefix(prefix) else { continue }
      let rest = name.dropFirst(prefix.count)
      guard let dot = rest.firstIndex(of: ".") else { continue }
      note(rest[..<dot])
    }
  }

  /// Takes `dense3` into account.
  private mutating func note(_ layer: Substring) {
    let digits = layer.reversed().prefix { $0.isASCII && $0.isNumber }.count
    guard digits > 0, let number = Int(layer.suffix(digits)) else { return }
    let kind = String(layer.dropLast(digits))
    counts[kind] = max(counts[kind] ?? 0, number)
  }

  mutating func next(_ kind: String) -> String {
    let number = (counts[kind] ?? 0) + 1
    counts[kind] = number
    return "\(kind)\(number)"
  }
}

extension Scope {
  /// The enclosing scope's full name; empty outside of all.
  static var current: String { String(qualified("").dropLast()) }
}
