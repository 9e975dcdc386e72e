import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats

extension ONNXOperators {
  /// Functions of one number.
  static var functions: [ONNXOperator] {
    [
      .unary("Abs") { abs($0) },
      .unary("Neg") { -$0 },
      .unary("Exp") { exp($0) },
      .unary("Log") { log($0) },
      .unary("Sqrt") { sqrt($0) },
      .unary("Reciprocal") { reciprocal($0) },
      .unary("Sign") { sign($0) },
      .unary("Floor") { floor($0) },
      .unary("Ceil") { ceil($0) },
      .unary("Round") { round($0) },
      .unary("Sin") { sin($0) },
      .unary("Cos") { cos($0) },
      .unary("Tan") { tan($0) },
      .unary("Asin") { asin($0) },
      .unary("Acos") { acos($0) },
      .unary("Atan") { atan($0) },
      .unary("Sinh") { sinh($0) },
      .unary("Cosh") { cosh($0) },
      .unary("Tanh") { tanh($0) },
      .unary("Asinh") { asinh($0) },
      .unary("Acosh") { acosh($0) },
      .unary("Atanh") { atanh($0) },
      .unary("Erf") { erf($0) },
      .unary("Identity") { $0 },
      .unary("IsNaN") { isNaN($0) },
      ONNXOperator("IsInf") { call in
        let x = try call(0)
        let (below, above) = (
          try call.flag("detect_negative", true), try call.flag("detect_positive", true)
        )
        switch (below, above) {
        case (true, true): return isInfinite(x)
        case (true, false): return x .== -Double.infinity
        case (false, true): return x .== Double.infinity
        case (false, false): return Tensor.filled(0, x.shape, .bool)
        }
      },
      ONNXOperator("Cast") { try converted(try $0(0), to: $0) },
      .binary("CastLike") { x, like in x.cast(to: like.dtype) },
    ]
  }

  private static func converted(_ x: Tensor, to call: ONNXCall) throws -> Tensor {
    let number = try call.integer("to", 0)
    guard let dtype = ONNXElement.dtype(number) else {
      throw ONNXRefusal("a cast to \(ONNXElement.name(number)) is not supported")
    }
    return x.cast(to: dtype)
  }
}
