import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The same elements, in row-major order, in another shape.
  public func reshaped(_ shape: Shape) -> Tensor {
    type.isKnown && self.shape == shape ? self : Tensor(Reshape(shape: shape), self)
  }

  /// All axes from `axis` on as one.
  public func flattened(from axis: Int = 0) -> Tensor {
    let kept = shape.prefix(axis)
    return reshaped(kept + [shape.dropFirst(axis).reduce(1) { $0 * $1 }])
  }

  /// A new axis of size 1 before `axis` (negative: counted from the end of the result).
  public func expanded(axis: Int) -> Tensor {
    var target = shape
    let position = axis < 0 ? axis + rank + 1 : axis
    target.insert(1, at: Swift.min(Swift.max(position, 0), rank))
    return reshaped(target)
  }
}

struct Reshape: Operation {
  static let name = "reshape"
  let shape: Shape

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let result = TensorType(operands[0].dtype, shape)
    guard result.count.mayEqual(operands[0].count) else {
      throw TypeError("\(operands[0].count) elements do not fill a shape of \(result.count)")
    }
    return [result]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    [upstream[0]?.reshaped(operands[0].shape)]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    [operands[0].reshaped(types[0].knownShape ?? [])]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (source, target) = (operands[0].shape, shape)
    return .view(
      { view in Reshape.view(view, as: target) },
      pull: { index, operand in
        operand(Reshape.indices(of: Reshape.position(index, in: target), in: source))
      })
  }

  /// Strides can say it where the memory has no gaps, or where only axes of size 1 come and go.
  private static func view(_ view: StridedView, as target: Shape) -> StridedView? {
    if StridedView(shape: view.shape, strides: view.strides, offset: 0).isContiguous {
      return StridedView(shape: target, strides: target.rowMajorStrides, offset: view.offset)
    }
    let kept = view.shape.indices.filter { !view.shape[$0].isOne }
    guard kept.map({ view.shape[$0] }) == target.filter({ !$0.isOne }) else { return nil }
    var remaining = kept[...]
    let strides = target.map { size in
      size.isOne ? Size(0) : remaining.popFirst().map { view.strides[$0] } ?? 0
    }
    return StridedView(shape: target, strides: strides, offset: view.offset)
  }

  /// The row-major position of an index.
  static func position(_ index: [Scalar], in shape: Shape) -> Scalar {
    zip(shape.rowMajorStrides, index).reduce(.index(0)) { $0 + .index($1.0) * $1.1 }
  }

  /// The index of a row-major position.
  static func indices(of position: Scalar, in shape: Shape) -> [Scalar] {
    zip(shape, shape.rowMajorStrides).map { size, stride in
      let quotient = Scalar.binary(.floorDivide, position, .index(stride))
      return size.isOne ? .index(0) : .binary(.modulo, quotient, .index(size))
    }
  }

  func substituting(_ sizes: [String: Size]) -> Reshape {
    Reshape(shape: shape.map { $0.substituting(sizes) })
  }

  static let examples = [
    Example("flatten", [.init([2, 3, 4])]) { $0[0].flattened(from: 1) },
    Example("split", [.init([12])]) { $0[0].reshaped([3, 4]) },
    Example("not contiguous", [.init([3, 4])]) { $0[0].transposed().reshaped([2, 6]) },
    Example("axes of size 1", [.init([3, 4])]) { $0[0].transposed().expanded(axis: 1) },
    Example("no axes", [.init([1, 1])]) { $0[0].reshaped([]) },
    Example("empty", [.init([0, 4])]) { $0[0].reshaped([2, 0]) },
  ]
}

extension Reshape: FollowsLayout {
  /// The axis in blocks has to be an axis of the result, too, with as many elements before it.
  func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    guard let (axis, width) = layout.block else { return nil }
    let source = operands[0].shape
    let before = source.prefix(axis).reduce(1) { $0 * $1 }
    let place = shape.indices.first { candidate in
      shape[candidate] == source[axis] && shape.prefix(candidate).reduce(1) { $0 * $1 } == before
    }
    guard let place else { return nil }
    let result = Layout.blocked(axis: place, by: width, rank: shape.count)
    return LaidOutOperation(
      operation: Reshape(shape: result.shape(of: shape)), results: [result])
  }
}
