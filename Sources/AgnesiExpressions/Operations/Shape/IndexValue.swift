import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// Each element is its own position along `axis`: int64, of the given shape.
  public static func index(_ shape: Shape, axis: Int) -> Tensor {
    Tensor(IndexValue(shape: shape, axis: axis < 0 ? axis + shape.count : axis))
  }

  /// `0, 1, …, count - 1`, int64.
  public static func range(_ count: Size) -> Tensor { .index([count], axis: 0) }

  /// A size as a value: int64, of no axes.
  public static func integer(_ size: Size) -> Tensor {
    if let known = size.known { return .constant(known, .int64) }
    return Tensor(SizeValue(size: size))
  }
}

/// Positions along an axis.
struct IndexValue: Operation {
  static let name = "index"
  var roles: [String] { [] }
  let shape: Shape
  let axis: Int

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard shape.indices.contains(axis) else {
      throw TypeError("axis \(axis) of a tensor of \(shape.count) axes")
    }
    return [TensorType(.int64, shape)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] { [] }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let known = types[0].knownShape ?? []
    let line = NDArray((0..<known[axis]).map { Int64($0) })
    let narrow = known.indices.map { $0 == axis ? known[axis] : 1 }
    return [line.reshaped(narrow).broadcast(to: known).contiguous()]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let axis = axis
    return .pull { index, _ in index[axis] }
  }

  func substituting(_ sizes: [String: Size]) -> IndexValue {
    IndexValue(shape: shape.map { $0.substituting(sizes) }, axis: axis)
  }

  static let examples = [
    Example("rows", [], differentiable: false) { _ in .index([3, 4], axis: 0) },
    Example("columns", [], differentiable: false) { _ in .index([3, 4], axis: -1) },
    Example("range", [], differentiable: false) { _ in .range(7) },
  ]
}

/// A size as a value.
struct SizeValue: Operation {
  static let name = "size"
  var roles: [String] { [] }
  let size: Size

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [TensorType(.int64, [])]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] { [] }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    guard let known = size.known else { internalError("the size \(size) has no value") }
    return [NDArray(scalar: Int64(known))]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let size = size
    return .pull { _, _ in .index(size) }
  }

  func substituting(_ sizes: [String: Size]) -> SizeValue {
    SizeValue(size: size.substituting(sizes))
  }

  static let examples = [
    Example("known", [], differentiable: false) { _ in Tensor(SizeValue(size: 5)) }
  ]
}
