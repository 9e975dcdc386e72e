import AgnesiArrays

/// What differs between two arrays; nil where they agree.
///
/// Integers and bools agree exactly. Floats may differ by `ulps` units in the last place of the
/// largest finite magnitude of `expected`; NaN agrees with NaN, infinities with themselves.
package func difference(
  _ expected: NDArray, _ actual: NDArray, ulps: Double
) -> String? {
  guard expected.dtype == actual.dtype, expected.shape == actual.shape else {
    return "\(expected.dtype)\(expected.shape) expected, got \(actual.dtype)\(actual.shape)"
  }
  if !expected.dtype.isFloating {
    return zip(expected.wholes, actual.wholes).enumerated().first { $1.0 != $1.1 }
      .map { "element \($0): \($1.0) expected, got \($1.1)" }
  }
  let (wanted, found) = (expected.doubles, actual.doubles)
  let largest = wanted.lazy.filter(\.isFinite).map { abs($0) }.max() ?? 0
  let limit = ulps * expected.dtype.unitInLastPlace * largest
  for (index, (want, got)) in zip(wanted, found).enumerated() {
    if want == got || (want.isNaN && got.isNaN) { continue }
    if abs(want - got) <= limit { continue }
    return "element \(index): \(want) expected, got \(got)"
      + (limit > 0 ? ", which differs by more than \(limit)" : "")
  }
  return nil
}

extension DType {
  /// The distance from 1 to the next larger number; 0 for integers.
  package var unitInLastPlace: Double {
    switch self {
    case .float16: 0x1p-10
    case .bfloat16: 0x1p-7
    case .float32: 0x1p-23
    case .float64: 0x1p-52
    default: 0
    }
  }
}
