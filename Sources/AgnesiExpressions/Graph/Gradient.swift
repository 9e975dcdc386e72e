import AgnesiArrays
import AgnesiLoops

/// The gradient of a scalar with respect to tensors: more expressions, which can be differentiated
/// again.
///
/// - Parameters:
///   - cost: a floating tensor of one element.
///   - variables: any tensors that `cost` is made of, intermediate ones too.
///   - constants: tensors through which no gradient flows.
///   - disconnected: what a variable gets that `cost` does not depend on; by default a mistake,
///     since an answer of zero hides a wrong graph.
/// - Returns: one tensor for each variable, of its shape.
///
/// The gradient of an element that nothing reads is 0: one that a slice, an index, a choice, a maximum
/// or a window leaves out, even where it is NaN or a function in between has an infinite derivative
/// (that of `sqrt(x)[0]` at [4, 0] is [¼, 0]). Where every element is read, a gradient of 0 times
/// an infinite derivative is NaN, as the product says.
///
/// - Complexity: one visit of each node between the variables and the cost.
/// - Source: reverse accumulation; Griewank & Walther, *Evaluating Derivatives*, ch. 3.
public func gradient(
  of cost: Tensor, withRespectTo variables: [Tensor], constants: [Tensor] = [],
  disconnected: Disconnected = .mistake
) -> [Tensor] {
  if cost.failure != nil { return variables.map { _ in cost } }
  guard cost.type.count.isOne, cost.dtype.isFloating else {
    let error = GraphError(
      "gradient", "the cost must be one floating value, got \(cost.type)",
      hint: cost.dtype.isFloating ? "reduce it with mean() or sum()" : nil)
    return variables.map { _ in .failed(error) }
  }
  let one = Tensor.constant(1, cost.dtype).broadcast(to: cost.shape)
  let stable = cost.stabilized(keeping: variables + constants)
  let gradients = pullback(
    of: [stable], upstream: [one], withRespectTo: variables, constants: Set(constants))
  return zip(variables, gradients).map { variable, gradient in
    gradient ?? disconnected.answer(for: variable)
  }
}

/// What the gradient of something unrelated is.
public enum Disconnected: Sendable {
  case mistake
  case zero

  fileprivate func answer(for variable: Tensor) -> Tensor {
    switch self {
    case .zero: return .zeros(like: variable)
    case .mistake:
      let described = GraphError.Operand(
        role: "variable", name: variable.name, type: variable.type,
        location: variable.node.location)
      return .failed(
        GraphError(
          "gradient", "the cost does not depend on this variable in a differentiable way",
          operands: [described],
          hint: "pass disconnected: .zero where a gradient of zero is meant"))
    }
  }
}
