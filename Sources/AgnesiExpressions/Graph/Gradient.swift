import AgnesiArrays
import AgnesiLoops

/// The gradient of a scalar with respect to tensors: more expressions, which can be differentiated
/// again.
///
/// - Parameters:
///   - cost: a floating tensor of one element.
///   - variables: any tensors that `cost` is made of, intermediate ones too.
///   - constants: tensors through which no slope flows.
///   - disconnected: what a variable gets that `cost` does not depend on; by default a mistake,
///     since an answer of zero hides a wrong graph.
/// - Returns: one tensor for each variable, of its shape.
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
  let slopes = pullback(
    of: [stable], slopes: [one], withRespectTo: variables, constants: Set(constants))
  return zip(variables, slopes).map { variable, slope in
    slope ?? disconnected.answer(for: variable)
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
        role: "variable", name: variable.name, type: variable.type, site: variable.node.site)
      return .failed(
        GraphError(
          "gradient", "the cost does not depend on this variable in a differentiable way",
          operands: [described],
          hint: "pass disconnected: .zero where a gradient of zero is meant"))
    }
  }
}

/// The product of slopes with the Jacobian: what arrives at each variable when `slopes` arrive at
/// `outputs`; nil where nothing does.
///
/// With `stopping`, the walk does not look behind the variables, which makes it local: composites
/// use it on their bodies.
package func pullback(
  of outputs: [Tensor], slopes: [Tensor?], withRespectTo variables: [Tensor],
  constants: Set<Tensor> = [], stopping: Bool = false
) -> [Tensor?] {
  var arrived: [Tensor: Tensor] = [:]
  func add(_ slope: Tensor?, to tensor: Tensor) {
    guard let slope, !constants.contains(tensor) else { return }
    arrived[tensor] = arrived[tensor].map { $0 + slope } ?? slope
  }
  for (output, slope) in zip(outputs, slopes) { add(slope, to: output) }

  let order = outputs.topologicalNodes(stoppingAt: stopping ? Set(variables) : [])
  let needed = dependents(of: Set(variables.map(\.node)), in: order)
  for node in order.reversed() where needed.contains(node) && !node.operands.isEmpty {
    let results = node.results
    let incoming = results.map { arrived[$0] }
    guard incoming.contains(where: { $0 != nil }) else { continue }
    // What was consumed is kept only for variables, so that a long graph holds few slopes.
    let outgoing = Site.$inherited.withValue(node.site) {
      node.operation.gradient(incoming, operands: node.operands, results: results)
    }
    for (operand, slope) in zip(node.operands, outgoing)
    where needed.contains(operand.node) || variables.contains(operand) {
      add(slope, to: operand)
    }
  }
  return variables.map { arrived[$0] }
}

/// The nodes of `order` that are made of any of `sources`, sources included.
private func dependents(of sources: Set<Node>, in order: [Node]) -> Set<Node> {
  var result = sources
  for node in order where node.operands.contains(where: { result.contains($0.node) }) {
    result.insert(node)
  }
  return result
}
