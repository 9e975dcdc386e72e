import AgnesiArrays
import AgnesiLoops

/// 1 at the place that each label names, 0 elsewhere.
///
/// - Parameters:
///   - labels: integers, `0..<count`; any other label gives a row of zeros.
///   - count: the number of classes.
///   - dtype: of the result.
/// - Returns: the shape of `labels` with a last axis of `count`.
public func oneHot(_ labels: Tensor, _ count: Size, _ dtype: DType = .float32) -> Tensor {
  guard labels.type.isKnown else { return labels }
  guard labels.dtype.isInteger else {
    return labels.rejected(by: "oneHot", "needs integer labels, got \(labels.dtype)")
  }
  let classes = Tensor.index(labels.shape + [count], axis: -1)
  return (labels.expanded(axis: -1) .== classes).cast(to: dtype)
}
