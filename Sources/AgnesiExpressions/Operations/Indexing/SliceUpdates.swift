import AgnesiLoops

// Tensors never change; what other systems write as `x[1] = v` is a new tensor here.

extension Tensor {
  /// This with `value` in the place of the part that the selectors name.
  ///
  /// - Parameters:
  ///   - selectors: as in the brackets of a tensor.
  ///   - value: broadcasts to the shape of that part; converted to the dtype of this.
  public func replacingSlice<each Selector: AxisSelector>(
    _ selectors: repeat each Selector, with value: Tensor
  ) -> Tensor {
    var list: [AxisSelection] = []
    for selector in repeat each selectors { list.append(selector.selection) }
    guard let (slot, spread) = spread(value, over: list, "replacingSlice") else {
      return selecting(list)
    }
    guard spread.type.isKnown else { return spread }
    let mask = Tensor.constant(1, .bool).broadcast(to: slot.shape)
    let isInside = slot.padding(mask, over: self)
    return select(isInside, slot.padding(spread, over: self), self)
  }

  /// This with `value` added to the part that the selectors name.
  public func addingToSlice<each Selector: AxisSelector>(
    _ selectors: repeat each Selector, value: Tensor
  ) -> Tensor {
    var list: [AxisSelection] = []
    for selector in repeat each selectors { list.append(selector.selection) }
    guard let (slot, spread) = spread(value, over: list, "addingToSlice") else {
      return selecting(list)
    }
    return spread.type.isKnown ? self + slot.padding(spread, over: self) : spread
  }

  /// The slice of this that the selections name, and `value` in its shape; nil where the selections
  /// do not fit.
  private func spread(
    _ value: Tensor, over selections: [AxisSelection], _ function: String
  ) -> (slot: Tensor, value: Tensor)? {
    guard type.isKnown, let plan = SlicePlan(selections, shape) else { return nil }
    let slot = sliced(plan.starts, plan.ends, plan.steps)
    let part = selecting(selections)
    guard slot.type.isKnown, part.type.isKnown else { return nil }
    guard value.type.isKnown else { return (slot, value) }
    guard Shape.broadcast(part.shape, value.shape) == part.shape else {
      let message = "a value of \(value.type) for a part of \(part.type)"
      return (slot, rejected(by: function, message))
    }
    let wide = value.cast(to: dtype).broadcast(to: part.shape)
    return (slot, wide.reshaped(slot.shape))
  }

  /// `value`, of the shape of this slice, with zeros around it where the slice was taken from.
  private func padding(_ value: Tensor, over whole: Tensor) -> Tensor {
    guard let slice = node.operation as? Slice else { return value }
    return slice.gradient([value], operands: [whole], results: [self])[0] ?? value
  }
}
