import AgnesiArrays
import AgnesiLoops

// What patterns are written with, beside the user's own functions: stand-ins for any tensor
// (`Tensor.any`), for any number (`Tensor.number`) and for any node of a name (`Tensor.node`).

extension Tensor {
  /// Stands for any single value that is part of the program, however it was broadcast or converted.
  package static func number(_ name: String) -> Tensor { Tensor(AnyNumber(wildcardName: name)) }

  /// The label of `Tensor.node` that fits all nodes.
  package static let anyLabel = "*"

  /// Stands for a result of any node of this label, whatever its attributes are. Without operands
  /// it matches nodes of any number of them.
  package static func node(_ label: String, _ operands: Tensor..., result: Int = 0) -> Tensor {
    let operation = AnyNode(sought: label, resultCount: result + 1)
    return make(operation, operands)[result]
  }
}

/// An operation that stands only in patterns.
protocol PatternOperation: Operation {}

extension PatternOperation {
  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [TensorType](repeating: .unknown, count: resultCount)
  }
  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    operands.map { _ in nil }
  }
  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    internalError("a pattern has no value")
  }
  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? { nil }
}

struct AnyNumber: PatternOperation {
  static let name = "any number"
  let wildcardName: String
  private let identity = Identity()

  init(wildcardName: String) { self.wildcardName = wildcardName }

  private enum CodingKeys: String, CodingKey { case wildcardName }

  var instanceName: String? { wildcardName }
}

struct AnyNode: PatternOperation {
  static let name = "any node"
  let sought: String
  let resultCount: Int

  var label: String { sought }
}

/// A pattern, prepared for matching: what each of its nodes asks of a tensor.
final class Pattern: Sendable {
  enum Kind: Sendable {
    case anything
    case number
    /// A single value equal to this one.
    case value(Double)
    case label(String)
    case composite(String, [String: Attribute])
    case operation(any Operation)
  }

  let kind: Kind
  /// The tensor in the pattern as it was written: the key of bindings.
  let tensor: Tensor
  let operands: [Pattern]
  let isCommutative: Bool

  init(_ tensor: Tensor) {
    self.tensor = tensor
    operands = tensor.node.operands.map(Pattern.init)
    kind = Self.kind(tensor)
    isCommutative = operands.count == 2 && Self.commutativeLabels.contains(tensor.label)
  }

  private static func kind(_ tensor: Tensor) -> Kind {
    switch tensor.node.operation {
    case is Wildcard: return .anything
    case is AnyNumber: return .number
    case let node as AnyNode: return .label(node.sought)
    case let composite as Composite: return .composite(composite.label, composite.attributes)
    case let constant as Constant where constant.array.count == 1:
      return .value(constant.array.scalar)
    case let operation: return .operation(operation)
    }
  }

  static let commutativeLabels: Set<String> = [
    "add", "multiply", "maximum", "minimum", "equal", "notEqual", "and", "or", "xor",
  ]

  /// Whether the node itself, without its operands, is what is sought.
  func accepts(_ subject: Tensor) -> Bool {
    switch kind {
    case .anything: return true
    case .number: return subject.scalarConstant != nil
    case .value(let value): return subject.scalarConstant == value
    case .label(let label):
      return hasResult(of: subject) && (label == Tensor.anyLabel || subject.isKind(label))
        && (operands.isEmpty || hasOperands(of: subject))
    case .composite(let name, let attributes):
      guard let other = subject.node.operation as? Composite else { return false }
      // A user's composite may have any name; what it means is only known of our own.
      return hasResult(of: subject) && hasOperands(of: subject) && other.isBuiltIn
        && other.label == name && other.attributes == attributes
    case .operation(let operation):
      return hasResult(of: subject) && hasOperands(of: subject)
        && operation.isEqual(to: subject.node.operation)
    }
  }

  private func hasResult(of subject: Tensor) -> Bool { tensor.result == subject.result }
  private func hasOperands(of subject: Tensor) -> Bool {
    operands.count == subject.node.operands.count
  }
}

extension Operation {
  package func isEqual(to other: any Operation) -> Bool { (other as? Self) == self }

  /// Whether exchanging the two operands changes nothing.
  package var isCommutative: Bool {
    Pattern.commutativeLabels.contains(label) && !(self is Composite)
  }
}

extension Tensor {
  package var label: String { node.operation.label }

  /// Whether it is a result of this library's operation or composite of that label. A user's composite may
  /// have any name, and means what its body says.
  package func isKind(_ label: String) -> Bool {
    self.label == label && composite?.isBuiltIn ?? true
  }

  /// The value of a constant with the same value everywhere, seen through broadcasting, reshaping
  /// and conversion; nil for anything else, and for whole numbers that a double does not hold.
  package var scalarConstant: Double? {
    var current = self
    var conversions: [DType] = []
    // The rules keep such chains short; a longer one is only not recognised.
    for _ in 0..<8 {
      switch current.node.operation {
      case let constant as Constant:
        guard constant.array.count == 1 else { return nil }
        let value = constant.array.reshaped([])
        return conversions.reversed().reduce(value) { $0.cast(to: $1) }.exactScalar
      case is Broadcast, is Reshape: break
      case let cast as Cast: conversions.append(cast.target)
      default: return nil
      }
      current = current.node.operands[0]
    }
    return nil
  }
}
