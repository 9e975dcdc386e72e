import AgnesiLoops

// Rearrangements that are formulas of reshaping, transposition and repetition.

extension Tensor {
  /// Without the given axes of size 1; without an argument, without all of them.
  public func squeezed(_ axes: [Int]? = nil) -> Tensor {
    guard type.isKnown else { return self }
    let dropped =
      axes.map { Set($0.map(normalized)) } ?? Set(shape.indices.filter { shape[$0].isOne })
    for axis in dropped.sorted() {
      guard shape.indices.contains(axis) else {
        return rejected(by: "squeezed", "axis \(axis) of a tensor of \(rank) axes")
      }
      guard shape[axis].isOne else {
        return rejected(by: "squeezed", "axis \(axis) has size \(shape[axis]), not 1")
      }
    }
    return reshaped(shape.indices.filter { !dropped.contains($0) }.map { shape[$0] })
  }

  /// The axis `source` at position `target`, the others in order.
  public func movingAxis(_ source: Int, to target: Int) -> Tensor {
    guard type.isKnown else { return self }
    let (from, to) = (normalized(source), normalized(target))
    guard shape.indices.contains(from), shape.indices.contains(to) else {
      return rejected(by: "movingAxis", "axes \(source) and \(target) of a tensor of \(rank) axes")
    }
    var order = Array(shape.indices)
    order.insert(order.remove(at: from), at: to)
    return transposed(order)
  }

  /// Two axes exchanged.
  public func swappingAxes(_ first: Int, _ second: Int) -> Tensor {
    guard type.isKnown else { return self }
    let (a, b) = (normalized(first), normalized(second))
    guard shape.indices.contains(a), shape.indices.contains(b) else {
      return rejected(by: "swappingAxes", "axes \(first) and \(second) of a tensor of \(rank) axes")
    }
    var order = Array(shape.indices)
    order.swapAt(a, b)
    return transposed(order)
  }

  /// Each element `count` times along an axis: `a a b b`.
  public func repeated(_ count: Int, axis: Int) -> Tensor {
    guard type.isKnown else { return self }
    let position = normalized(axis)
    guard shape.indices.contains(position), count >= 0 else {
      return rejected(by: "repeated", "\(count) times along axis \(axis) of \(rank) axes")
    }
    let narrow = Array(shape[...position]) + [1] + shape[(position + 1)...]
    var (wide, target) = (narrow, shape)
    wide[position + 1] = Size(count)
    target[position] = shape[position] * Size(count)
    return reshaped(narrow).broadcast(to: wide).reshaped(target)
  }

  /// The whole tensor several times along each axis: `a b a b`.
  ///
  /// - Parameter counts: for the last axes; more counts than axes make new leading axes.
  public func tiled(_ counts: [Int]) -> Tensor {
    guard type.isKnown else { return self }
    guard counts.allSatisfy({ $0 >= 0 }) else {
      return rejected(by: "tiled", "\(counts) times")
    }
    let rank = Swift.max(counts.count, self.rank)
    let times = [Int](repeating: 1, count: rank - counts.count) + counts
    let sizes = Shape(repeating: 1, count: rank - self.rank) + shape
    let narrow = sizes.flatMap { [Size(1), $0] }
    let wide = zip(times, sizes).flatMap { [Size($0), $1] }
    let target = zip(times, sizes).map { Size($0) * $1 }
    return reshaped(narrow).broadcast(to: wide).reshaped(target)
  }
}
