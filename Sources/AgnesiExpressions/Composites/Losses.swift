import AgnesiArrays
import AgnesiLoops

/// The squared difference of each element, without a factor of ½.
///
/// - Parameters:
///   - x: floating predictions.
///   - targets: of the shape of `x` (a column of size 1 counts as a vector) or a single value.
/// - Returns: the shape and dtype of `x`.
public func squaredError(_ x: Tensor, _ targets: Tensor) -> Tensor {
  elementLoss("squaredError", ("predictions", x), targets) { square($0 - $1) }
}

/// The magnitude of each element's difference.
///
/// - Parameters: as for ``squaredError(_:_:)``.
public func absoluteError(_ x: Tensor, _ targets: Tensor) -> Tensor {
  elementLoss("absoluteError", ("predictions", x), targets) { abs($0 - $1) }
}

/// Half the squared difference up to `delta`, straight beyond: `½d²` where `|d| ≤ δ`, else
/// `δ·(|d| − δ/2)`.
///
/// - Parameters:
///   - x: floating predictions.
///   - targets: of the shape of `x` (a column of size 1 counts as a vector) or a single value.
///   - delta: positive.
/// - Source: Huber, *Robust estimation of a location parameter*, 1964.
public func huberLoss(_ x: Tensor, _ targets: Tensor, delta: Double = 1) -> Tensor {
  elementLoss(
    "huberLoss", ("predictions", x), targets, attributes: ["delta": .number(delta)]
  ) {
    // The square is of the clipped difference, so that it does not overflow where it is not taken.
    let distance = abs($0 - $1)
    let near = minimum(distance, delta)
    return square(near) * 0.5 + (distance - near) * delta
  }
}

/// The hinge loss of two classes: `max(0, δ − x·(2t − 1))`.
///
/// - Parameters:
///   - logits: floating scores; positive for class 1.
///   - targets: 0 or 1, of the shape of `logits` (a column of size 1 counts as a vector).
///   - delta: the margin.
/// - Source: Cortes & Vapnik, *Support-vector networks*, 1995.
public func binaryHingeLoss(_ logits: Tensor, _ targets: Tensor, delta: Double = 1) -> Tensor {
  elementLoss(
    "binaryHingeLoss", ("logits", logits), targets, attributes: ["delta": .number(delta)]
  ) { relu(delta - $0 * (2 * $1 - 1)) }
}

/// The hinge loss of many classes: how much the best wrong score exceeds that of the label, plus the
/// margin, and at least 0.
///
/// - Parameters:
///   - scores: `[…, classes]`, floating.
///   - labels: integers `[…]` in `0..<classes`; another label gives NaN.
///   - delta: the margin.
/// - Returns: one value for each sample, `[…]`.
/// - Source: Crammer & Singer, *On the algorithmic implementation of multiclass kernel-based vector
///   machines*, 2001, eq. 2.
public func multiclassHingeLoss(_ scores: Tensor, _ labels: Tensor, delta: Double = 1) -> Tensor {
  do throws(TypeError) {
    guard case .labels = try Targets(scores, labels) else {
      throw TypeError("needs labels, got distributions")
    }
  } catch {
    return .mistake("multiclassHingeLoss", error, [("scores", scores), ("labels", labels)])
  }
  return .builtIn(
    "multiclassHingeLoss", [scores, labels], attributes: ["delta": .number(delta)]
  ) { operands in
    let (scores, labels) = (operands[0], operands[1])
    let lowest = Tensor.filled(-.infinity, scores.shape, scores.dtype)
    let best = select(scores.isPicked(labels), lowest, scores).max(axes: [-1])
    return relu(best - scores.picked(labels) + delta)
  }
}

// MARK: - Penalties

/// The sum of magnitudes, Σ|x|: a penalty that makes weights 0.
///
/// Of 16-bit floats it is summed in float32 and rounded once.
public func l1Penalty(_ x: Tensor) -> Tensor { abs(x.widened).sum().narrowed(as: x) }

/// The sum of squares, Σx², without a factor of ½: a penalty that keeps weights small.
///
/// Of 16-bit floats the squares, too, are float32, and the sum is rounded once.
public func l2Penalty(_ x: Tensor) -> Tensor { square(x.widened).sum().narrowed(as: x) }

/// The sum of ``l1Penalty(_:)`` over tensors; 0 for none.
public func l1Penalty(_ tensors: [Tensor]) -> Tensor { total(tensors.map { l1Penalty($0) }) }

/// The sum of ``l2Penalty(_:)`` over tensors, usually `cost.parameters(.regularizable)`; 0 for none.
public func l2Penalty(_ tensors: [Tensor]) -> Tensor { total(tensors.map { l2Penalty($0) }) }

private func total(_ terms: [Tensor]) -> Tensor {
  guard let first = terms.first else { return .constant(0) }
  return terms.dropFirst().reduce(first) { $0 + $1 }
}
