import AgnesiArrays
import AgnesiExpressions

extension ONNXOperators {
  /// What stands between layers.
  static var activations: [ONNXOperator] {
    [
      .unary("Relu") { relu($0) },
      .unary("Sigmoid") { sigmoid($0) },
      .unary("Softplus") { softplus($0) },
      .unary("Softsign") { softsign($0) },
      .unary("HardSwish") { $0 * clip($0 / 6 + 0.5, 0, 1) },
      .unary("Mish") { $0 * tanh(softplus($0)) },
      ONNXOperator("Swish") { call in
        let x = try call(0)
        return x * sigmoid(x * (try call.float("alpha", 1)))
      },
      ONNXOperator("LeakyRelu") { leakyReLU(try $0(0), slope: try $0.float("alpha", 0.01)) },
      ONNXOperator("Elu") { elu(try $0(0), alpha: try $0.float("alpha", 1)) },
      ONNXOperator("Selu", scaledExponential),
      ONNXOperator("Celu") { call in
        let (x, alpha) = (try call(0), try call.float("alpha", 1))
        guard alpha != 0 else { throw ONNXRefusal("its alpha is 0") }
        return maximum(x, 0.0) + minimum(alpha * expm1(minimum(x, 0.0) / alpha), 0.0)
      },
      ONNXOperator("PRelu") { call in
        let (x, given) = (try call(0), try call(1))
        // Before version 7 a vector was one slope a channel.
        let isOld = call.version < 7 && given.rank == 1 && x.rank > 2
        let slope =
          isOld
          ? given.reshaped([given.size(0)] + Array(repeating: 1, count: x.rank - 2)) : given
        let result = select(x .< 0, x * slope, x)
        try call.checkStays(result, like: x)
        return result
      },
      ONNXOperator("ThresholdedRelu") { call in
        let x = try call(0)
        return select(x .> (try call.float("alpha", 1)), x, .zeros(like: x))
      },
      ONNXOperator("HardSigmoid") { call in
        let (slope, offset) = (try call.float("alpha", 0.2), try call.float("beta", 0.5))
        return clip(try call(0) * slope + offset, 0, 1)
      },
      ONNXOperator("Shrink") { call in
        let x = try call(0).cast(to: try floating(call))
        let (limit, bias) = (try call.float("lambd", 0.5), try call.float("bias", 0))
        let inner = select(x .> limit, x - bias, .zeros(like: x))
        return select(x .< -limit, x + bias, inner).cast(to: try call(0).dtype)
      },
      ONNXOperator("Gelu") { call in
        let x = try call(0)
        guard try call.text("approximate", "none") == "tanh" else { return gelu(x) }
        let inner = (2 / Double.pi).squareRoot() * (x + 0.044715 * power(x, 3))
        return 0.5 * x * (1 + tanh(inner))
      },
      ONNXOperator("Clip", clipped),
      ONNXOperator("Softmax") { try alongAxis($0) { softmax($0, axis: $1) } },
      ONNXOperator("LogSoftmax") { try alongAxis($0) { logSoftmax($0, axis: $1) } },
      ONNXOperator("Hardmax") { call in
        try alongAxis(call) { x, axis in
          let winner = x.argMax(axis: axis, keepingAxis: true)
          return (Tensor.index(x.shape, axis: axis) .== winner).cast(to: x.dtype)
        }
      },
    ]
  }

  private static func floating(_ call: ONNXCall) throws -> DType {
    let dtype = try call(0).dtype
    return dtype.isFloating ? dtype : .float32
  }

  private static func scaledExponential(_ call: ONNXCall) throws -> Tensor {
    let (alpha, gamma) = (
      try call.float("alpha", 1.673_263_2), try call.float("gamma", 1.050_701)
    )
    let isUsual = abs(alpha - 1.673_263_2) < 1e-6 && abs(gamma - 1.050_701) < 1e-6
    return isUsual ? selu(try call(0)) : gamma * elu(try call(0), alpha: alpha)
  }

  private static func clipped(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    var result = x
    let bounds = [1, 2].map { call.optional($0)?.contents?.doubles }
    if call.version >= 11, x.dtype.isFloating, bounds == [[0], [6]] { return relu6(x) }
    if call.version < 11 {
      let (low, high) = (
        try call.float("min", -.infinity), try call.float("max", .infinity)
      )
      if (low, high) == (0, 6), x.dtype.isFloating { return relu6(x) }
      if low > -.greatestFiniteMagnitude { result = maximum(result, .constant(low, x.dtype)) }
      if high < .greatestFiniteMagnitude { result = minimum(result, .constant(high, x.dtype)) }
      return result
    }
    if let low = call.optional(1)?.tensor { result = maximum(result, low.reshaped([])) }
    if let high = call.optional(2)?.tensor { result = minimum(result, high.reshaped([])) }
    return result
  }

  /// Before version 13 all axes from the given one on were one.
  private static func alongAxis(
    _ call: ONNXCall, _ function: (Tensor, Int) -> Tensor
  ) throws -> Tensor {
    let x = try call(0)
    let axis = try call.axis(try call.integer("axis", call.version < 13 ? 1 : -1), of: x.rank)
    if call.version >= 13 || axis == x.rank - 1 { return function(x, axis) }
    let isSpread = x.shape.dropFirst(axis + 1).contains { !$0.isOne }
    if !isSpread { return function(x, axis) }
    return function(x.flattened(from: axis), axis).reshaped(x.shape)
  }
}
