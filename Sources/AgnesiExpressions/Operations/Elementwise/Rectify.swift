import AgnesiArrays
import AgnesiLoops

// ReLU and its gradient as one operation each. Users write them in several ways (``relu(_:)``, a maximum with
// 0, a choice by sign), and files of others do; rules bring all of them into this form
// (`Rewrites.rectifiers`), so that passes ask for the operation and not for a spelling.

/// `x` where it is above 0, and 0 elsewhere; NaN stays NaN.
package struct Rectify: UnaryElementwise {
  package static let name = "rectify"
  package var hasBoundedDerivative: Bool { true }
  package var leavesElementsOut: Bool { true }
  package var elementCost: Int { 1 }

  package init() {}

  package func resultType(_ operand: DType) throws(TypeError) -> DType { try operand.orNumeric() }
  package func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor? {
    Tensor(RectifyGradient(), y, upstream)
  }
  package func value(_ x: Double) -> Double { x <= 0 ? 0 : x }
  package func value<Whole: FixedWidthInteger>(_ x: Whole) -> Whole { x <= 0 ? 0 : x }
  package func scalar(_ x: Scalar) -> Scalar {
    .select(x .<= .constant(0, x.dtype), .constant(0, x.dtype), x)
  }

  package static let examples = [
    Example("a matrix", [.init([3, 5], .distinct)], smooth: false) { Tensor(Rectify(), $0[0]) },
    Example(
      "special values", [.init([6], .given([0, -0.0, -.infinity, .infinity, .nan, -3]))],
      differentiable: false
    ) { Tensor(Rectify(), $0[0]) },
    Example("integers", [.init([7], .whole(-5...5), .int16)], differentiable: false) {
      Tensor(Rectify(), $0[0])
    },
    Example("unsigned", [.init([3], .whole(0...9), .uint8)], differentiable: false) {
      Tensor(Rectify(), $0[0])
    },
  ]
}

/// What arrives at the operand of a ReLU: the second operand where the first, ReLU's result or its operand,
/// is above 0, and 0 elsewhere.
package struct RectifyGradient: BinaryElementwise {
  package static let name = "rectifyGradient"
  package var hasBoundedDerivative: Bool { true }
  package var leavesElementsOut: Bool { true }
  package var roles: [String] { ["value", "gradient"] }

  package init() {}

  package func resultType(_ operands: DType) throws(TypeError) -> DType { try operands.orNumeric() }
  package func gradient(
    _ upstream: Tensor, _ x: Tensor, _ y: Tensor, _ result: Tensor
  ) -> (Tensor?, Tensor?) {
    (nil, Tensor(RectifyGradient(), x, upstream))
  }
  package func value(_ x: Double, _ y: Double) -> Double { x > 0 ? y : 0 }
  package func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole { x > 0 ? y : 0 }
  package func scalar(_ x: Scalar, _ y: Scalar) -> Scalar {
    .select(.constant(0, x.dtype) .< x, y, .constant(0, y.dtype))
  }

  package static let examples = [
    Example("two matrices", [.init([3, 5], .distinct), .init([3, 5])], smooth: false) {
      Tensor(RectifyGradient(), $0[0], $0[1])
    },
    Example(
      "special values",
      [
        .init([5], .given([0, -1, .nan, 2, .infinity])),
        .init([5], .given([.nan, .infinity, 1, .nan, 3])),
      ],
      differentiable: false
    ) { Tensor(RectifyGradient(), $0[0], $0[1]) },
    Example(
      "integers", [.init([5], .whole(-9...9), .int32), .init([5], .whole(-9...9), .int32)],
      differentiable: false
    ) { Tensor(RectifyGradient(), $0[0], $0[1]) },
  ]
}
