import AgnesiArrays
import AgnesiLoops

/// `x` where `condition` holds and `y` elsewhere; operands broadcast.
///
/// - Parameter condition: bool.
/// - Returns: the common dtype of `x` and `y`. The gradient of what was not chosen is 0, whatever its
///   formula makes of it (see ``gradient(of:withRespectTo:constants:disconnected:)``).
public func select(_ condition: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
  Select().applied(to: [condition, x, y])[0]
}

struct Select: Operation {
  static let name = "select"
  var leavesElementsOut: Bool { true }
  var elementCost: Int { 1 }
  var roles: [String] { ["condition", "true", "false"] }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (condition, x, y) = (operands[0], operands[1], operands[2])
    guard condition.dtype == .bool else {
      throw TypeError("needs a bool condition, got \(condition.dtype)")
    }
    guard x.dtype == y.dtype else {
      throw TypeError("operands of two dtypes, \(x.dtype) and \(y.dtype)")
    }
    let shape = try Shape.equal(try Shape.equal(condition.shape, x.shape), y.shape)
    return [TensorType(x.dtype, shape)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil, nil] }
    let zero = Tensor.constant(0, upstream.dtype)
    return [nil, select(operands[0], upstream, zero), select(operands[0], zero, upstream)]
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (conditions, dtype) = (operands[0].wholes, types[0].dtype)
    if dtype.isFloating {
      let (x, y) = (operands[1].doubles, operands[2].doubles)
      let values = conditions.enumerated().map { $1 != 0 ? x[$0] : y[$0] }
      return [NDArray(rounding: values, shape: operands[0].shape, dtype)]
    }
    let (x, y) = (operands[1].wholes, operands[2].wholes)
    let values = conditions.enumerated().map { $1 != 0 ? x[$0] : y[$0] }
    return [NDArray(wrapping: values, shape: operands[0].shape, dtype)]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    .elementwise { .select($0[0], $0[1], $0[2]) }
  }

  func applied(to operands: [Tensor]) -> [Tensor] {
    let branches = Tensor.aligned([operands[1], operands[2]])
    return Tensor.make(self, Tensor.aligned([operands[0]] + branches, convert: false))
  }

  static let examples = [
    Example("two matrices", [.init([3, 4]), .init([3, 4]), .init([3, 4])]) {
      select($0[0] .> 0, $0[1], $0[2])
    },
    Example("a number", [.init([5])], smooth: false) { select($0[0] .> 0, $0[0], $0[0] * 0.1) },
    Example("empty", [.init([0]), .init([0])]) { select($0[0] .> 0, $0[0], $0[1]) },
  ]
}
