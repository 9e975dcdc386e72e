import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import AgnesiReference

/// One rule at work: a formula that it fits, and what it must make of it on its own.
struct RuleCase: Sendable, CustomStringConvertible {
  let rule: String
  let inputs: [Example.Input]
  let before: @Sendable ([Tensor]) -> Tensor
  /// Nil: the rule must decline.
  let after: (@Sendable ([Tensor]) -> Tensor)?
  /// In units in the last place, relative to the largest magnitude.
  let tolerance: Double

  init(
    _ rule: String, _ inputs: [Example.Input] = [.init([3, 4])], tolerance: Double = 4,
    _ before: @escaping @Sendable ([Tensor]) -> Tensor,
    becomes after: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.rule = rule
    self.inputs = inputs
    self.before = before
    self.after = after
    self.tolerance = tolerance
  }

  init(
    declining rule: String, _ inputs: [Example.Input] = [.init([3, 4])],
    _ before: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.rule = rule
    self.inputs = inputs
    self.before = before
    after = nil
    tolerance = 4
  }

  var description: String { rule }

  /// Fresh inputs, and one array for each.
  func arguments() -> (tensors: [Tensor], values: [Tensor: NDArray]) {
    let tensors = inputs.enumerated().map { number, input in
      Tensor.input("x\(number)", input.shape.map { Size($0) }, input.dtype)
    }
    let arrays = inputs.enumerated().map { number, input in
      input.array(stream: Philox(seed: 5, name: "\(rule) \(number)"))
    }
    return (tensors, Dictionary(uniqueKeysWithValues: zip(tensors, arrays)))
  }
}

@resultBuilder
enum RuleCases {
  static func buildExpression(_ item: RuleCase) -> [RuleCase] { [item] }
  static func buildBlock(_ parts: [RuleCase]...) -> [RuleCase] { parts.flatMap { $0 } }
  static func buildArray(_ parts: [[RuleCase]]) -> [RuleCase] { parts.flatMap { $0 } }
}

func cases(@RuleCases _ rows: () -> [RuleCase]) -> [RuleCase] { rows() }

/// Whether two expressions are the same operations on the same leaves.
func areEqual(_ a: Tensor, _ b: Tensor) -> Bool {
  let merged = merge([a, b])
  return merged[0] == merged[1]
}

/// The largest difference, in units in the last place of the larger of the two arrays' largest
/// magnitude; infinite where one is NaN or infinite and the other is not the same.
func difference(_ a: NDArray, _ b: NDArray) -> Double {
  guard a.shape == b.shape, a.dtype == b.dtype else { return .infinity }
  let (left, right) = (a.doubles, b.doubles)
  let finite = (left + right).filter(\.isFinite).map(\.magnitude)
  let unit = max(finite.max() ?? 0, 1e-30) * (a.dtype == .float64 ? 0x1p-52 : 0x1p-23)
  return zip(left, right).reduce(0) { worst, pair in
    if pair.0 == pair.1 || (pair.0.isNaN && pair.1.isNaN) { return worst }
    let distance = (pair.0 - pair.1).magnitude
    return max(worst, distance.isNaN ? .infinity : distance / unit)
  }
}
