import AgnesiArrays
import AgnesiLoops

/// The sizes of a tensor's axes; each may be a formula of names.
public typealias Shape = [Size]

/// What is known of a tensor before anything runs: dtype and shape.
public struct TensorType: Hashable, Sendable, Codable {
  public var dtype: DType
  public var shape: Shape
  /// False for wildcards of patterns and for what is built from them or from a failed tensor.
  package var isKnown: Bool

  public init(_ dtype: DType, _ shape: Shape) {
    self.dtype = dtype
    self.shape = shape
    isKnown = true
  }

  private init(unknown: Void) {
    dtype = .float32
    shape = []
    isKnown = false
  }

  package static let unknown = TensorType(unknown: ())

  public var rank: Int { shape.count }

  /// The number of elements.
  public var count: Size { shape.reduce(1) { $0 * $1 } }

  /// The type with names of sizes replaced.
  package func substituting(_ sizes: [String: Size]) -> TensorType {
    guard isKnown else { return self }
    return TensorType(dtype, shape.map { $0.substituting(sizes) })
  }

  /// Sizes as numbers; nil where a name is left.
  package var knownShape: [Int]? {
    var result: [Int] = []
    for size in shape {
      guard let value = size.known else { return nil }
      result.append(value)
    }
    return result
  }

  /// Same dtype and rank, and sizes that may be equal.
  package func mayEqual(_ other: TensorType) -> Bool {
    guard isKnown, other.isKnown else { return true }
    return dtype == other.dtype && rank == other.rank
      && zip(shape, other.shape).allSatisfy { $0.mayEqual($1) }
  }
}

extension TensorType: CustomStringConvertible {
  /// `float32[batch, 784]`
  public var description: String {
    isKnown ? "\(dtype)[\(shape.map(\.description).joined(separator: ", "))]" : "unknown"
  }
}

/// Why operands do not fit an operation, and what would surely help.
public struct TypeError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String
  public var hint: String?

  public var description: String { hint.map { "\(message)\n  hint: \($0)" } ?? message }

  public init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}
