import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// A value of the graph while it is imported: a tensor, and what is known of it before anything runs.
struct ONNXValue {
  let tensor: Tensor
  /// The elements, where they are the same in each call.
  let contents: NDArray?
  /// The elements of a whole-numbered vector or number, which may be formulas of sizes.
  let sizes: [Size]?

  /// A value that only a call knows.
  init(_ tensor: Tensor) { self.init(tensor, nil, nil) }

  /// A value that is known.
  ///
  /// - Parameter tensor: what stands for it in expressions; a constant where nil.
  init(_ contents: NDArray, as tensor: Tensor? = nil) {
    let isList = contents.rank <= 1 && contents.dtype.isInteger && contents.count <= 64
    let sizes = isList ? contents.boundedIntegers.map { Size($0) } : []
    self.init(tensor ?? .constant(contents), contents, isList ? sizes : nil)
  }

  private init(_ tensor: Tensor, _ contents: NDArray?, _ sizes: [Size]?) {
    self.tensor = tensor
    self.contents = contents
    self.sizes = sizes
  }

  /// Sizes as a vector, or as a number.
  init(_ sizes: [Size], isNumber: Bool = false) {
    let known = sizes.compactMap(\.known)
    if known.count == sizes.count {
      self.init(NDArray(known.map { Int64($0) }, shape: isNumber ? [] : [sizes.count]))
      return
    }
    let parts = sizes.map { Tensor.integer($0) }
    self.init(isNumber ? parts[0] : stacked(parts), nil, sizes)
  }

  /// The value with a constant in the place of a parameter.
  var frozen: ONNXValue { contents.map { ONNXValue($0) } ?? self }

  var type: TensorType { tensor.type }
}

extension NDArray {
  /// The elements of integers. Ends of slices are as large as numbers can be; nothing calculates with more
  /// than 2⁶².
  var boundedIntegers: [Int] {
    let isUnsigned = dtype == .uint64
    return wholes.map { value in
      isUnsigned && value < 0 ? 1 << 62 : Int(max(-(1 << 62), min(value, 1 << 62)))
    }
  }
}
