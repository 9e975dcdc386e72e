import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions

/// A function of pictures, called with any number of them.
///
/// Networks out of other people's files may be made for one number of pictures only: PyTorch writes ONNX
/// for the batch that it was shown, usually 1. Pictures then go through in batches of that size. The last
/// one is filled up with copies of its last picture, whose results are dropped.
struct BatchedFunction: Sendable {
  /// What is called.
  let function: Function
  /// The number of pictures that the graph is made for; nil for any.
  let batch: Int?

  /// The value of each output, in order: rows for the pictures of the call.
  ///
  /// - Parameter values: the first has a row for each picture. The others have as many rows, or are
  ///   the same for all pictures.
  func call(_ values: [NDArray]) throws -> [NDArray] {
    guard let batch, let count = values.first?.shape.first, count != batch, count > 0 else {
      return try function.call(values).arrays
    }
    guard batch > 0 else {
      throw FunctionError(
        function.name, "takes batches of 0 pictures",
        hint: "export the network with a batch of 1, or of any size")
    }
    var parts = function.outputs.map { _ in [NDArray]() }
    for start in stride(from: 0, to: count, by: batch) {
      let rows = start..<min(start + batch, count)
      let some = zip(values, function.inputs).map { value, input in
        guard value.rank > 0, value.shape[0] == count, input.shape.first?.known == batch else {
          return value
        }
        return value[rows: rows].filled(to: batch)
      }
      for (index, array) in try function.call(some).arrays.enumerated() {
        parts[index].append(array[rows: 0..<rows.count])
      }
    }
    return parts.map(NDArray.joiningRows)
  }

  /// The value of the first output.
  func callAsFunction(_ values: NDArray...) throws -> NDArray { try call(values)[0] }
}

extension NDArray {
  /// At least `count` rows: the last one is repeated.
  fileprivate func filled(to count: Int) -> NDArray {
    let missing = count - shape[0]
    if missing <= 0 { return self }
    let last = self[rows: (shape[0] - 1)..<shape[0]]
    return .joiningRows([self] + Array(repeating: last, count: missing))
  }

  /// Arrays below each other.
  ///
  /// - Precondition: at least one; all of one dtype and of one shape but for the number of rows.
  static func joiningRows(_ arrays: [NDArray]) -> NDArray {
    if arrays.count == 1 { return arrays[0] }
    let count = arrays.reduce(0) { $0 + $1.shape[0] }
    let shape = [count] + arrays[0].shape.dropFirst()
    var result = NDArray(uninitialized: shape, arrays[0].dtype)
    result.withUnsafeMutableBytes { target in
      var start = 0
      for array in arrays {
        array.contiguous().withUnsafeBytes { source in
          let place = UnsafeMutableRawBufferPointer(
            rebasing: target[start..<(start + source.count)])
          place.copyMemory(from: source)
          start += source.count
        }
      }
    }
    return result
  }
}
