import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension ONNXOperators {
  /// Functions of two or more numbers.
  static var arithmetic: [ONNXOperator] {
    [
      .binary("Add") { $0 + $1 },
      .binary("Sub") { $0 - $1 },
      .binary("Mul") { $0 * $1 },
      .binary("Div", quotient),
      .binary("Pow") { x, y in power(x, y).cast(to: x.dtype) },
      ONNXOperator("Mod", remainder),
      variadic("Sum") { $0 + $1 },
      variadic("Max") { maximum($0, $1) },
      variadic("Min") { minimum($0, $1) },
      ONNXOperator("Mean") { call in
        let tensors = try call.all()
        return tensors.dropFirst().reduce(tensors[0]) { $0 + $1 } / Double(tensors.count)
      },
      ONNXOperator("BitShift", shifted),
    ]
  }

  private static func variadic(
    _ name: String, _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> ONNXOperator {
    ONNXOperator(name) { call in
      let tensors = try call.all()
      return tensors.dropFirst().reduce(tensors[0], function)
    }
  }

  /// Whole numbers are divided towards zero.
  private static func quotient(_ x: Tensor, _ y: Tensor) -> Tensor {
    guard !x.dtype.isFloating else { return x / y }
    let down = x.floorDivided(by: y)
    guard x.dtype.isSigned else { return down }
    let isBelow = ((x .< 0) .^ (y .< 0)) .& (x .!= down * y)
    return select(isBelow, down + 1, down)
  }

  /// Of the sign of the divisor, or with `fmod` of the dividend.
  private static func remainder(_ call: ONNXCall) throws -> Tensor {
    let (x, y) = (try call(0), try call(1))
    guard try call.flag("fmod") else {
      guard !x.dtype.isFloating else { throw ONNXRefusal("fmod is 0 for floating operands") }
      return x.modulo(y)
    }
    guard x.dtype.isSigned else { return x.modulo(y) }
    if x.dtype.isInteger {
      // Of the sign of the divisor, which is one divisor away where the signs differ.
      let rest = x.modulo(y)
      return select((rest .!= 0) .& ((x .< 0) .!= (y .< 0)), rest - y, rest)
    }
    let magnitude = abs(x).modulo(abs(y))
    return select(x .< 0, -magnitude, magnitude)
  }

  private static func shifted(_ call: ONNXCall) throws -> Tensor {
    let (x, places) = (try call(0), try call(1))
    guard x.dtype.isInteger, x.dtype != .int64 else {
      throw ONNXRefusal("shifts of \(x.dtype) are not supported")
    }
    let isLeft = try call.text("direction", "") == "LEFT"
    if x.dtype == .uint64 {
      // 2⁶⁴ is 0 here, and so is a quotient by it.
      let factor = power(.constant(2, .uint64), minimum(places.cast(to: .uint64), 64))
      return isLeft ? x * factor : x.floorDivided(by: factor)
    }
    // A shift by all bits or more leaves nothing, as one by 31 more than the width does.
    let factor = power(.constant(2, .int64), minimum(places.cast(to: .int64), 32))
    let wide = x.cast(to: .int64)
    return (isLeft ? wide * factor : wide.floorDivided(by: factor)).cast(to: x.dtype)
  }
}
