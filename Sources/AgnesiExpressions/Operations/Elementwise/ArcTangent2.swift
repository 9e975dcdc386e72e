import AgnesiArrays
import AgnesiLoops
import Foundation

/// The angle of the point (x, y) seen from the origin, counted from the positive x axis.
///
/// - Parameters:
///   - y: floating; broadcasts with `x`.
///   - x: floating.
/// - Returns: radians in `-π...π`, of the common shape and dtype.
public func atan2(_ y: Tensor, _ x: Tensor) -> Tensor { .binary(ArcTangent2(), y, x) }

struct ArcTangent2: BinaryElementwise {
  static let name = "atan2"
  var elementCost: Int { 12 }
  var roles: [String] { ["y", "x"] }

  func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orFloating() }

  // dθ = (x · dy − y · dx) / (x² + y²)
  func gradient(_ upstream: Tensor, _ y: Tensor, _ x: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    let share = upstream / (x * x + y * y)
    return (share * x, -(share * y))
  }
  func value(_ y: Double, _ x: Double) -> Double { Foundation.atan2(y, x) }
  func scalar(_ y: Scalar, _ x: Scalar) -> Scalar { .binary(.atan2, y, x) }

  static let examples = [
    Example("same shape", [.init([3, 4], .uniform(0.2...2)), .init([3, 4])]) {
      atan2($0[0], $0[1])
    },
    Example("broadcast", [.init([3, 1], .uniform(-2 ... -0.2)), .init([5])]) {
      atan2($0[0], $0[1])
    },
    Example(
      "on the axes", [.init([4], .given([0, 0, 1, -1])), .init([4], .given([1, -1, 0, 0]))],
      differentiable: false
    ) { atan2($0[0], $0[1]) },
  ]
}
