import AgnesiArrays
import AgnesiLoops
import Synchronization

// The nodes without operands. Each is itself, never equal to another, except constants, which are
// equal when their bits are.

/// A number that no other leaf of this process has.
package struct Identity: Hashable, Sendable, Codable {
  private let number: Int
  private static let counter = Atomic<Int>(0)

  package init() { number = Self.counter.add(1, ordering: .relaxed).newValue }

  // An identity never travels: what is decoded is new.
  package init(from decoder: any Decoder) throws { self.init() }
  package func encode(to encoder: any Encoder) throws {}
}

/// What the caller of a compiled function hands in.
package struct Input: Operation {
  package static let name = "input"
  package var roles: [String] { [] }
  package let inputName: String
  package let type: TensorType
  private let identity = Identity()

  package init(_ name: String, _ type: TensorType) {
    inputName = name
    self.type = type
  }

  private enum CodingKeys: String, CodingKey { case inputName, type }

  package var instanceName: String? { inputName }
  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] { [type] }
  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] { [] }
  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    internalError("an input has no value of its own")
  }
  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? { nil }
}

/// Values that are part of the program.
package struct Constant: Operation {
  package static let name = "constant"
  package var roles: [String] { [] }
  package let array: NDArray

  package init(_ array: NDArray) { self.array = array.contiguous() }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [TensorType(array.dtype, array.shape.map { Size($0) })]
  }
  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] { [] }
  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] { [array] }

  /// A single value of no axes is folded into the formulas that use it; others are memory, so that
  /// measured numbers (the mean of a data set) do not make other code of the same formula.
  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    guard array.rank == 0 else { return nil }
    let value = Scalar.constant(of: array)
    return .pull { _, _ in value }
  }

  package static func == (a: Constant, b: Constant) -> Bool { a.array.isIdentical(to: b.array) }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(array.dtype)
    hasher.combine(array.shape)
    array.withUnsafeBytes {
      hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.prefix(256)))
    }
  }

  /// Whole numbers have all their digits in files; older files may hold them as floating numbers.
  private enum Key: String, CodingKey { case dtype, shape, values }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let dtype = try container.decode(DType.self, forKey: .dtype)
    let shape = try container.decode([Int].self, forKey: .shape)
    func sized<Number>(_ values: [Number]) throws -> [Number] {
      let count = shape.reduce(Size(1)) { $0 * Size($1) }
      guard shape.allSatisfy({ $0 >= 0 }), count.known == values.count else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "a constant of another size"))
      }
      return values
    }
    if dtype == .uint64, let values = try? container.decode([UInt64].self, forKey: .values) {
      let bits = try sized(values).map { Int64(bitPattern: $0) }
      array = NDArray(wrapping: bits, shape: shape, dtype)
    } else if !dtype.isFloating, dtype != .uint64,
      let values = try? container.decode([Int64].self, forKey: .values)
    {
      array = NDArray(wrapping: try sized(values), shape: shape, dtype)
    } else {
      let values = try sized(try container.decode([Double].self, forKey: .values))
      array = NDArray(rounding: values, shape: shape, dtype)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(array.dtype, forKey: .dtype)
    try container.encode(array.shape, forKey: .shape)
    if array.dtype == .uint64 {
      try container.encode(array.wholes.map { UInt64(bitPattern: $0) }, forKey: .values)
    } else if !array.dtype.isFloating {
      try container.encode(array.wholes, forKey: .values)
    } else {
      try container.encode(array.doubles, forKey: .values)
    }
  }
}

/// A value that lives between calls.
package struct ParameterLeaf: Operation {
  package static let name = "parameter"
  package var roles: [String] { [] }
  package let parameter: Parameter

  package init(_ parameter: Parameter) { self.parameter = parameter }

  package var instanceName: String? { parameter.name }
  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [TensorType(parameter.dtype, parameter.shape.map { Size($0) })]
  }
  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] { [] }
  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    [parameter.value]
  }
  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? { nil }

  // Saved graphs name parameters; their values travel beside the graph.
  package init(from decoder: any Decoder) throws {
    throw DecodingError.dataCorrupted(
      .init(codingPath: decoder.codingPath, debugDescription: "a parameter is resolved by name"))
  }
  package func encode(to encoder: any Encoder) throws { try parameter.name.encode(to: encoder) }
}

/// The number of calls of the compiled function so far: the counter of its random draws.
package struct CallNumber: Operation {
  package static let name = "callNumber"
  package var roles: [String] { [] }

  package init() {}
  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [TensorType(.int64, [])]
  }
  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] { [] }
  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    internalError("the executor knows the number of calls")
  }
  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? { nil }
}

/// Stands for any tensor in the pattern of a rewrite.
package struct Wildcard: Operation {
  package static let name = "any"
  package var roles: [String] { [] }
  package let wildcardName: String
  private let identity = Identity()

  package init(_ name: String) { wildcardName = name }

  private enum CodingKeys: String, CodingKey { case wildcardName }

  package var instanceName: String? { wildcardName }
  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] { [.unknown] }
  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] { [] }
  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    internalError("a wildcard has no value")
  }
  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? { nil }
}

extension Tensor {
  /// What the caller of a compiled function hands in: `name` is its name there and in errors.
  ///
  /// Sizes may be numbers, names (`.batch`: the same name is the same size everywhere in a function)
  /// or formulas of names.
  public static func input(
    _ name: String, _ shape: Shape, _ dtype: DType = .float32
  ) -> Tensor {
    Tensor(Input(name, TensorType(dtype, shape)))
  }

  /// Values that are part of the program.
  public static func constant(_ array: NDArray) -> Tensor { Tensor(Constant(array)) }

  /// A single value, of no axes.
  public static func constant(_ value: Double, _ dtype: DType = .float32) -> Tensor {
    Tensor(Constant(NDArray(filled: value, shape: [], dtype)))
  }

  /// A single whole number, of no axes, with all its digits.
  public static func constant(_ value: Int, _ dtype: DType = .float32) -> Tensor {
    Tensor(Constant(NDArray(filled: value, shape: [], dtype)))
  }

  package static let callNumber = Tensor(CallNumber())

  package static func any(_ name: String) -> Tensor { Tensor(Wildcard(name)) }

  /// The value of a constant.
  package var constant: NDArray? { (node.operation as? Constant)?.array }

  /// The storage of a parameter.
  public var parameter: Parameter? { (node.operation as? ParameterLeaf)?.parameter }

  package var isInput: Bool { node.operation is Input }
}

/// Stops the process: an invariant of Agnesi itself is broken, whatever the user wrote.
package func internalError(
  _ message: String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError("internal error in Agnesi, please report it: \(message)", file: file, line: line)
}
