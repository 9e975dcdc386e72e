import AgnesiExpressions

/// An operator of ONNX, and how it is said in expressions.
struct ONNXOperator: Sendable {
  typealias Build = @Sendable (ONNXCall) throws -> [Tensor]

  let name: String
  /// Whether values that are known are computed at import. Not where work may be out of proportion to
  /// the sizes of what is read and written.
  let isFolded: Bool
  let build: Build

  init(
    _ name: String, isFolded: Bool = true, _ build: @escaping @Sendable (ONNXCall) throws -> Tensor
  ) {
    self.name = name
    self.isFolded = isFolded
    self.build = { [try build($0)] }
  }

  /// An operator of several results.
  init(_ name: String, isFolded: Bool = true, results: @escaping Build) {
    self.name = name
    self.isFolded = isFolded
    build = results
  }

  static func unary(_ name: String, _ function: @escaping @Sendable (Tensor) -> Tensor)
    -> ONNXOperator
  {
    ONNXOperator(name) { function(try $0(0)) }
  }

  static func binary(
    _ name: String, _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> ONNXOperator {
    ONNXOperator(name) { function(try $0(0), try $0(1)) }
  }
}

/// All operators that can be read. A new one is a row of one of these tables.
enum ONNXOperators {
  static let byName: [String: ONNXOperator] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })

  private static var all: [ONNXOperator] {
    arithmetic + functions + activations + logic + reductions + shape + joining + indexing + linear
      + convolutions + pooling + normalization + resizing + quantization + losses
  }
}
