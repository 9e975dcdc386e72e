import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Maps of another size by linear interpolation between the centres of their elements; beyond the
/// outermost centres the values stay the same.
///
/// - Parameters:
///   - maps: floating, `[batch, channels, height, width]` of known sizes but for the first.
///   - height: rows of the result, at least 1.
///   - width: columns of the result, at least 1.
/// - Returns: `[batch, channels, height, width]`.
public func interpolated(_ maps: Tensor, height: Int, width: Int) -> Tensor {
  if maps.failure != nil { return maps }
  guard maps.rank == 4, let channels = maps.shape[1].known, let rows = maps.shape[2].known,
    let columns = maps.shape[3].known, maps.dtype.isFloating, height > 0, width > 0
  else {
    let operand = GraphError.Operand(
      role: "maps", name: maps.name, type: maps.type, location: maps.node.location)
    return .failed(
      GraphError(
        "interpolated",
        "needs floating [batch, channels, height, width] of known sizes, and a size",
        operands: [operand]))
  }
  // A product along each of the two axes: rows of few numbers, most of them 0, but the products are
  // small beside the convolutions before.
  let batch = maps.shape[0]
  func stretched(_ x: Tensor, _ lines: Int, from old: Int, to new: Int) -> Tensor {
    let matrix = Tensor.constant(weights(from: old, to: new)).cast(to: maps.dtype)
    let flat = x.reshaped([batch * Size(lines), Size(old)])
    return matmul(flat, matrix)
  }
  let wide = stretched(maps, channels * rows, from: columns, to: width)
    .reshaped([batch, Size(channels), Size(rows), Size(width)]).transposed([0, 1, 3, 2])
  return stretched(wide, channels * width, from: rows, to: height)
    .reshaped([batch, Size(channels), Size(width), Size(height)]).transposed([0, 1, 3, 2])
}

/// `[old, new]`: how much of each old element is in each new one.
private func weights(from old: Int, to new: Int) -> NDArray {
  var values = [Float](repeating: 0, count: old * new)
  for index in 0..<new {
    let middle = (Double(index) + 0.5) * Double(old) / Double(new) - 0.5
    let place = min(max(middle, 0), Double(old - 1))
    let (first, part) = (Int(place), Float(place - place.rounded(.down)))
    values[first * new + index] += 1 - part
    values[min(first + 1, old - 1) * new + index] += part
  }
  return NDArray(values, shape: [old, new])
}
