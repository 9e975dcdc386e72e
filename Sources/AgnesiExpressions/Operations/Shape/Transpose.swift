import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The axes in another order: axis `i` of the result is axis `axes[i]` of this. Without an
  /// argument the order is reversed.
  public func transposed(_ axes: [Int]? = nil) -> Tensor {
    let order = axes ?? Array((0..<rank).reversed())
    return type.isKnown && order == Array(0..<rank) ? self : Tensor(Transpose(axes: order), self)
  }
}

struct Transpose: Operation {
  static let name = "transpose"
  let axes: [Int]

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let shape = operands[0].shape
    guard axes.sorted() == Array(shape.indices) else {
      throw TypeError("\(axes) does not order \(shape.count) axes")
    }
    return [TensorType(operands[0].dtype, axes.map { shape[$0] })]
  }

  private var inverse: [Int] { axes.indices.sorted { axes[$0] < axes[$1] } }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    [upstream[0]?.transposed(inverse)]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    [operands[0].transposed(axes).contiguous()]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (axes, inverse) = (axes, inverse)
    return .view(
      { view in
        StridedView(
          shape: axes.map { view.shape[$0] }, strides: axes.map { view.strides[$0] },
          offset: view.offset)
      },
      pull: { index, operand in operand(inverse.map { index[$0] }) })
  }

  static let examples = [
    Example("a matrix", [.init([3, 5])]) { $0[0].transposed() },
    Example("three axes", [.init([2, 3, 4])]) { $0[0].transposed([2, 0, 1]) },
    Example("empty", [.init([0, 2])]) { $0[0].transposed() },
    Example("a row", [.init([1, 4])]) { $0[0].transposed() },
  ]
}

extension Transpose: FollowsLayout {
  func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    guard let (axis, width) = layout.block, let place = axes.firstIndex(of: axis) else {
      return nil
    }
    return LaidOutOperation(
      operation: Transpose(axes: axes + [axes.count]),
      results: [.blocked(axis: place, by: width, rank: axes.count)])
  }
}
