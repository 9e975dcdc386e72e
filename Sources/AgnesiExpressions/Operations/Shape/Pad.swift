import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// `value` before and after the elements of each axis.
  ///
  /// - Parameters:
  ///   - widths: for each axis the numbers of new elements; negative ones cut elements off.
  ///   - value: what the new elements are.
  /// - Returns: the dtype of this, axis `i` longer by `widths[i].before + widths[i].after`.
  public func padded(_ widths: [(before: Int, after: Int)], value: Double = 0) -> Tensor {
    guard type.isKnown else { return self }
    let cropped = widths.count == rank ? cropped(widths) : self
    let (before, after) = (widths.map(\.before), widths.map(\.after))
    return Tensor(
      Pad(
        before: before.map { Size(Swift.max($0, 0)) }, after: after.map { Size(Swift.max($0, 0)) },
        between: widths.map { _ in 0 }, value: value), cropped)
  }

  /// What negative widths leave.
  private func cropped(_ widths: [(before: Int, after: Int)]) -> Tensor {
    guard widths.contains(where: { $0.before < 0 || $0.after < 0 }) else { return self }
    let starts = widths.map { Size(Swift.max(-$0.before, 0)) }
    let counts = widths.indices.map { axis in
      shape[axis] - starts[axis] - Size(Swift.max(-widths[axis].after, 0))
    }
    return Tensor(Slice(starts: starts, counts: counts, steps: widths.map { _ in 1 }), self)
  }

  /// Zeros after each element of the last axes, so that they become `factors` times as long.
  ///
  /// - Parameter factors: for each of the last axes, at least 1.
  public func dilated(by factors: [Int]) -> Tensor {
    guard type.isKnown else { return self }
    guard factors.count <= rank, factors.allSatisfy({ $0 >= 1 }) else {
      return rejected(by: "dilated", "factors \(factors) for \(rank) axes")
    }
    let gaps = [Int](repeating: 0, count: rank - factors.count) + factors.map { $0 - 1 }
    let none = Shape(repeating: 0, count: rank)
    return Tensor(Pad(before: none, after: gaps.map { Size($0) }, between: gaps, value: 0), self)
  }
}

/// Constant elements before, after and between the elements of each axis: the adjoint of ``Slice``.
struct Pad: Operation {
  static let name = "pad"
  let before: Shape
  let after: Shape
  /// The number of new elements between neighbours.
  let between: [Int]
  let value: Double

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let shape = operands[0].shape
    guard before.count == shape.count, after.count == shape.count, between.count == shape.count
    else { throw TypeError("\(before.count) widths for \(shape.count) axes") }
    for axis in shape.indices {
      let widths = [before[axis].known, after[axis].known, between[axis]]
      for case .some(let width) in widths where width < 0 {
        throw TypeError("axis \(axis) is padded by \(width)")
      }
    }
    return [
      TensorType(
        operands[0].dtype, shape.indices.map { before[$0] + spread(shape, $0) + after[$0] })
    ]
  }

  /// The size of an axis with the elements between.
  private func spread(_ shape: Shape, _ axis: Int) -> Size {
    shape[axis].isZero ? 0 : (shape[axis] - 1) * Size(between[axis] + 1) + 1
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil] }
    let slice = Slice(
      starts: before, counts: operands[0].shape, steps: between.map { $0 + 1 })
    return [Tensor(slice, upstream)]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let source = operands[0]
    let starts = before.map { $0.known ?? 0 }
    let result = NDArray(
      shape: types[0].knownShape ?? [], movedFrom: source, fill: value
    ) { index in
      var place: [Int] = []
      for axis in index.indices {
        let (position, step) = (index[axis] - starts[axis], between[axis] + 1)
        guard position >= 0, position % step == 0, position / step < source.shape[axis] else {
          return nil
        }
        place.append(position / step)
      }
      return place
    }
    return [result]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (shape, dtype) = (operands[0].shape, operands[0].dtype.computed)
    let fill = Scalar.constant(value, dtype)
    if shape.contains(where: \.isZero) { return .pull { _, _ in fill } }
    return .pull { index, operands in
      var conditions: [Scalar] = []
      let place = index.indices.map { axis in
        origin(index[axis], axis, spread(shape, axis), &conditions)
      }
      guard let first = conditions.first else { return operands[0](place) }
      let isInside = conditions.dropFirst().reduce(first) { $0 .& $1 }
      return .select(isInside, operands[0](place), fill)
    }
  }

  /// The position in the operand, right where the conditions hold.
  private func origin(
    _ index: Scalar, _ axis: Int, _ extent: Size, _ conditions: inout [Scalar]
  ) -> Scalar {
    let position = index - .index(before[axis])
    if !before[axis].isZero { conditions.append(position .>= .index(0)) }
    if !after[axis].isZero { conditions.append(position .< .index(extent)) }
    guard between[axis] > 0 else { return position }
    let step = Scalar.index(Size(between[axis] + 1))
    conditions.append(.binary(.modulo, position, step) .== .index(0))
    return .binary(.floorDivide, position, step)
  }

  func substituting(_ sizes: [String: Size]) -> Pad {
    Pad(
      before: before.map { $0.substituting(sizes) }, after: after.map { $0.substituting(sizes) },
      between: between, value: value)
  }

  static let examples = [
    Example("a border", [.init([3, 4])]) { $0[0].padded([(1, 2), (0, 1)]) },
    Example("a value", [.init([3])]) { $0[0].padded([(2, 0)], value: -1.5) },
    Example("cropped", [.init([5, 4])]) { $0[0].padded([(-1, -2), (1, -1)]) },
    Example("nothing", [.init([2, 3])]) { $0[0].padded([(0, 0), (0, 0)]) },
    Example("an empty axis", [.init([2, 0])]) { $0[0].padded([(0, 0), (1, 2)], value: 3) },
    Example("dilated", [.init([2, 3, 2])]) { $0[0].dilated(by: [2, 3]) },
    Example("dilated, size 1", [.init([1])]) { $0[0].dilated(by: [4]) },
    Example("bools", [.init([3], .given([1, 0, 1]), .bool)], differentiable: false) {
      $0[0].padded([(1, 1)], value: 1)
    },
    Example("not contiguous", [.init([3, 4])]) { $0[0].transposed().padded([(1, 0), (0, 2)]) },
  ]
}

extension Pad: FollowsLayout {
  /// Whole blocks may be added, and anything along other axes.
  func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    guard let (axis, width) = layout.block, between[axis] == 0,
      let first = before[axis].quotient(by: width), let last = after[axis].quotient(by: width),
      (first.isZero && last.isZero) || layout.divides(operands[0].shape)
    else { return nil }
    var (starts, ends) = (before + [0], after + [0])
    (starts[axis], ends[axis]) = (first, last)
    let operation = Pad(before: starts, after: ends, between: between + [0], value: value)
    return LaidOutOperation(operation: operation, results: [layout])
  }
}
