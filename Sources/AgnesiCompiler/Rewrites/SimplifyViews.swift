import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

// Transpositions, reshapes, broadcasts and conversions of each other.

extension Rewrites {
  static let views = rules {
    let x = Tensor.any("x")
    let (inner, outer) = (Tensor.node("transpose", x), Tensor.node("transpose"))
    let twice = Tensor.node("transpose", inner)
    rule("transposed twice", twice) { match in
      guard let first = match[inner].transposeAxes, let second = match[twice].transposeAxes else {
        return nil
      }
      return match[x].transposed(second.map { first[$0] })
    }
    rule("transposed in place", outer) { match in
      // Axes of size 1 may go anywhere.
      guard let axes = match.root.transposeAxes else { return nil }
      let source = match.root.node.operands[0]
      let moved = axes.filter { !source.shape[$0].isOne }
      return moved == moved.sorted() ? source.reshaped(match.root.shape) : nil
    }
    let reshaped = Tensor.node("reshape", x)
    rule("reshaped twice", Tensor.node("reshape", reshaped)) { match in
      match[x].reshaped(match.root.shape)
    }
    rule("reshaped to itself", reshaped) { match in
      match[x].shape == match.root.shape ? match[x] : nil
    }
    let broadcast = Tensor.node("broadcast", x)
    rule("broadcast twice", Tensor.node("broadcast", broadcast)) { match in
      match[x].broadcast(to: match.root.shape)
    }
    rule("broadcast to itself", broadcast) { match in
      match[x].shape == match.root.shape ? match[x] : nil
    }
    rule("leading axes before a broadcast", Tensor.node("broadcast", reshaped)) { match in
      let narrow = match[reshaped].shape
      let isLeading = narrow.drop { $0.isOne } == match[x].shape.drop { $0.isOne }
      return isLeading && match[x].rank < narrow.count
        ? match[x].broadcast(to: match.root.shape) : nil
    }
    for label in ["reshape", "transpose"] {
      rule("\(label) of one number", Tensor.node(label, x)) { match in
        guard let value = match[x].scalarConstant, match[x].constant == nil else { return nil }
        return match.number(value).broadcast(to: match.root.shape)
      }
    }
    let narrowed = Tensor.node("cast", x)
    rule("converted twice", Tensor.node("cast", narrowed)) { match in
      match[narrowed].dtype.holds(match[x].dtype) ? match[x].cast(to: match.root.dtype) : nil
    }
  }

  /// An elementwise function of operands that are seen in the same way is seen in that way itself:
  /// it is computed once for each element, and joins what makes the operands.
  static let pulls = rules {
    rule("function of a view", Tensor.node(Tensor.anyLabel)) { match in
      match.root.movingViewOutwards()
    }
  }
}

extension DType {
  /// Whether each value of `other` is a value of this.
  func holds(_ other: DType) -> Bool {
    if self == other || other == .bool { return true }
    if self == .bool { return false }
    switch (isFloating, other.isFloating) {
    case (true, true): return size > other.size
    case (false, true): return false
    case (true, false): return other.bits <= precision
    case (false, false):
      if isSigned == other.isSigned { return size >= other.size }
      return isSigned && size > other.size
    }
  }

  private var bits: Int { 8 * size - (isSigned ? 1 : 0) }

  /// The number of bits of the largest range of whole numbers.
  private var precision: Int {
    switch self {
    case .float16: 11
    case .bfloat16: 8
    case .float32: 24
    default: 53
    }
  }
}

extension Tensor {
  fileprivate var isView: Bool { isBroadcast || isReshape || isTranspose }

  /// The single value that this repeats.
  fileprivate var spreadValue: Tensor? {
    if let number = scalarConstant { return .constant(number, dtype) }
    return isBroadcast && node.operands[0].rank == 0 ? node.operands[0] : nil
  }

  /// `f(view(a), view(b), 2)` as `view(f(a, b, 2))`; nil where the operands are not seen alike.
  /// Single values that are repeated fit any view.
  fileprivate func movingViewOutwards() -> Tensor? {
    let operands = node.operands
    // Numbers alone are folded.
    guard operands.contains(where: { $0.isView && $0.scalarConstant == nil }), isElementwise else {
      return nil
    }
    let example = operands.first { $0.spreadValue == nil }
    if let example, !example.isView { return nil }
    let source = example.map { $0.node.operands[0].shape } ?? []
    var sources: [Tensor] = []
    for operand in operands {
      if let value = operand.spreadValue {
        sources.append(value.broadcast(to: source))
      } else if let example, operand.isSeen(like: example) {
        sources.append(operand.node.operands[0])
      } else {
        return nil
      }
    }
    let inner = Tensor.make(node.operation, sources)[result]
    guard let view = example?.node.operation else { return inner.broadcast(to: shape) }
    return Tensor.make(view, [inner])[0]
  }

  private func isSeen(like other: Tensor) -> Bool {
    node.operation.isEqual(to: other.node.operation)
      && node.operands[0].shape == other.node.operands[0].shape
  }
}
