import AgnesiArrays

// Losses and what stands inside of them, found by the names of composites.

extension Rewrites {
  static let losses = rules {
    let (x, labels) = (Tensor.any("x"), Tensor.any("labels"))
    let probabilities = Tensor.node("softmax", x)
    rule("log of softmax", log(probabilities), because: "small probabilities are 0") { match in
      match[probabilities].softmaxAxis.map { logSoftmax(match[x], axis: $0) }
    }
    let entropy = Tensor.node("crossEntropy", probabilities, labels)
    rule("cross-entropy of softmax", entropy, because: "small probabilities are 0") { match in
      match[probabilities].softmaxAxis == match[x].rank - 1
        ? softmaxCrossEntropy(match[x], match[labels]) : nil
    }
    let binary = Tensor.node("binaryCrossEntropy", sigmoid(x), labels)
    rule("cross-entropy of sigmoid", binary, because: saturated) { match in
      sigmoidCrossEntropy(match[x], match[labels])
    }
    let column = Tensor.node("reshape", sigmoid(x))
    let columns = Tensor.node("binaryCrossEntropy", column, labels)
    rule("cross-entropy of sigmoid, one column", columns, because: saturated) { match in
      sigmoidCrossEntropy(match[x].reshaped(match[column].shape), match[labels])
    }
    let sum = Tensor.node("sum", exp(x))
    let kept = Tensor.node("broadcast", Tensor.node("reshape", sum))
    rule("softmax written out", exp(x) / kept, because: "∞ / ∞ is NaN") { match in
      match.softmax(sum, of: x) { shape, axis in
        shape[axis] = 1
        return match[kept].node.operands[0].shape == shape
      }
    }
    let spread = Tensor.node("broadcast", sum)
    rule("softmax written out, first axis", exp(x) / spread, because: "∞ / ∞ is NaN") { match in
      match.softmax(sum, of: x) { _, axis in axis == 0 }
    }
  }

  private static let saturated = "sigmoid(17) is 1 in float32"
}

extension Match {
  /// The softmax along the axis of `sum`, where it has only one and `isAligned` says that the sums
  /// stand beside what was summed; not where the largest is subtracted already.
  fileprivate func softmax(
    _ sum: Tensor, of part: Tensor, isAligned: (inout Shape, Int) -> Bool
  ) -> Tensor? {
    guard let axes = self[sum].reduction?.axes, axes.count == 1, let axis = axes.first,
      !self[part].isShiftedByLargest
    else {
      return nil
    }
    var shape = self[part].shape
    return isAligned(&shape, axis) ? AgnesiExpressions.softmax(self[part], axis: axis) : nil
  }
}

extension Tensor {
  /// The axis of a softmax.
  fileprivate var softmaxAxis: Int? {
    guard case .integers(let axes)? = composite?.attributes["axis"] else { return nil }
    return axes.first
  }
}
