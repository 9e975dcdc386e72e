import AgnesiExpressions

extension ONNXOperators {
  /// Comparisons, truth and bits.
  static var logic: [ONNXOperator] {
    [
      .binary("Equal") { $0 .== $1 },
      .binary("Less") { $0 .< $1 },
      .binary("LessOrEqual") { $0 .<= $1 },
      .binary("Greater") { $0 .> $1 },
      .binary("GreaterOrEqual") { $0 .>= $1 },
      .binary("And") { $0 .& $1 },
      .binary("Or") { $0 .| $1 },
      .binary("Xor") { $0 .^ $1 },
      .unary("Not") { not($0) },
      .binary("BitwiseAnd") { $0 .& $1 },
      .binary("BitwiseOr") { $0 .| $1 },
      .binary("BitwiseXor") { $0 .^ $1 },
      .unary("BitwiseNot") { not($0) },
      ONNXOperator("Where") { select(try $0(0), try $0(1), try $0(2)) },
    ]
  }
}
