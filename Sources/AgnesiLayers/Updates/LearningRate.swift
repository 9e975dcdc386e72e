import AgnesiArrays
import AgnesiExpressions

/// What may be given as a learning rate: a number, or a tensor of one number (an input or a
/// parameter), which can change between steps without compiling again.
public protocol LearningRate: Sendable {
  /// The rate as a tensor of no axes.
  var rateTensor: Tensor { get }
}

extension Double: LearningRate {
  /// The number as a constant.
  public var rateTensor: Tensor { .constant(self, .float64) }
}

extension Float: LearningRate {
  /// The number as a constant.
  public var rateTensor: Tensor { .constant(Double(self), .float64) }
}

extension Int: LearningRate {
  /// The number as a constant.
  public var rateTensor: Tensor { .constant(Double(self), .float64) }
}

extension Tensor: LearningRate {
  /// The tensor itself.
  public var rateTensor: Tensor { self }
}

extension Parameter: LearningRate {
  /// The parameter's value at each step.
  public var rateTensor: Tensor { .parameter(self) }
}

extension Tensor {
  /// A rate as a factor for `gradient`: of its dtype and no axes, or a mistake.
  func asRate(of rule: String, for gradient: Tensor) -> Tensor {
    if failure != nil { return self }
    guard type.count.isOne, dtype != .bool else {
      let operand = GraphError.Operand(
        role: "rate", name: name, type: type, location: node.location)
      return .failed(
        GraphError(rule, "the rate must be one number, got \(type)", operands: [operand]))
    }
    return reshaped([]).cast(to: gradient.dtype)
  }
}
