import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// Part of each axis: positions `start`, `start + step`, … before `end`.
  ///
  /// - Parameters:
  ///   - starts: for each axis; a negative number counts from the end.
  ///   - ends: likewise, excluded; nil: as far as the axis goes.
  ///   - steps: not 0; negative ones walk towards the start; 1 without an argument.
  /// - Returns: a view of the dtype of this. Positions outside of the axis are a mistake.
  public func sliced(_ starts: [Size], _ ends: [Size?], _ steps: [Int]? = nil) -> Tensor {
    guard type.isKnown else { return self }
    let steps = steps ?? starts.map { _ in 1 }
    guard starts.count == rank, ends.count == rank, steps.count == rank, !steps.contains(0) else {
      return rejected(
        by: "sliced",
        "\(starts.count) starts, \(ends.count) ends and steps \(steps) for \(rank) axes")
    }
    var (first, counts): (Shape, Shape) = ([], [])
    for axis in 0..<rank {
      let start = starts[axis].fromEnd(of: shape[axis])
      let step = steps[axis]
      let end = ends[axis]?.fromEnd(of: shape[axis]) ?? (step > 0 ? shape[axis] : -1)
      let span = step > 0 ? end - start : start - end
      first.append(start)
      counts.append((span + Size(Swift.abs(step) - 1)) / Size(Swift.abs(step)))
    }
    return Tensor(Slice(starts: first, counts: counts, steps: steps), self)
  }

  /// The elements of `axes` in reverse order.
  public func flipped(_ axes: [Int]) -> Tensor {
    let turned = Set(axes.map(normalized))
    guard type.isKnown, turned.allSatisfy(shape.indices.contains) else {
      return rejected(by: "flipped", "axes \(axes) of a tensor of \(rank) axes")
    }
    return Tensor(
      Slice(
        starts: shape.indices.map { turned.contains($0) ? shape[$0] - 1 : 0 }, counts: shape,
        steps: shape.indices.map { turned.contains($0) ? -1 : 1 }), self)
  }

  /// Part of one axis.
  package func sliced(axis: Int, from start: Size, count: Size) -> Tensor {
    var (starts, counts) = (Shape(repeating: 0, count: rank), shape)
    (starts[axis], counts[axis]) = (start, count)
    let steps = [Int](repeating: 1, count: rank)
    return Tensor(Slice(starts: starts, counts: counts, steps: steps), self)
  }
}

extension Size {
  /// A negative number as a position counted from the end of an axis.
  func fromEnd(of size: Size) -> Size { (known ?? 0) < 0 ? size + self : self }
}

/// Every `step`th element of each axis: the adjoint of ``Pad``.
struct Slice: Operation {
  static let name = "slice"
  var leavesElementsOut: Bool { true }
  let starts: Shape
  let counts: Shape
  /// Not 0.
  let steps: [Int]

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let shape = operands[0].shape
    guard starts.count == shape.count, counts.count == shape.count, steps.count == shape.count
    else { throw TypeError("\(starts.count) ranges for \(shape.count) axes") }
    for axis in shape.indices { try check(axis, shape[axis]) }
    return [TensorType(operands[0].dtype, counts)]
  }

  /// What depends on names is checked when they have values.
  private func check(_ axis: Int, _ size: Size) throws(TypeError) {
    guard let count = counts[axis].known else { return }
    guard count >= 0 else {
      throw TypeError("the range of axis \(axis) ends before it starts")
    }
    guard count > 0 else { return }
    let ends = [starts[axis], starts[axis] + Size(count - 1) * Size(steps[axis])]
    for position in ends {
      let isOutside = (position.known ?? 0) < 0 || (size - position).known.map { $0 <= 0 } ?? false
      if isOutside {
        throw TypeError("position \(position) of axis \(axis), whose size is \(size)")
      }
    }
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil] }
    let shape = operands[0].shape
    let forward = upstream.flipped(steps.indices.filter { steps[$0] < 0 })
    var (before, after): (Shape, Shape) = ([], [])
    for axis in shape.indices {
      let reach = counts[axis].isZero ? 0 : (counts[axis] - 1) * Size(Swift.abs(steps[axis]))
      let lowest = steps[axis] > 0 ? starts[axis] : starts[axis] - reach
      let first = counts[axis].isZero ? 0 : lowest
      before.append(first)
      after.append(shape[axis] - first - reach - (counts[axis].isZero ? 0 : 1))
    }
    let pad = Pad(
      before: before, after: after, between: steps.map { Swift.abs($0) - 1 }, value: 0)
    return [Tensor(pad, forward)]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let starts = starts.map { $0.known ?? 0 }
    let result = NDArray(shape: types[0].knownShape ?? [], movedFrom: operands[0]) { index in
      index.indices.map { starts[$0] + index[$0] * steps[$0] }
    }
    return [result]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (starts, counts, steps) = (starts, counts, steps)
    return .view(
      { view in
        let offset = view.strides.indices.reduce(view.offset) { sum, axis in
          sum + view.strides[axis] * starts[axis]
        }
        let strides = view.strides.indices.map { view.strides[$0] * Size(steps[$0]) }
        return StridedView(shape: counts, strides: strides, offset: offset)
      },
      pull: { index, operand in
        operand(index.indices.map { .index(starts[$0]) + index[$0] * .index(Size(steps[$0])) })
      })
  }

  func substituting(_ sizes: [String: Size]) -> Slice {
    Slice(
      starts: starts.map { $0.substituting(sizes) }, counts: counts.map { $0.substituting(sizes) },
      steps: steps)
  }

  static let examples = [
    Example("a middle part", [.init([5, 6])]) { $0[0].sliced([1, 2], [4, 5]) },
    Example("every second", [.init([7])]) { $0[0].sliced([1], [nil], [2]) },
    Example("backwards", [.init([7, 2])]) { $0[0].sliced([-1, 0], [nil, nil], [-2, 1]) },
    Example("backwards to an end", [.init([7])]) { $0[0].sliced([5], [1], [-3]) },
    Example("from the end", [.init([4, 5])]) { $0[0][(-2)..., ..<(-1)] },
    Example("one row", [.init([4, 5])]) { $0[0][2] },
    Example("one column", [.init([4, 5])]) { $0[0][.all, -1] },
    Example("every way", [.init([3, 6, 5, 4])]) {
      $0[0][1..<3, .rest, .newAxis, .slice(from: 3, by: -2)]
    },
    Example("empty", [.init([4])]) { $0[0][2..<2] },
    Example("flipped", [.init([3, 4])]) { $0[0].flipped([0, -1]) },
    Example("of a transposed matrix", [.init([3, 4])]) { $0[0].transposed()[1..<3] },
    Example("overlapping slices", [.init([6])]) { $0[0][0..<4] * $0[0][2..<6] },
  ]
}

extension Slice: FollowsLayout {
  /// Whole blocks may be taken, and anything along other axes.
  func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    guard let (axis, width) = layout.block else { return nil }
    let source = operands[0].shape
    var (starts, counts) = (starts + [0], counts + [Size(width)])
    let isWhole = starts[axis].isZero && counts[axis] == source[axis] && steps[axis] == 1
    if isWhole {
      counts[axis] = layout.shape(of: source)[axis]
    } else {
      guard steps[axis] == 1, layout.divides(source),
        let start = starts[axis].quotient(by: width), let count = counts[axis].quotient(by: width)
      else { return nil }
      (starts[axis], counts[axis]) = (start, count)
    }
    let operation = Slice(starts: starts, counts: counts, steps: steps + [1])
    return LaidOutOperation(operation: operation, results: [layout])
  }
}
