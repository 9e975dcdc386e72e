import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// Repeated along axes of known size 1 and along new leading axes.
  public func broadcast(to shape: Shape) -> Tensor {
    type.isKnown && self.shape == shape ? self : Tensor(Broadcast(shape: shape), self)
  }

  public static func zeros(like other: Tensor) -> Tensor {
    .constant(0, other.dtype).broadcast(to: other.shape)
  }

  public static func ones(like other: Tensor) -> Tensor {
    .constant(1, other.dtype).broadcast(to: other.shape)
  }

  /// `value` everywhere.
  public static func filled(_ value: Double, _ shape: Shape, _ dtype: DType = .float32) -> Tensor {
    .constant(value, dtype).broadcast(to: shape)
  }
}

struct Broadcast: Operation {
  static let name = "broadcast"
  let shape: Shape

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let missing = shape.count - operands[0].rank
    guard missing >= 0 else {
      throw TypeError("\(operands[0].rank) axes do not fit into \(shape.count)")
    }
    for (axis, size) in operands[0].shape.enumerated() {
      let target = shape[axis + missing]
      guard size.isOne || size.mayEqual(target) else {
        throw TypeError("axis \(axis) of size \(size) does not become \(target)")
      }
    }
    return [TensorType(operands[0].dtype, shape)]
  }

  // What was repeated is summed.
  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil] }
    let source = operands[0].shape
    let missing = shape.count - source.count
    let repeated = shape.indices.filter {
      $0 < missing || (source[$0 - missing].isOne && !shape[$0].isOne)
    }
    return [upstream.sum(axes: repeated).reshaped(source)]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    [operands[0].broadcast(to: types[0].knownShape ?? []).contiguous()]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let source = operands[0].shape
    let missing = shape.count - source.count
    let target = shape
    return .view(
      { view in
        let strides = target.indices.map { axis -> Size in
          axis < missing || source[axis - missing].isOne ? 0 : view.strides[axis - missing]
        }
        return StridedView(shape: target, strides: strides, offset: view.offset)
      },
      pull: { index, operand in
        operand(source.indices.map { source[$0].isOne ? .index(0) : index[$0 + missing] })
      })
  }

  func substituting(_ sizes: [String: Size]) -> Broadcast {
    Broadcast(shape: shape.map { $0.substituting(sizes) })
  }

  static let examples = [
    Example("new leading axes", [.init([3])]) { $0[0].broadcast(to: [2, 4, 3]) },
    Example("size 1 repeated", [.init([3, 1])]) { $0[0].broadcast(to: [3, 5]) },
    Example("a number", [.init([])]) { $0[0].broadcast(to: [2, 2]) },
    Example("to nothing", [.init([1, 3])]) { $0[0].broadcast(to: [0, 3]) },
  ]
}

extension Broadcast: FollowsLayout {
  /// The axis in blocks must not be repeated itself.
  func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    guard let (axis, _) = layout.block, operands[0].rank == shape.count,
      operands[0].shape[axis] == shape[axis]
    else { return nil }
    return LaidOutOperation(
      operation: Broadcast(shape: layout.shape(of: shape)), results: [layout])
  }
}
