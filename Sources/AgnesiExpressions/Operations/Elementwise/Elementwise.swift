import AgnesiArrays
import AgnesiLoops

// What elementwise operations share. A conforming type states its scalar function three times: as
// Swift on doubles and, where integers have it, on whole numbers (the meaning), as a loop scalar (the
// code), and its derivative.

/// A function of each element of one tensor.
public protocol UnaryElementwise: Operation {
  /// The dtype of the result, and which operands are accepted.
  func resultType(_ operand: DType) throws(TypeError) -> DType
  /// The gradient of the operand; nil where the function is flat or not differentiable.
  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor?
  /// Whether the derivative is finite wherever the element is.
  var hasBoundedDerivative: Bool { get }
  /// The meaning, on doubles.
  func value(_ x: Double) -> Double
  /// The meaning on whole numbers, where there is one; the low bits are kept.
  func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole
  /// The code.
  func scalar(_ x: Scalar) -> Scalar
}

extension UnaryElementwise {
  public var hasBoundedDerivative: Bool { false }
  public func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole {
    internalError("\(Self.name) of whole numbers")
  }

  /// Floating operands only, which is what most functions want.
  public func resultType(_ operand: DType) throws(TypeError) -> DType {
    guard operand.isFloating else {
      throw TypeError(
        "needs a floating operand, got \(operand)", hint: operand.conversionHint(to: .float32))
    }
    return operand
  }

  public func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [TensorType(try resultType(operands[0].dtype), operands[0].shape)]
  }

  public func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil] }
    return [gradient(upstream, operands[0], results[0])]
  }

  public func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (x, dtype) = (operands[0], types[0].dtype)
    if x.dtype.isFloating {
      return [NDArray(rounding: x.doubles.map { value($0) }, shape: x.shape, dtype)]
    }
    let values = x.wholes.map { element in
      x.dtype == .uint64
        ? Int64(bitPattern: value(UInt64(bitPattern: element))) : value(element)
    }
    return [NDArray(wrapping: values, shape: x.shape, dtype)]
  }

  public func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    .elementwise { scalar($0[0]) }
  }
}

/// A function of the elements of two tensors of one shape and dtype; `applied(to:)` broadcasts and
/// converts to get there.
public protocol BinaryElementwise: Operation {
  func resultType(_ operands: DType) throws(TypeError) -> DType
  /// The gradients of the two operands.
  func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor, _ result: Tensor
  ) -> (Tensor?, Tensor?)
  /// Whether the derivatives are finite wherever the elements are.
  var hasBoundedDerivative: Bool { get }
  func value(_ x: Double, _ y: Double) -> Double
  /// The meaning on whole numbers, where there is one; the low bits are kept.
  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole
  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar
}

extension BinaryElementwise {
  public var hasBoundedDerivative: Bool { false }
  public func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole {
    internalError("\(Self.name) of whole numbers")
  }
  public var elementCost: Int { 1 }
  public var roles: [String] { ["left", "right"] }

  public func resultType(_ operands: DType) throws(TypeError) -> DType { operands }

  public func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, y) = (operands[0], operands[1])
    guard x.dtype == y.dtype else {
      throw TypeError("operands of two dtypes, \(x.dtype) and \(y.dtype)")
    }
    let shape = try Shape.equal(x.shape, y.shape)
    return [TensorType(try resultType(x.dtype), shape)]
  }

  public func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    let (x, y) = gradient(upstream, operands[0], operands[1], results[0])
    return [x, y]
  }

  public func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (x, y, dtype) = (operands[0], operands[1], types[0].dtype)
    if x.dtype.isFloating {
      let values = zip(x.doubles, y.doubles).map { value($0, $1) }
      return [NDArray(rounding: values, shape: x.shape, dtype)]
    }
    let values = zip(x.wholes, y.wholes).map { a, b in
      x.dtype == .uint64
        ? Int64(bitPattern: value(UInt64(bitPattern: a), UInt64(bitPattern: b))) : value(a, b)
    }
    return [NDArray(wrapping: values, shape: x.shape, dtype)]
  }

  public func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    .elementwise { scalar($0[0], $0[1]) }
  }

  /// With operands converted to their common dtype and repeated along axes of size 1.
  public func applied(to operands: [Tensor]) -> [Tensor] {
    Tensor.make(self, Tensor.aligned(operands))
  }
}

extension Shape {
  /// The shape of two operands that must agree; where one side of an axis is a number and the other
  /// a name, the number is kept.
  static func equal(_ a: Shape, _ b: Shape) throws(TypeError) -> Shape {
    guard a.count == b.count else {
      throw TypeError("ranks differ, \(a.count) ≠ \(b.count)")
    }
    for axis in a.indices where !a[axis].mayEqual(b[axis]) {
      throw TypeError("sizes of axis \(axis) differ, \(a[axis]) ≠ \(b[axis])")
    }
    return a.indices.map { a[$0].known == nil ? b[$0].known.map { Size($0) } ?? a[$0] : a[$0] }
  }

  /// The shape that both broadcast to; nil where they do not.
  ///
  /// An axis of known size 1, or missing in front, is repeated. A size that only has a name is
  /// never repeated, even if it turns out to be 1: that would hide mistakes until run time.
  static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
    let rank = Swift.max(a.count, b.count)
    let left = Shape(repeating: 1, count: rank - a.count) + a
    let right = Shape(repeating: 1, count: rank - b.count) + b
    var result = Shape()
    for (x, y) in zip(left, right) {
      guard x.isOne || y.isOne || x.mayEqual(y) else { return nil }
      if x.isOne { result.append(y) } else { result.append(x.known == nil && !y.isOne ? y : x) }
    }
    return result
  }
}

extension Tensor {
  /// Operands in one dtype and shape; unchanged where that is impossible, so that the operation's
  /// type rule reports what the user wrote.
  package static func aligned(_ operands: [Tensor], convert: Bool = true) -> [Tensor] {
    guard operands.allSatisfy({ $0.type.isKnown }) else { return operands }
    var shape: Shape = []
    for operand in operands {
      guard let next = Shape.broadcast(shape, operand.shape) else { return operands }
      shape = next
    }
    guard convert else { return operands.map { $0.broadcast(to: shape) } }
    let dtype = operands.dropFirst().reduce(operands[0].dtype) { .promoted($0, $1.dtype) }
    return operands.map { $0.cast(to: dtype).broadcast(to: shape) }
  }

  /// `number` as this tensor's dtype; a fraction makes an integer tensor's partner float32.
  package func constant(like number: some TensorNumber) -> Tensor {
    guard let whole = number.wholeValue, !dtype.isFloating else {
      return .constant(number.tensorValue, dtype.isFloating ? dtype : .float32)
    }
    if dtype == .bool { return .constant(whole, Int32(exactly: whole) == nil ? .int64 : .int32) }
    guard dtype.holds(whole) else {
      return rejected(
        by: "constant", "\(whole) is no number of \(dtype), which a tensor beside it has",
        hint: "convert the tensor with cast(to: .int64)")
    }
    return .constant(whole, dtype)
  }

  package static func binary(_ operation: some BinaryElementwise, _ x: Tensor, _ y: Tensor)
    -> Tensor
  {
    operation.applied(to: [x, y])[0]
  }
}

/// A Swift number that may stand beside a tensor in a formula. It takes the tensor's dtype.
public protocol TensorNumber: Sendable {
  /// The number beside floats.
  var tensorValue: Double { get }
  /// The number beside integers and bools; nil for one that is no integer in Swift, whatever its value.
  var wholeValue: Int? { get }
}

extension Int: TensorNumber {
  public var tensorValue: Double { Double(self) }
  public var wholeValue: Int? { self }
}
extension Double: TensorNumber {
  public var tensorValue: Double { self }
  public var wholeValue: Int? { nil }
}
extension Float: TensorNumber {
  public var tensorValue: Double { Double(self) }
  public var wholeValue: Int? { nil }
}

extension DType {
  /// Whether a whole number is one of this integer dtype.
  fileprivate func holds(_ value: Int) -> Bool { wholeRange.contains(Int64(value)) }
}
