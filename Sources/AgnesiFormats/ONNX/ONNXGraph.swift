import AgnesiArrays

/// A graph as an ONNX file holds it: nodes in order, joined by names.
package struct ONNXGraph: Sendable {
  package var name = ""
  package var nodes: [ONNXNode] = []
  /// Values by name; the file's order.
  package var initializers: [(name: String, array: NDArray)] = []
  package var inputs: [ONNXValueInfo] = []
  package var outputs: [ONNXValueInfo] = []
}

/// One application of an operator.
package struct ONNXNode: Sendable {
  package var name = ""
  package var operation = ""
  /// Empty for ONNX's own operators.
  package var domain = ""
  /// Empty where an optional one is left out.
  package var inputs: [String] = []
  package var outputs: [String] = []
  package var attributes: [String: ONNXAttribute] = [:]
}

/// The value of an attribute.
package enum ONNXAttribute: Sendable {
  case float(Float)
  case integer(Int)
  case text(String)
  case tensor(NDArray)
  case floats([Float])
  case integers([Int])
  case texts([String])
  /// What no operator here reads: subgraphs, sparse tensors, tensors of text.
  case other(String)
}

/// The name and type of an input or output.
package struct ONNXValueInfo: Sendable {
  package enum Dimension: Sendable {
    case known(Int)
    case named(String)
    case unknown
  }

  package var name = ""
  /// Nil for what is no tensor, or a tensor of a type that no array has.
  package var dtype: DType?
  /// Nil where not even the number of axes is known.
  package var shape: [Dimension]?
}

/// ONNX's numbers of element types.
package enum ONNXElement {
  private static let numbers: [(number: Int, dtype: DType)] = [
    (1, .float32), (2, .uint8), (3, .int8), (4, .uint16), (5, .int16), (6, .int32), (7, .int64),
    (9, .bool), (10, .float16), (11, .float64), (12, .uint32), (13, .uint64), (16, .bfloat16),
  ]

  private static let others: [Int: String] = [
    8: "text", 14: "complex64", 15: "complex128", 17: "float8", 18: "float8", 19: "float8",
    20: "float8", 21: "uint4", 22: "int4", 23: "float4", 24: "float8",
  ]

  /// The dtype of a number; nil for types that no array has.
  package static func dtype(_ number: Int) -> DType? {
    numbers.first { $0.number == number }?.dtype
  }

  package static func number(_ dtype: DType) -> Int {
    numbers.first { $0.dtype == dtype }?.number ?? 1
  }

  /// What a person calls the type.
  package static func name(_ number: Int) -> String {
    dtype(number)?.rawValue ?? others[number] ?? "type \(number)"
  }
}
