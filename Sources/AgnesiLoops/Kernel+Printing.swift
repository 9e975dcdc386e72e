import AgnesiArrays

// The loop form as text for people: one line per statement, values nested inside, a value that a
// statement uses twice named before it.

extension Kernel: CustomStringConvertible {
  /// The kernel as text, one statement a line, two spaces a level.
  public var description: String {
    let list = arguments.indices.map { index in
      "a\(index): \(arguments[index].dtype)\(arguments[index].isWritten ? " written" : "")"
    }
    let names = sizes.isEmpty ? "" : "; \(sizes.joined(separator: ", "))"
    let head = "kernel \(name)(\(list.joined(separator: ", "))\(names))"
    return ([head] + body.flatMap { $0.lines(1) }).joined(separator: "\n")
  }
}

extension Statement: CustomStringConvertible {
  /// The statement, and those inside it, as text.
  public var description: String { lines(0).joined(separator: "\n") }

  /// The statement without those inside it, on one line: what a message about it shows.
  package var headline: String {
    if case .reduce = self { return ScalarTexts([]).headline(of: self) }
    let texts = ScalarTexts(roots)
    let names = texts.definitions.map { $0.dropFirst("let ".count) }
    let line = texts.headline(of: self)
    return names.isEmpty ? line : "\(line) where \(names.joined(separator: ", "))"
  }

  fileprivate func lines(_ level: Int) -> [String] {
    let indent = String(repeating: "  ", count: level)
    let texts = ScalarTexts(roots)
    let line = texts.headline(of: self)
    let named = texts.definitions.map { indent + $0 }
    if case .reduce(let reduction) = self {
      // The values are evaluated inside of the loop.
      let folds = texts.definitions + reduction.folds.map(texts.line)
      return [indent + line] + folds.map { "\(indent)  \($0)" }
    }
    return named + [indent + line] + children.flatMap { $0.lines(level + 1) }
  }
}

extension Scalar: CustomStringConvertible {
  /// The value as a formula; shared parts are written out once, as `let` lines before it.
  public var description: String {
    let texts = ScalarTexts([self])
    let text = texts.text(self)
    return (texts.definitions + [text]).joined(separator: "; ")
  }
}

extension Buffer: CustomStringConvertible {
  /// `a0` for argument 0, `s0` for scratch 0.
  public var description: String {
    switch self {
    case .argument(let index): "a\(index)"
    case .scratch(let id): "s\(id)"
    }
  }
}

extension Size {
  /// In parentheses where it is a sum, so that `0..<(n + 1)` reads as meant.
  fileprivate var asBound: String {
    known != nil || (terms.count == 1 && constant == 0) ? description : "(\(description))"
  }
}

/// The texts of the values of one statement.
private struct ScalarTexts {
  /// `let` lines for values that are used more than once.
  private(set) var definitions: [String] = []
  private var texts: [ObjectIdentifier: String] = [:]

  init(_ roots: [Scalar]) {
    let uses = Scalar.useCounts(roots)
    for node in Scalar.ordered(roots) {
      let text = formula(node)
      if !node.isLeaf, uses[ObjectIdentifier(node), default: 0] > 1 {
        let name = "t\(definitions.count)"
        definitions.append("let \(name) = \(text)")
        texts[ObjectIdentifier(node)] = name
      } else {
        texts[ObjectIdentifier(node)] = text
      }
    }
  }

  func text(_ node: Scalar) -> String { texts[ObjectIdentifier(node)] ?? "?" }

  func headline(of statement: Statement) -> String {
    switch statement {
    case .define(let id, let value): return "var l\(id): \(value.dtype) = \(text(value))"
    case .assign(let id, let value): return "l\(id) = \(text(value))"
    case .store(let buffer, let index, let value):
      return "\(buffer)[\(text(index))] = \(text(value))"
    case .when(let condition, _): return "when \(text(condition))"
    case .loop(let loop):
      let marks = (loop.isParallel ? "parallel " : "") + (loop.isVector ? "vector " : "")
      return "\(marks)for \(loop.variable) in 0..<\(loop.extent.asBound)"
    case .tiles(let tiles):
      let axes = [tiles.rows, tiles.columns].map {
        "\($0.variable) in 0..<\($0.extent.asBound) by \($0.step)"
      }
      let group = tiles.group > 1 ? ", \(tiles.group) side by side" : ""
      return
        "\(tiles.isParallel ? "parallel " : "")tiles for \(axes.joined(separator: ", "))\(group)"
    case .reduce(let reduction):
      return "reduce \(reduction.variable) in 0..<\(reduction.extent.asBound)"
    case .scratch(let id, let dtype, let count): return "scratch s\(id): \(dtype)[\(count)]"
    }
  }

  func line(_ fold: Statement.Reduction.Fold) -> String {
    "l\(fold.local) = \(fold.combiner.rawValue)(l\(fold.local), \(text(fold.value)))"
  }

  private func formula(_ node: Scalar) -> String {
    switch node.kind {
    case .constant(let value): return value == value.rounded() ? Self.short(value) : "\(value)"
    case .whole(let value): return Self.number(value, node.dtype)
    case .index(let size): return size.description
    case .local(let id): return "l\(id)"
    case .load(let buffer, let index): return "\(buffer)[\(text(index))]"
    case .unary(let function, let x): return "\(function.rawValue)(\(text(x)))"
    case .binary(let function, let x, let y):
      let (a, b) = (operand(x), operand(y))
      if let sign = function.sign { return "(\(a) \(sign) \(b))" }
      return "\(function.rawValue)(\(text(x)), \(text(y)))"
    case .select(let condition, let x, let y):
      return "select(\(text(condition)), \(text(x)), \(text(y)))"
    case .cast(let x): return "\(node.dtype)(\(text(x)))"
    case .random(let key, let low, let high, let word):
      return "random(0x\(String(key, radix: 16)), \(text(low)), \(text(high)), \(word))"
    }
  }

  private func operand(_ node: Scalar) -> String {
    guard case .index(let size) = node.kind else { return text(node) }
    return size.asBound
  }

  private static func number(_ value: Int64, _ dtype: DType) -> String {
    if dtype == .bool { return value == 0 ? "false" : "true" }
    return dtype == .uint64 ? String(UInt64(bitPattern: value)) : String(value)
  }

  private static func short(_ value: Double) -> String {
    if value == 0, value.sign == .minus { return "-0" }
    return abs(value) < 0x1p53 ? String(Int64(value)) : "\(value)"
  }
}

extension BinaryFunction {
  /// The sign that people write between the operands.
  fileprivate var sign: String? {
    switch self {
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divide: "/"
    case .and: "&"
    case .or: "|"
    case .xor: "^"
    case .equal: "=="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    case .floorDivide, .modulo, .maximum, .minimum, .power, .atan2: nil
    }
  }
}
