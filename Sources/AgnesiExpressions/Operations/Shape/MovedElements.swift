import AgnesiArrays

// How the references of operations that only move elements are written. Bytes are copied, so that
// 64-bit integers keep all their digits.

extension NDArray {
  /// Each element is one of `source`'s, or `fill` where there is none.
  ///
  /// - Parameter origin: the index in the source, by the index in the result.
  init(
    shape: [Int], movedFrom source: NDArray, fill: Double = 0, origin: ([Int]) -> [Int]?
  ) {
    self.init(shape: shape, movedFrom: [source], fill: fill) { index in
      origin(index).map { (0, $0) }
    }
  }

  /// Each element is one of one of the `sources`, which share a dtype, or `fill`.
  init(
    shape: [Int], movedFrom sources: [NDArray], fill: Double = 0,
    origin: ([Int]) -> (source: Int, index: [Int])?
  ) {
    let size = sources[0].dtype.size
    self.init(filled: fill, shape: shape, sources[0].dtype)
    for (position, index) in NDArray.indices(shape).enumerated() {
      guard let (number, place) = origin(index) else { continue }
      let source = sources[number]
      let element = zip(place, source.strides).reduce(source.offset) { $0 + $1.0 * $1.1 }
      storage.base.advanced(by: position * size)
        .copyMemory(from: source.storage.base.advanced(by: element * size), byteCount: size)
    }
  }

  /// All indices of a shape, in row-major order.
  static func indices(_ shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { prefixes, size in
      prefixes.flatMap { prefix in (0..<size).map { prefix + [$0] } }
    }
  }
}

extension [Int] {
  /// With another value at `axis`.
  func replacing(_ axis: Int, with value: Int) -> [Int] {
    var result = self
    result[axis] = value
    return result
  }
}

extension Tensor {
  /// `axis` counted from the start.
  func normalized(_ axis: Int) -> Int { axis < 0 ? axis + rank : axis }

  /// A tensor that stands for a mistake in the call of a function that is no operation itself.
  func rejected(by function: String, _ message: String, hint: String? = nil) -> Tensor {
    if failure != nil { return self }
    let operand = GraphError.Operand(
      role: "operand", name: name, type: type, location: node.location)
    return .failed(GraphError(function, message, operands: [operand], hint: hint))
  }
}
