import AgnesiLoops

// What moves elements without computing.

extension SlidingRewriter {
  func reshaped(_ operation: Reshape, _ node: Node) throws -> SlidTensor {
    let source = try only(node)
    let (old, target) = (node.operands[0].shape, operation.shape)
    switch source.form {
    case .windows: return ended(source, target)
    case .flattened(let height, let width):
      let map = Array(source.tensor.shape.dropLast(2)) + [Size(height), Size(width)]
      if target == old { return source }
      guard target == map else { throw error(node, "takes a flattened map apart") }
      return source.with(source.tensor, .map(y: target.count - 2, x: target.count - 1))
    case .map(let y, let x):
      if isSinglePlace(old, y, x) { return ended(source, target) }
      if let flat = try flattened(source, old, target, y, x) { return flat }
      if let moved = moved(source, old, target, y, x) { return moved }
      throw error(node, "mixes the places of a map with something else")
    }
  }

  /// What has a single place is of a window; two last axes of size 1 may become a map again.
  private func ended(_ source: SlidTensor, _ target: Shape) -> SlidTensor {
    let places = source.places
    if target.count > 2, target.suffix(2).allSatisfy(\.isOne) {
      let result = source.tensor.reshaped(Array(target.dropLast(2)) + places)
      return source.with(result, .map(y: target.count - 2, x: target.count - 1))
    }
    return source.with(source.tensor.reshaped(target + places), .windows)
  }

  /// `[batch, channels, rows, columns]` as `[batch, channels · rows · columns]`.
  private func flattened(
    _ source: SlidTensor, _ old: Shape, _ target: Shape, _ y: Int, _ x: Int
  ) throws -> SlidTensor? {
    guard old.count == 4, y == 2, x == 3, let height = old[2].known, let width = old[3].known,
      target == [old[0], old[1] * old[2] * old[3]]
    else { return nil }
    return source.with(source.tensor, .flattened(height: height, width: width))
  }

  /// Axes of size 1 that come and go.
  private func moved(
    _ source: SlidTensor, _ old: Shape, _ target: Shape, _ y: Int, _ x: Int
  ) -> SlidTensor? {
    let (before, after) = (
      old.indices.filter { !old[$0].isOne }, target.indices.filter { !target[$0].isOne }
    )
    guard before.map({ old[$0] }) == after.map({ target[$0] }),
      let row = before.firstIndex(of: y), let column = before.firstIndex(of: x)
    else { return nil }
    let (newY, newX) = (after[row], after[column])
    let result = source.tensor.reshaped(source.resized(target, y: newY, x: newX))
    return source.with(result, .map(y: newY, x: newX))
  }

  func repeated(_ operation: Broadcast, _ node: Node) throws -> SlidTensor {
    let source = try only(node)
    let (old, target) = (node.operands[0].shape, operation.shape)
    let missing = target.count - old.count
    switch source.form {
    case .windows:
      let wide = Shape(repeating: 1, count: missing) + source.tensor.shape
      return source.with(
        source.tensor.reshaped(wide).broadcast(to: target + source.places))
    case .flattened: throw error(node, "repeats a flattened map")
    case .map(let y, let x):
      guard target[y + missing] == old[y], target[x + missing] == old[x] else {
        throw error(node, "repeats a value of the whole picture over its places")
      }
      let wide = source.resized(target, y: y + missing, x: x + missing)
      return source.with(
        source.tensor.broadcast(to: wide), .map(y: y + missing, x: x + missing))
    }
  }

  func transposed(_ operation: Transpose, _ node: Node) throws -> SlidTensor {
    let source = try only(node)
    let axes = operation.axes
    switch source.form {
    case .windows:
      return source.with(source.tensor.transposed(axes + [axes.count, axes.count + 1]))
    case .flattened: throw error(node, "turns a flattened map")
    case .map(let y, let x):
      guard let newY = axes.firstIndex(of: y), let newX = axes.firstIndex(of: x) else {
        throw error(node, "turns a map")
      }
      return source.with(source.tensor.transposed(axes), .map(y: newY, x: newX))
    }
  }

  func joined(_ operation: Concatenate, _ node: Node) throws -> SlidTensor {
    let operands = try fitted(node.operands, node)
    switch operands.like.form {
    case .flattened: throw error(node, "joins flattened maps")
    case .map(let y, let x) where operation.axis == y || operation.axis == x:
      throw error(node, "joins places of maps")
    default: return operands.like.with(Tensor.make(operation, operands.tensors)[0])
    }
  }

  /// A border around a map is one around the larger map too, as a convolution's padding is.
  func padded(_ operation: Pad, _ node: Node) throws -> SlidTensor {
    let source = try only(node)
    guard case .map(let y, let x) = source.form, operation.between[y] == 0,
      operation.between[x] == 0
    else { throw error(node, "adds elements to what is no map, or between a map's") }
    return source.with(Tensor(operation, source.tensor))
  }

  /// Of a map's rows and columns all are taken, or each `step`th from the first.
  func sliced(_ operation: Slice, _ node: Node) throws -> SlidTensor {
    let source = try only(node)
    let old = node.operands[0].shape
    var (starts, counts, steps) = (operation.starts, operation.counts, operation.steps)
    switch source.form {
    case .flattened: throw error(node, "takes part of a flattened map")
    case .windows:
      starts += [0, 0]
      counts += source.places
      steps += [1, 1]
      return source.with(
        Tensor(Slice(starts: starts, counts: counts, steps: steps), source.tensor))
    case .map(let y, let x):
      for axis in [y, x] {
        let step = steps[axis]
        guard starts[axis].isZero, step >= 1,
          counts[axis] == (old[axis] + Size(step - 1)) / Size(step)
        else { throw error(node, "takes part of a map") }
        counts[axis] = (source.tensor.shape[axis] + Size(step - 1)) / Size(step)
      }
      var result = source.with(
        Tensor(Slice(starts: starts, counts: counts, steps: steps), source.tensor))
      result.strides = [source.strides[0] * steps[y], source.strides[1] * steps[x]]
      return result
    }
  }
}
