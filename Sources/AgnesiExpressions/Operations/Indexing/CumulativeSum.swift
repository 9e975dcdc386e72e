import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// At each place, the sum of the elements up to it along an axis.
  ///
  /// - Parameters:
  ///   - axis: negative axes count from the end.
  ///   - reversed: whether sums run from the end to the start.
  /// - Returns: the shape and dtype of this; bools as int64.
  public func cumulativeSum(axis: Int, reversed: Bool = false) -> Tensor {
    let summed = dtype == .bool ? cast(to: .int64) : self
    let position = type.isKnown ? normalized(axis) : axis
    return Tensor(CumulativeSum(axis: position, isReversed: reversed), summed)
  }
}

struct CumulativeSum: Operation {
  static let name = "cumulativeSum"
  let axis: Int
  let isReversed: Bool

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let operand = operands[0]
    guard operand.shape.indices.contains(axis) else {
      throw TypeError("axis \(axis) of a tensor of \(operand.rank) axes")
    }
    guard operand.dtype != .bool else { throw TypeError("bools have no sum") }
    return [operand]
  }

  // An element is part of all later sums.
  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    [upstream[0].map { Tensor(CumulativeSum(axis: axis, isReversed: !isReversed), $0) }]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (x, shape) = (operands[0], operands[0].shape)
    func sums<Number>(_ elements: [Number], _ zero: Number, _ add: (Number, Number) -> Number)
      -> [Number]
    {
      let rows = x.rows(of: elements, along: axis).map { row -> [Number] in
        var sum = zero
        let sums = (isReversed ? row.reversed() : row).map { value -> Number in
          sum = add(sum, value)
          return sum
        }
        return isReversed ? sums.reversed() : sums
      }
      return NDArray.joined(rows, along: axis, shape: shape)
    }
    return x.dtype.isFloating
      ? [NDArray(rounding: sums(x.doubles, 0, +), shape: shape, types[0].dtype)]
      : [NDArray(wrapping: sums(x.wholes, 0, &+), shape: shape, types[0].dtype)]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (axis, isReversed) = (axis, isReversed)
    return .loops { context in
      let (x, result) = (context.operands[0], context.results[0])
      var others = x.shape
      let size = others.remove(at: axis)
      return context.nest("row", others, parallel: true) { outer in
        let sum = Scalar.local(0, x.dtype.computed)
        let sums = context.nest("number", [size]) { step in
          let place = isReversed ? .index(size - 1) - step[0] : step[0]
          let index = Array(outer[..<axis]) + [place] + outer[axis...]
          return [.assign(0, sum + x(index)), result.store(sum, at: index)]
        }
        return [.define(0, .constant(0, x.dtype.computed))] + sums
      }
    }
  }

  static let examples = [
    Example("rows", [.init([3, 7])]) { $0[0].cumulativeSum(axis: -1) },
    Example("columns, reversed", [.init([5, 2])]) { $0[0].cumulativeSum(axis: 0, reversed: true) },
    Example("a long row", [.init([300])], tolerance: 64) { $0[0].cumulativeSum(axis: 0) },
    Example("empty", [.init([2, 0])]) { $0[0].cumulativeSum(axis: 1) },
    Example("bools", [.init([9], .whole(0...1), .bool)], differentiable: false) {
      $0[0].cumulativeSum(axis: 0)
    },
    Example("integers", [.init([9], .whole(-9...9), .int32)], differentiable: false) {
      $0[0].cumulativeSum(axis: 0)
    },
  ]
}
