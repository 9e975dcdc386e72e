import AgnesiArrays
import AgnesiLoops

// Slices, padding and concatenation of each other, and of nothing.

extension Rewrites {
  package static let moves = rules {
    let x = Tensor.any("x")
    let slice = Tensor.node("slice", x)
    let outerSlice = Tensor.node("slice", slice)
    let (pad, padded) = (Tensor.node("pad", x), Tensor.node("pad", Tensor.node("pad", x)))
    rule("slice of everything", slice) { match in
      match[slice].slice?.takesAll(of: match[x].shape) == true ? match[x] : nil
    }
    rule("slice of a slice", outerSlice) { match in
      guard let inner = match[slice].slice, let outer = match[outerSlice].slice else { return nil }
      return Tensor(outer.after(inner), match[x])
    }
    rule("padding by nothing", pad) { match in
      match[pad].pad?.addsNothing == true ? match[x] : nil
    }
    rule("padding of padding", padded) { match in
      let inner = match[padded].node.operands[0]
      guard let second = match[padded].pad, let first = inner.pad,
        let both = second.after(first)
      else { return nil }
      return Tensor(both, match[x])
    }
    let cut = Tensor.node("slice", pad)
    rule("slice of what was padded", cut) { match in
      guard let slice = match[cut].slice, let pad = match[pad].pad else { return nil }
      let isWhole =
        slice.starts == pad.before && slice.counts == match[x].shape
        && slice.steps == pad.between.map { $0 + 1 }
      return isWhole ? match[x] : nil
    }
    rule("slice of one number", slice) { match in
      guard let value = match[x].scalarConstant, match[x].constant == nil else { return nil }
      return match.number(value).broadcast(to: match.root.shape)
    }
    rule("concatenation of one", Tensor.node("concatenate", x)) { match in match[x] }
    rule("concatenation with concatenations", Tensor.node("concatenate")) { match in
      match.root.flatConcatenation()
    }
  }
}

extension Tensor {
  fileprivate var slice: Slice? { node.operation as? Slice }
  fileprivate var pad: Pad? { node.operation as? Pad }

  /// Concatenations along the same axis are joined into this one, and what is empty is left out.
  fileprivate func flatConcatenation() -> Tensor? {
    guard let axis = (node.operation as? Concatenate)?.axis else { return nil }
    let parts = node.operands.flatMap { operand -> [Tensor] in
      guard (operand.node.operation as? Concatenate)?.axis == axis else { return [operand] }
      return operand.node.operands
    }
    let filled = parts.filter { !$0.shape[axis].isZero }
    let kept = filled.isEmpty ? Array(parts.prefix(1)) : filled
    return kept == node.operands ? nil : concatenated(kept, axis: axis)
  }
}

extension Slice {
  fileprivate func takesAll(of shape: Shape) -> Bool {
    starts.allSatisfy(\.isZero) && steps.allSatisfy { $0 == 1 } && counts == shape
  }

  /// This slice of what `inner` makes, as one of what `inner` is made of.
  fileprivate func after(_ inner: Slice) -> Slice {
    let firsts = starts.indices.map { axis in
      inner.starts[axis] + starts[axis] * Size(inner.steps[axis])
    }
    let strides = steps.indices.map { steps[$0] * inner.steps[$0] }
    return Slice(starts: firsts, counts: counts, steps: strides)
  }
}

extension Pad {
  fileprivate var addsNothing: Bool {
    (before + after).allSatisfy(\.isZero) && between.allSatisfy { $0 == 0 }
  }

  /// This padding around that of `inner`; nil where one cannot say it.
  fileprivate func after(_ inner: Pad) -> Pad? {
    let isSame = value == inner.value || (value.isNaN && inner.value.isNaN)
    guard isSame, between.allSatisfy({ $0 == 0 }) else { return nil }
    return Pad(
      before: before.indices.map { before[$0] + inner.before[$0] },
      after: after.indices.map { inner.after[$0] + after[$0] }, between: inner.between,
      value: value)
  }
}
