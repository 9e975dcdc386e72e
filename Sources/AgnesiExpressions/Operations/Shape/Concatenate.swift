import AgnesiArrays
import AgnesiLoops

/// Tensors one after the other along an axis.
///
/// - Parameters:
///   - tensors: at least one; all sizes but that of `axis` agree; converted to their common dtype.
///   - axis: negative axes count from the end.
/// - Returns: the common dtype; the size of `axis` is the sum.
public func concatenated(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
  guard let first = tensors.first else {
    return .failed(GraphError("concatenate", "no tensors"))
  }
  let isKnown = tensors.allSatisfy(\.type.isKnown)
  let operation = Concatenate(axis: isKnown && axis < 0 ? axis + first.rank : axis)
  guard isKnown else { return Tensor.make(operation, tensors)[0] }
  let dtype = tensors.dropFirst().reduce(first.dtype) { .promoted($0, $1.dtype) }
  return Tensor.make(operation, tensors.map { $0.cast(to: dtype) })[0]
}

/// Tensors of one shape along a new axis.
///
/// - Parameters:
///   - tensors: at least one; converted to their common dtype.
///   - axis: the position of the new axis; negative ones count from the end of the result.
public func stacked(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
  concatenated(
    tensors.map { $0.type.isKnown ? $0.expanded(axis: axis) : $0 }, axis: axis)
}

struct Concatenate: Operation {
  static let name = "concatenate"
  let axis: Int

  var arity: ClosedRange<Int> { 1...Int.max }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let first = operands[0]
    guard first.shape.indices.contains(axis) else {
      throw TypeError("axis \(axis) of tensors of \(first.rank) axes")
    }
    var shape = first.shape
    for operand in operands.dropFirst() {
      guard operand.dtype == first.dtype else {
        throw TypeError("operands of two dtypes, \(first.dtype) and \(operand.dtype)")
      }
      guard operand.rank == first.rank else {
        throw TypeError("ranks differ, \(first.rank) ≠ \(operand.rank)")
      }
      let total = shape[axis] + operand.shape[axis]
      var other = operand.shape
      other[axis] = shape[axis]
      shape = try Shape.equal(shape, other)
      shape[axis] = total
    }
    return [TensorType(first.dtype, shape)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return operands.map { _ in nil } }
    var start = Size(0)
    return operands.map { operand in
      let count = operand.shape[axis]
      defer { start = start + count }
      return upstream.sliced(axis: axis, from: start, count: count)
    }
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let origins = operands.indices.flatMap { number in
      (0..<operands[number].shape[axis]).map { (number, $0) }
    }
    let result = NDArray(shape: types[0].knownShape ?? [], movedFrom: operands) { index in
      let (number, position) = origins[index[axis]]
      return (number, index.replacing(axis, with: position))
    }
    return [result]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let axis = axis
    let sizes = operands.map { $0.shape[axis] }
    return .pull { index, operands in
      var starts: [Size] = [0]
      for size in sizes { starts.append(starts[starts.count - 1] + size) }
      func element(_ number: Int) -> Scalar {
        var place = index
        place[axis] = index[axis] - .index(starts[number])
        return operands[number](place)
      }
      // Nobody reads an empty operand.
      let filled = sizes.indices.filter { !sizes[$0].isZero }
      guard let last = filled.last else { return element(0) }
      return filled.dropLast().reversed().reduce(element(last)) { rest, number in
        .select(index[axis] .< .index(starts[number + 1]), element(number), rest)
      }
    }
  }

  static let examples = [
    Example("rows", [.init([2, 3]), .init([1, 3]), .init([4, 3])]) { concatenated($0) },
    Example("columns", [.init([2, 3]), .init([2, 5])]) { concatenated($0, axis: -1) },
    Example("one", [.init([3])]) { concatenated($0) },
    Example("with an empty one", [.init([0, 2]), .init([3, 2]), .init([0, 2])]) {
      concatenated($0)
    },
    Example("only empty ones", [.init([0]), .init([0])]) { concatenated($0) },
    Example("itself", [.init([2, 2])]) { concatenated([$0[0], $0[0].transposed()], axis: 1) },
    Example("stacked", [.init([2, 3]), .init([2, 3])]) { stacked($0, axis: -1) },
    Example(
      "integers", [.init([3], .whole(-9...9), .int32), .init([2], .whole(-9...9), .int64)],
      differentiable: false
    ) { concatenated($0) },
    Example("rolled", [.init([5, 2])]) { $0[0].rolled(by: 2, axis: 0) },
    Example("split and joined", [.init([6, 2])]) {
      let parts = $0[0].split(sizes: [1, 3, 2], axis: 0)
      return concatenated([parts[2], parts[0], parts[1]])
    },
  ]
}

extension Tensor {
  /// Consecutive parts of an axis.
  ///
  /// - Parameter sizes: of the parts; their sum is the size of the axis.
  public func split(sizes: [Size], axis: Int = 0) -> [Tensor] {
    let position = normalized(axis)
    guard type.isKnown else { return sizes.map { _ in self } }
    guard shape.indices.contains(position) else {
      let error = rejected(by: "split", "axis \(axis) of a tensor of \(rank) axes")
      return sizes.map { _ in error }
    }
    let total = sizes.reduce(0) { $0 + $1 }
    guard total.mayEqual(shape[position]) else {
      let error = rejected(
        by: "split", "parts of \(total) elements of axis \(axis), whose size is \(shape[position])")
      return sizes.map { _ in error }
    }
    var start = Size(0)
    return sizes.map { size in
      defer { start = start + size }
      return sliced(axis: position, from: start, count: size)
    }
  }

  /// `count` equal parts of an axis, whose size `count` divides.
  public func split(into count: Int, axis: Int = 0) -> [Tensor] {
    guard count > 0 else { return [] }
    let part = size(axis) / Size(count)
    return split(sizes: [Size](repeating: part, count: count), axis: axis)
  }

  /// The elements moved along an axis by `shift` places; what leaves at the end comes in at the
  /// start. Where the size is a name, `shift` is at most that size.
  public func rolled(by shift: Int, axis: Int = 0) -> Tensor {
    let position = normalized(axis)
    guard type.isKnown else { return self }
    guard shape.indices.contains(position) else {
      return rejected(by: "rolled", "axis \(axis) of a tensor of \(rank) axes")
    }
    let size = shape[position]
    if size.isZero { return self }
    let start = size.known.map { Size(-shift) % Size($0) } ?? Size(-shift).fromEnd(of: size)
    let tail = sliced(axis: position, from: start, count: size - start)
    return concatenated([tail, sliced(axis: position, from: 0, count: start)], axis: position)
  }
}

extension Concatenate: FollowsLayout {
  func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation? {
    guard let block = layout.block,
      axis != block.axis || operands.allSatisfy({ layout.divides($0.shape) })
    else { return nil }
    return LaidOutOperation(operation: self, results: [layout])
  }
}
