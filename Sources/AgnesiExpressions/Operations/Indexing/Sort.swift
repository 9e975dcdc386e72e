import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The elements along an axis in order, and the positions that they had.
  ///
  /// Stable: equal elements keep their order. NaN is larger than any number.
  /// - Parameters:
  ///   - axis: negative axes count from the end.
  ///   - descending: whether the largest comes first.
  /// - Returns: values of the dtype and shape of this, and positions as int64. The gradient of a
  ///   value goes to where it came from.
  /// - Complexity: `n · log n` comparisons for each row of n elements.
  public func sortedWithIndices(
    axis: Int = -1, descending: Bool = false
  ) -> (values: Tensor, indices: Tensor) {
    let position = type.isKnown ? normalized(axis) : axis
    let results = Tensor.make(Sort(axis: position, isDescending: descending), [self])
    return (results[0], results[1])
  }

  /// The elements along an axis in order; see ``sortedWithIndices(axis:descending:)``.
  public func sorted(axis: Int = -1, descending: Bool = false) -> Tensor {
    sortedWithIndices(axis: axis, descending: descending).values
  }

  /// The positions along an axis in the order of their elements.
  public func argSort(axis: Int = -1, descending: Bool = false) -> Tensor {
    sortedWithIndices(axis: axis, descending: descending).indices
  }
}

struct Sort: Operation {
  static let name = "sort"
  let axis: Int
  let isDescending: Bool

  var resultCount: Int { 2 }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let operand = operands[0]
    guard operand.shape.indices.contains(axis) else {
      throw TypeError("axis \(axis) of a tensor of \(operand.rank) axes")
    }
    return [operand, TensorType(.int64, operand.shape)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0], upstream.dtype.isFloating else { return [nil] }
    let scatter = ScatterAlongAxis(axis: axis, size: operands[0].shape[axis])
    return [Tensor(scatter, results[1], upstream)]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let orders = operands[0].rows(of: operands[0].orderedKeys, along: axis).map {
      NDArray.order($0, isDescending: isDescending)
    }
    return NDArray.picked(operands[0], orders, along: axis, shape: types[0].knownShape ?? [])
  }

  /// Heapsort of the positions, in the memory of their result.
  ///
  /// The order of (element, position) is total, so the result is that of a stable sort.
  /// Source: Knuth, *The Art of Computer Programming*, vol. 3, §5.2.3.
  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    .loops { context in
      let (x, values, indices) = (context.operands[0], context.results[0], context.results[1])
      var others = x.shape
      others.remove(at: axis)
      return context.nest("row", others, parallel: true) { outer in
        let heap = Heap(
          size: x.shape[axis], isDescending: isDescending, keys: x, heap: indices,
          row: { Array(outer[..<axis]) + [$0] + outer[axis...] })
        let copies = context.nest("copied", [heap.size]) { place in
          let position = heap.row(place[0])
          return [values.store(x(heap.row(indices(position))), at: position)]
        }
        return heap.sorted(context) + copies
      }
    }
  }

  static let examples = [
    Example("rows", [.init([3, 9], .distinct)], smooth: false) { $0[0].sorted() },
    Example(
      "columns, descending", [.init([6, 2], .distinct)], smooth: false,
      results: {
        let sorted = $0[0].sortedWithIndices(axis: 0, descending: true)
        return [sorted.values, sorted.indices]
      }),
    Example("ties", [.init([2, 17], .whole(0...3), .int32)], differentiable: false) {
      $0[0].argSort()
    },
    Example("ties, descending", [.init([2, 17], .whole(0...3), .int32)], differentiable: false) {
      $0[0].argSort(descending: true)
    },
    Example(
      "NaN", [.init([6], .given([1, .nan, 3, .nan, .infinity, 3]))], differentiable: false,
      results: {
        let sorted = $0[0].sortedWithIndices()
        return [sorted.values, sorted.indices]
      }),
    Example("one", [.init([2, 1])]) { $0[0].sorted() },
    Example("empty", [.init([2, 0])]) { $0[0].sorted() },
    Example("a hundred", [.init([100], .distinct)], smooth: false) { $0[0].sorted() },
  ]
}

/// The loops of heapsort over one row of positions.
private struct Heap {
  let size: Size
  let isDescending: Bool
  let keys: LoopContext.Memory
  let heap: LoopContext.Memory
  let row: (Scalar) -> [Scalar]

  /// The node that sinks, its larger child, the position that sinks.
  private let node = Scalar.local(0, .int64)
  private let child = Scalar.local(1, .int64)
  private let sinking = Scalar.local(2, .int64)

  init(
    size: Size, isDescending: Bool, keys: LoopContext.Memory, heap: LoopContext.Memory,
    row: @escaping (Scalar) -> [Scalar]
  ) {
    self.size = size
    self.isDescending = isDescending
    self.keys = keys
    self.heap = heap
    self.row = row
  }

  private func position(_ place: Scalar) -> Scalar { heap(row(place)) }

  private func store(_ position: Scalar, at place: Scalar) -> Statement {
    heap.store(position, at: row(place))
  }

  /// Whether position `a` stands before `b` in the result.
  private func precedes(_ a: Scalar, _ b: Scalar) -> Scalar {
    let (x, y) = (keys(row(a)), keys(row(b)))
    let (first, second) = isDescending ? (y, x) : (x, y)
    return first.isLess(than: second)
      .| (.unary(.not, second.isLess(than: first)) .& (a .< b))
  }

  func sorted(_ context: LoopContext) -> [Statement] {
    let last = Scalar.index(size - 1)
    let start = context.nest("start", [size]) { [store($0[0], at: $0[0])] }
    let build = context.nest("built", [size / 2]) { step in
      [.define(0, .index(size / 2 - 1) - step[0])] + sink(context, "deep", before: .index(size))
    }
    let extract = context.nest("taken", [size]) { step in
      let end = last - step[0]
      let top = Scalar.local(3, .int64)
      return [
        .define(3, position(.index(0))), store(position(end), at: .index(0)), store(top, at: end),
        .define(0, .index(0)),
      ] + sink(context, "sunk", before: end)
    }
    return start + build + extract
  }

  /// Lets the position at local 0 sink to where no child in front of `end` is larger.
  private func sink(
    _ context: LoopContext, _ name: String, before end: Scalar
  ) -> [Statement] {
    let next = child + .index(1)
    let descend: [Statement] = [
      .define(1, node * .index(2) + .index(1)),
      .when(
        child .< end,
        [
          .when(
            next .< end, [.when(precedes(position(child), position(next)), [.assign(1, next)])]),
          .define(2, position(node)),
          .when(
            precedes(sinking, position(child)),
            [store(position(child), at: node), store(sinking, at: child), .assign(0, child)]),
        ]),
    ]
    // A node that has come to rest stays: the loop runs as deep as the heap may be.
    return context.nest(name, [Size(depth)]) { _ in descend }
  }

  private var depth: Int {
    guard let known = size.known else { return 40 }
    return Int.bitWidth - Swift.max(known, 1).leadingZeroBitCount
  }
}
