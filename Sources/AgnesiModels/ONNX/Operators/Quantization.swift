import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

extension ONNXOperators {
  /// Whole numbers that stand for others.
  static var quantization: [ONNXOperator] {
    [
      ONNXOperator("DequantizeLinear") { call in
        let (x, scale) = (try call(0), try call(1))
        try call.refuse(try call.integer("block_size", 0) != 0, "a scale for each block")
        let zero = call.optional(2)?.tensor.cast(to: .int32) ?? .constant(0, .int32)
        guard x.dtype.isInteger else { throw ONNXRefusal("quantised \(x.dtype)") }
        let steps = (x.cast(to: .int32) - (try spread(zero, x, call))).cast(to: scale.dtype)
        return steps * (try spread(scale, x, call))
      },
      ONNXOperator("QuantizeLinear") { call in
        let (x, scale) = (try call(0), try call(1))
        try call.refuse(try call.integer("block_size", 0) != 0, "a scale for each block")
        let stated = try call.integer("output_dtype", 0)
        let dtype =
          call.optional(2)?.tensor.dtype ?? (stated == 0 ? .uint8 : ONNXElement.dtype(stated))
        guard let dtype, dtype.isInteger, dtype.size <= 2, x.dtype == .float32 else {
          throw ONNXRefusal("quantisation of \(x.dtype) to \(ONNXElement.name(stated))")
        }
        let zero = call.optional(2)?.tensor.cast(to: .float32) ?? .constant(0)
        let steps = round(x / (try spread(scale, x, call))) + (try spread(zero, x, call))
        let bits = Double(dtype.size * 8)
        let range =
          dtype.isSigned
          ? (low: -power(2, bits - 1), high: power(2, bits - 1) - 1)
          : (low: 0, high: power(2, bits) - 1)
        return clip(steps, range.low, range.high).cast(to: dtype)
      },
    ]
  }

  private static func power(_ base: Double, _ exponent: Double) -> Double {
    (0..<Int(exponent)).reduce(1) { product, _ in product * base }
  }

  /// One value for all, or one for each place of an axis.
  private static func spread(
    _ values: Tensor, _ x: Tensor, _ call: ONNXCall
  ) throws -> Tensor {
    if values.type.count.isOne { return values.reshaped([]) }
    guard values.rank == 1 else { throw ONNXRefusal("scales of shape \(values.type)") }
    let axis = try call.axis(try call.integer("axis", 1), of: x.rank)
    try call.checkEachOf(x.shape[axis], "places of axis \(axis)", values, "scale or zero point")
    return values.reshaped([values.size(0)] + Shape(repeating: 1, count: x.rank - 1 - axis))
  }
}
