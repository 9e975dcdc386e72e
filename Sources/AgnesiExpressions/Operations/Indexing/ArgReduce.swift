import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// The position of the largest element along an axis, the first of equal ones; NaN is larger than
  /// any number.
  ///
  /// - Parameter axis: negative axes count from the end; nil: of all elements in row-major order.
  /// - Returns: int64, without the axis.
  public func argMax(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    argReduced(.maximum, axis, keepingAxis)
  }

  /// The position of the smallest element along an axis, the first of equal ones; NaN is larger than
  /// any number.
  public func argMin(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    argReduced(.minimum, axis, keepingAxis)
  }

  private func argReduced(_ combiner: Combiner, _ axis: Int?, _ keepingAxis: Bool) -> Tensor {
    guard let axis else { return flattened().argReduced(combiner, 0, keepingAxis) }
    let position = type.isKnown ? normalized(axis) : axis
    let result = Tensor(ArgReduce(combiner: combiner, axis: position), self)
    return keepingAxis && result.type.isKnown ? result.expanded(axis: position) : result
  }
}

/// The place of the largest or smallest element along an axis.
struct ArgReduce: Operation {
  static let name = "argReduce"
  /// `maximum` or `minimum`.
  let combiner: Combiner
  let axis: Int

  var label: String { combiner == .maximum ? "argMax" : "argMin" }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    var shape = operands[0].shape
    guard shape.indices.contains(axis) else {
      throw TypeError("axis \(axis) of a tensor of \(shape.count) axes")
    }
    guard !shape[axis].isZero else { throw TypeError("axis \(axis) is empty") }
    shape.remove(at: axis)
    return [TensorType(.int64, shape)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] { [nil] }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let winners = operands[0].rows(of: operands[0].orderedKeys, along: axis).map { row -> Int64 in
      let best = combiner == .maximum ? row.max() : row.min()
      return Int64(row.firstIndex { $0 == best } ?? 0)
    }
    return [NDArray(wrapping: winners, shape: types[0].knownShape ?? [], .int64)]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (axis, isMaximum) = (axis, combiner == .maximum)
    return .loops { context in
      let (x, result) = (context.operands[0], context.results[0])
      return context.nest("row", result.shape, parallel: true) { outer in
        func element(_ position: Scalar) -> Scalar {
          x(Array(outer[..<axis]) + [position] + outer[axis...])
        }
        let best = Scalar.local(0, x.dtype.computed)
        let place = Scalar.local(1, .int64)
        let scan = context.nest("number", [x.shape[axis]]) { number in
          let candidate = Scalar.local(2, x.dtype.computed)
          let isBetter = isMaximum ? best.isLess(than: candidate) : candidate.isLess(than: best)
          return [
            .define(2, element(number[0])),
            .when(isBetter, [.assign(0, candidate), .assign(1, number[0])]),
          ]
        }
        return [.define(0, element(.index(0))), .define(1, .index(0))] + scan
          + [result.store(place, at: outer)]
      }
    }
  }

  static let examples = [
    Example("of rows", [.init([4, 9], .distinct)], differentiable: false) {
      $0[0].argMax(axis: 1)
    },
    Example("of columns", [.init([4, 3], .distinct)], differentiable: false) {
      $0[0].argMin(axis: 0)
    },
    Example("of all", [.init([4, 3], .distinct)], differentiable: false) { $0[0].argMax() },
    Example("ties", [.init([3, 9], .whole(0...2))], differentiable: false) {
      $0[0].argMax(axis: -1)
    },
    Example("least ties", [.init([3, 9], .whole(0...2), .int32)], differentiable: false) {
      $0[0].argMin(axis: -1, keepingAxis: true)
    },
    Example(
      "NaN is the largest", [.init([5], .given([1, .nan, .infinity, .nan, -2]))],
      differentiable: false
    ) { $0[0].argMax() },
    Example(
      "NaN is not the smallest", [.init([4], .given([.nan, 1, -2, .nan]))],
      differentiable: false
    ) { $0[0].argMin() },
    Example("nothing but NaN", [.init([2], .given([.nan, .nan]))], differentiable: false) {
      $0[0].argMin()
    },
    Example("no rows", [.init([0, 3])], differentiable: false) { $0[0].argMax(axis: 1) },
    Example("middle axis", [.init([2, 5, 3], .distinct)], differentiable: false) {
      $0[0].argMax(axis: 1)
    },
  ]
}

// MARK: - Order

extension NDArray {
  /// Numbers that have the order of the elements, in which NaN is larger than any number, and are equal
  /// where elements are; in row-major order.
  var orderedKeys: [Int64] {
    if dtype == .uint64 { return wholes.map { $0 ^ .min } }
    return dtype.isFloating ? doubles.map(\.orderedKey) : wholes
  }

  /// The given elements of an array of this shape along an axis, for each index of the other axes in row-major
  /// order.
  func rows<Element>(of elements: [Element], along axis: Int) -> [[Element]] {
    let (step, length) = (shape[(axis + 1)...].product, shape[axis])
    let count = shape[..<axis].reduce(step, *)
    return (0..<count).map { row -> [Element] in
      let start = row / step * length * step + row % step
      return (0..<length).map { elements[start + $0 * step] }
    }
  }

  /// The elements in row-major order of an array of the given shape, whose rows along an axis are given.
  static func joined<Element>(
    _ rows: [[Element]], along axis: Int, shape: [Int]
  ) -> [Element] {
    let (step, length) = (shape[(axis + 1)...].product, shape[axis])
    let count = shape.product
    return (0..<count).map { number -> Element in
      let row = number / (step * length) * step + number % step
      return rows[row][number / step % length]
    }
  }
}

extension Double {
  /// A whole number that has the order of the numbers, −0 being 0 and NaN the largest.
  fileprivate var orderedKey: Int64 {
    if isNaN { return .max }
    let bits = Int64(bitPattern: magnitude.bitPattern)
    return self < 0 ? -bits : bits
  }
}

extension Scalar {
  /// In the order of all elements: NaN is larger than any number.
  func isLess(than other: Scalar) -> Scalar {
    guard dtype.isFloating else { return self .< other }
    return (self .< other) .| (other(.isNaN) .& .unary(.not, self(.isNaN)))
  }
}
