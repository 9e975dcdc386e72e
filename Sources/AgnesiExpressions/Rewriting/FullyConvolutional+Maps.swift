import AgnesiLoops

// What moves over maps, or brings them to an end.

extension SlidingRewriter {
  /// The map whose rows and columns are the last two axes, and its old shape.
  private func lastAxes(_ node: Node) throws -> (map: SlidTensor, old: Shape) {
    let map = try only(node)
    let old = node.operands[0].shape
    guard mapping[node.operands[0]] != nil,
      map.form == .map(y: old.count - 2, x: old.count - 1)
    else { throw error(node, "needs a map whose last axes are rows and columns") }
    return (map, old)
  }

  /// Where only one position was left, neighbouring windows are one position apart.
  private func slidingStrides(_ strides: [Int], _ output: Shape) -> [Int] {
    zip(strides, output.suffix(2)).map { $1.isOne ? 1 : $0 }
  }

  private func moved(_ map: SlidTensor, _ tensor: Tensor, by strides: [Int]) -> SlidTensor {
    var result = map.with(tensor)
    result.strides = zip(map.strides, strides).map { $0 * $1 }
    return result
  }

  func convolved(_ convolution: ConvolutionDescription, _ node: Node) throws -> SlidTensor {
    let (map, _) = try lastAxes(node)
    var geometry = convolution.geometry
    guard geometry.axisCount == 2 else { throw error(node, "moves along other axes") }
    geometry.stride = slidingStrides(geometry.stride, node.types[0].shape)
    let result = Tensor(convolution.operation(geometry), map.tensor, node.operands[1])
    return moved(map, result, by: geometry.stride)
  }

  func pooled(
    _ pooling: PoolingDescription, _ node: Node
  ) throws -> [SlidTensor] {
    let (map, _) = try lastAxes(node)
    var geometry = pooling.geometry
    guard geometry.axisCount == 2 else { throw error(node, "moves along other axes") }
    geometry.stride = slidingStrides(geometry.stride, node.types[0].shape)
    let strides = geometry.stride
    return Tensor.make(pooling.operation(geometry), [map.tensor]).map {
      moved(map, $0, by: strides)
    }
  }

  /// Built again from its attributes: what its means are over depends on the map's size.
  func averaged(_ composite: Composite, _ node: Node) throws -> SlidTensor {
    let (map, _) = try lastAxes(node)
    func integers(_ name: String) -> [Int] {
      if case .integers(let values)? = composite.attributes[name] { return values }
      return []
    }
    let strides = slidingStrides(integers("stride"), node.types[0].shape)
    let result = averagePool2D(
      map.tensor, window: integers("window"), stride: strides, padding: integers("padding"),
      partialWindows: integers("partialWindows") == [1],
      countingPadding: integers("countingPadding") == [1])
    return moved(map, result, by: strides)
  }

  func reduced(_ operation: Reduce, _ node: Node) throws -> SlidTensor {
    let source = try only(node)
    switch source.form {
    case .windows: return source.with(Tensor(operation, source.tensor))
    case .flattened: throw error(node, "reduces a flattened map")
    case .map(let y, let x):
      let (hasRows, hasColumns) = (operation.axes.contains(y), operation.axes.contains(x))
      guard hasRows == hasColumns else { throw error(node, "reduces only one axis of a map") }
      if hasRows { return try globallyPooled(source, y, x, operation, node) }
      func place(_ axis: Int) -> Int { axis - operation.axes.count { $0 < axis } }
      return source.with(
        Tensor(operation, source.tensor), .map(y: place(y), x: place(x)))
    }
  }

  /// Reductions over whole maps become reductions over windows of the maps' old size.
  private func globallyPooled(
    _ source: SlidTensor, _ y: Int, _ x: Int, _ operation: Reduce, _ node: Node
  ) throws -> SlidTensor {
    let old = node.operands[0].shape
    guard let height = old[y].known, let width = old[x].known else {
      throw error(node, "reduces maps of unknown size")
    }
    let others = old.indices.filter { $0 != y && $0 != x }
    let map = source.tensor.transposed(others + [y, x])
    let geometry = PoolingGeometry(
      window: [height, width], stride: [1, 1], padBegin: [0, 0], padEnd: [0, 0])
    let pooled: Tensor
    switch operation.combiner {
    case .sum: pooled = Tensor(SumPool(geometry: geometry), map)
    case .maximum: pooled = Tensor(geometry.maximum, map)
    case .minimum: pooled = -Tensor(geometry.maximum, -map)
    default: throw error(node, "reduces maps by \(operation.combiner.rawValue)")
    }
    let left = others.indices.filter { operation.axes.contains(others[$0]) }
    let result =
      left.isEmpty ? pooled : Tensor(Reduce(combiner: operation.combiner, axes: left), pooled)
    return source.with(result, .windows)
  }

  /// `[batch, n] · [n, m]`, where the left side is of windows.
  func multiplied(_ node: Node) throws -> SlidTensor {
    let source = try only(node)
    let (left, right) = (node.operands[0], node.operands[1])
    guard mapping[left] != nil, left.rank == 2, right.rank == 2 else {
      throw error(node, "is no dense layer")
    }
    let kernel: Shape
    let map: Tensor
    switch source.form {
    case .map: throw error(node, "multiplies a map")
    case .windows:
      map = source.tensor
      kernel = [left.shape[1], 1, 1]
    case .flattened(let height, let width):
      map = source.tensor
      kernel = [map.shape[1], Size(height), Size(width)]
    }
    // Flattened inputs are in the order channel, row, column.
    let kernels = right.transposed().reshaped([right.shape[1]] + kernel)
    return source.with(convolution2D(map, kernels), .windows)
  }
}
