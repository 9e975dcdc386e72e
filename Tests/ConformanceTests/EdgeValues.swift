import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Numbers of each dtype at which arithmetic goes wrong first.
enum EdgeValues {
  /// The smallest and the largest, −1, 0, 2⁵³ + 1 and the like; of floats NaN, infinities, both zeros,
  /// subnormals and numbers beside the ranges of integers.
  static func all(_ dtype: DType) -> NDArray {
    if dtype.isFloating {
      let values = floats + floats.filter { $0 != 0 && !$0.isNaN }.map { -$0 }
      return NDArray(rounding: values, shape: [values.count], dtype)
    }
    if dtype == .bool { return NDArray([false, true]) }
    let (smallest, largest) = (dtype.wholeRange.lowerBound, dtype.wholeRange.upperBound)
    let values: [Int64] = [
      0, 1, 2, 3, 7, 63, 64, 100, -1, -2, -7, smallest, smallest &+ 1, largest, largest &- 1,
      largest / 2, (1 << 53) + 1, 1 << 53, -(1 << 53) - 1, (1 << 24) + 1, 1 << 31, 1 << 32, .min,
    ]
    return NDArray(wrapping: values, shape: [values.count], dtype)
  }

  private static let floats: [Double] = [
    0, -0.0, 1, 0.5, 1.5, 2.5, 3, 7, 0.1, 127.5, 128, 255.9, 256, 32_768, 40_000, 65_504, 65_519,
    65_520, 0x1p24 + 2, 0x1p31, 0x1p32, 0x1p53, 0x1p63, 0x1.8p63, 0x1p64, 1e30, 0x1.fffffep127,
    0x1p-126, 0x1p-149, 0x1p-14, 0x1p-24, 0x1p-25, 0x1p-1022, Double.leastNonzeroMagnitude,
    0x1.fffffffffffffp1023,
    .infinity, .nan,
  ]

  /// All pairs, as two matrices.
  static func pairs(_ dtype: DType) -> [NDArray] {
    let edges = all(dtype)
    let count = edges.count
    return [
      edges.reshaped([count, 1]).broadcast(to: [count, count]).contiguous(),
      edges.broadcast(to: [count, count]).contiguous(),
    ]
  }
}

/// An operation and edge values for its operands.
struct EdgeCase {
  let operation: any AgnesiExpressions.Operation
  let operands: [NDArray]

  /// Operations whose results are the same to the last bit in each executor, of floats too: those that round
  /// once, move or compare.
  private static let exact: Set<String> = [
    "add", "subtract", "multiply", "divide", "negate", "abs", "sign", "sqrt", "floor", "ceil",
    "trunc", "round", "maximum", "minimum", "equal", "notEqual", "less", "lessOrEqual", "select",
    "isNaN", "cast", "stopGradient", "argMax", "argMin", "sort", "topK", "modulo", "floorDivide",
    "not", "and", "or", "xor",
  ]

  /// Functions of each element, folds along axes and choices by order, as the examples have them.
  private static let operations: [any AgnesiExpressions.Operation] = {
    var found: [any AgnesiExpressions.Operation] = []
    for item in ConformanceCase.all {
      for node in item.built(.float32).outputs.topologicalNodes() {
        let operation = node.operation
        guard isWanted(operation), !found.contains(where: { $0.isEqual(to: operation) }) else {
          continue
        }
        found.append(operation)
      }
    }
    return found
      + DType.allCases.map { target in
        let source = Tensor.input("x", [1], target == .bool ? .int8 : .bool)
        return source.cast(to: target).node.operation
      }
  }()

  private static func isWanted(_ operation: any AgnesiExpressions.Operation) -> Bool {
    if operation is any UnaryElementwise || operation is any BinaryElementwise { return true }
    let folds: Set = ["reduce", "sort", "topK", "argReduce", "cumulativeSum", "select"]
    return folds.contains(type(of: operation).name)
  }

  /// Every operation that accepts `dtype` and is exact there.
  static func all(_ dtype: DType) -> [EdgeCase] {
    let pairs = EdgeValues.pairs(dtype)
    let condition = NDArray(
      wrapping: (0..<pairs[0].count).map { Int64($0 % 3 == 0 ? 1 : 0) }, shape: pairs[0].shape,
      .bool)
    return operations.compactMap { operation in
      if dtype.isFloating, !exact.contains(operation.label) { return nil }
      let operands = operation.label == "select" ? [condition] + pairs : pairs
      let item = EdgeCase(
        operation: operation, operands: Array(operands.prefix(operation.arity.lowerBound)))
      return (try? item.types) == nil ? nil : item
    }
  }

  var types: [TensorType] {
    get throws {
      try operation.types(
        of: operands.map { TensorType($0.dtype, $0.shape.map { Size($0) }) })
    }
  }
}

/// What differs: bit by bit but for the bits of NaN.
func bitDifference(_ expected: NDArray, _ actual: NDArray) -> String? {
  guard expected.dtype == actual.dtype, expected.shape == actual.shape else {
    return "\(expected.dtype)\(expected.shape) expected, got \(actual.dtype)\(actual.shape)"
  }
  if expected.isIdentical(to: actual) { return nil }
  if !expected.dtype.isFloating {
    let (want, got) = (expected.wholes, actual.wholes)
    return zip(want, got).enumerated().first { $1.0 != $1.1 }
      .map { "element \($0): \($1.0) expected, got \($1.1)" }
  }
  let pairs = zip(expected.doubles, actual.doubles).enumerated()
  return pairs.first { !($1.0.isNaN && $1.1.isNaN) && $1.0.bitPattern != $1.1.bitPattern }
    .map { "element \($0): \($1.0) expected, got \($1.1)" }
}
