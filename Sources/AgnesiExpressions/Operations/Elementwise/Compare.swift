import AgnesiArrays
import AgnesiLoops

// Comparisons: results are bool and have no gradient. `>` and `≥` are `<` and `≤` with the operands
// exchanged, as IEEE 754 comparisons allow.

extension Tensor {
  public static func .== (x: Tensor, y: Tensor) -> Tensor { .binary(Compare(.equal), x, y) }
  public static func .== (x: Tensor, y: some TensorNumber) -> Tensor { x .== x.constant(like: y) }
  public static func .!= (x: Tensor, y: Tensor) -> Tensor { .binary(Compare(.notEqual), x, y) }
  public static func .!= (x: Tensor, y: some TensorNumber) -> Tensor { x .!= x.constant(like: y) }
  public static func .< (x: Tensor, y: Tensor) -> Tensor { .binary(Compare(.less), x, y) }
  public static func .< (x: Tensor, y: some TensorNumber) -> Tensor { x .< x.constant(like: y) }
  public static func .<= (x: Tensor, y: Tensor) -> Tensor { .binary(Compare(.lessOrEqual), x, y) }
  public static func .<= (x: Tensor, y: some TensorNumber) -> Tensor { x .<= x.constant(like: y) }
  public static func .> (x: Tensor, y: Tensor) -> Tensor { y .< x }
  public static func .> (x: Tensor, y: some TensorNumber) -> Tensor { x .> x.constant(like: y) }
  public static func .>= (x: Tensor, y: Tensor) -> Tensor { y .<= x }
  public static func .>= (x: Tensor, y: some TensorNumber) -> Tensor { x .>= x.constant(like: y) }
}

struct Compare: BinaryElementwise {
  static let name = "compare"
  let function: BinaryFunction

  init(_ function: BinaryFunction) { self.function = function }

  var label: String { function.rawValue }

  func resultType(_ operands: DType) throws(TypeError) -> DType { .bool }

  func gradient(_ upstream: Tensor, _ x: Tensor, _ y: Tensor, _: Tensor) -> (Tensor?, Tensor?) {
    (nil, nil)
  }

  func value(_ x: Double, _ y: Double) -> Double {
    switch function {
    case .equal: x == y ? 1 : 0
    case .notEqual: x != y ? 1 : 0
    case .less: x < y ? 1 : 0
    default: x <= y ? 1 : 0
    }
  }

  func value<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> Whole {
    switch function {
    case .equal: x == y ? 1 : 0
    case .notEqual: x != y ? 1 : 0
    case .less: x < y ? 1 : 0
    default: x <= y ? 1 : 0
    }
  }

  func scalar(_ x: Scalar, _ y: Scalar) -> Scalar { .binary(function, x, y) }

  private static let numbers: [Example.Input] = [
    .init([5], .given([1, 2, 3, .nan, 0])), .init([5], .given([2, 2, -3, 1, -0.0])),
  ]

  static let examples = [
    Example("equal", numbers, differentiable: false) { $0[0] .== $0[1] },
    Example("not equal", numbers, differentiable: false) { $0[0] .!= $0[1] },
    Example("less", numbers, differentiable: false) { $0[0] .< $0[1] },
    Example("less or equal", numbers, differentiable: false) { $0[0] .<= $0[1] },
    Example("greater", numbers, differentiable: false) { $0[0] .> $0[1] },
    Example("greater or equal", numbers, differentiable: false) { $0[0] .>= $0[1] },
    Example("a number", [.init([3, 2])], differentiable: false) { $0[0] .> 0.5 },
    Example(
      "integers", [.init([4], .whole(0...2), .int32), .init([4], .whole(0...2), .int32)],
      differentiable: false
    ) { $0[0] .== $0[1] },
  ]
}
