import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

/// Says a graph of expressions in ONNX's operators.
struct ONNXExport {
  /// The version of the operator set that is written; 2022, which every runtime knows.
  static let version = 18

  var builder = ONNXGraphBuilder()
  private var names: [Tensor: String] = [:]
  private var sizes: [Size: String] = [:]
  private let inputs: [Tensor]
  /// The names of the graph's inputs.
  private(set) var inputNames: [String] = []

  /// - Parameter reserved: names of outputs, which nothing else may have.
  init(inputs: [Tensor], reserved: [String]) {
    self.inputs = inputs
    for input in inputs {
      let name = builder.name(input.name)
      inputNames.append(name)
      names[input] = name
    }
    for name in reserved { _ = builder.name(name) }
  }

  /// Writes nodes for everything that `outputs` are made of; the names of their values.
  mutating func add(_ outputs: [Tensor]) throws -> [String] {
    let roots = Self.expanded(outputs)
    for node in roots.topologicalNodes() where node.results.allSatisfy({ names[$0] == nil }) {
      let results: [String]
      do {
        for operand in node.operands { try check(operand) }
        results = try self.results(of: node)
      } catch let refusal as ONNXRefusal {
        let types = node.operands.map(\.type.description).joined(separator: ", ")
        throw ONNXRefusal(
          "\(node.operation.label)(\(types)): \(refusal.reason)", hint: refusal.hint)
      }
      for (tensor, name) in zip(node.results, results) { names[tensor] = name }
    }
    for root in roots { try check(root) }
    return roots.map(name)
  }

  /// Refuses further results that an operator of ONNX has not, such as the argmax of a pool.
  private func check(_ tensor: Tensor) throws {
    guard names[tensor] == nil else { return }
    throw ONNXRefusal(
      "result \(tensor.result) of \(tensor.node.operation.label) has no form in ONNX")
  }

  /// The name of a value that is there already.
  func name(_ tensor: Tensor) -> String { names[tensor] ?? "" }

  // MARK: Composites

  /// The tensors with composites expanded that ONNX has no operator for; in their form for inference.
  private static func expanded(_ tensors: [Tensor]) -> [Tensor] {
    tensors.rebuilt { node, new in
      guard let composite = node.operation as? Composite, !isKept(node) else { return nil }
      let body = composite.inferenceBody ?? composite.body
      return Graph(inputs: body.inputs, outputs: expanded(body.outputs))
        .applied(to: new.operands(of: node))
    }
  }

  private static func isKept(_ node: Node) -> Bool {
    guard let composite = node.operation as? Composite, composite.isBuiltIn,
      let row = ONNXCompositeForms.all[composite.compositeName]
    else { return false }
    return row.fits(node)
  }

  // MARK: Nodes

  private mutating func results(of node: Node) throws -> [String] {
    let operands = node.operands.map(name)
    switch node.operation {
    case let constant as Constant: return [builder.constant(constant.array)]
    case let leaf as ParameterLeaf:
      return [builder.constant(leaf.parameter.value, name: leaf.parameter.name)]
    case let input as Input:
      throw ONNXRefusal("the input \"\(input.inputName)\" is not handed to the function")
    case let composite as Composite:
      guard let row = ONNXCompositeForms.all[composite.compositeName] else {
        throw ONNXRefusal("ONNX has no such operator")
      }
      return try row.write(&self, node, operands)
    default: break
    }
    if let name = try ONNXElementwiseForms.write(&self, node) { return [name] }
    if let names = try ONNXNetworkForms.write(&self, node, operands) { return names }
    if let names = try writeShape(node, operands) { return names }
    throw ONNXRefusal(
      node.operation.isRandom || node.operation is CallNumber
        ? "ONNX has no draws that repeat, so random numbers are not written"
        : "ONNX has no such operator")
  }

  // MARK: Sizes

  /// Sizes as a vector, computed by the graph where they have names.
  mutating func vector(_ shape: Shape) throws -> String {
    if let known = TensorType(.int64, shape).knownShape { return builder.integers(known) }
    let parts = try shape.map { try element($0) }
    return parts.count == 1 ? parts[0] : builder.add("Concat", parts, ["axis": .integer(0)])
  }

  /// A size as a vector of one element.
  private mutating func element(_ size: Size) throws -> String {
    if let known = size.known { return builder.integers([known]) }
    if let name = sizes[size] { return name }
    var sum: String?
    for term in size.terms {
      var product: String?
      if term.coefficient != 1 { product = builder.integers([term.coefficient]) }
      for factor in term.factors {
        let value = try element(factor)
        product = product.map { builder.add("Mul", [$0, value]) } ?? value
      }
      let value = product ?? builder.integers([term.coefficient])
      sum = sum.map { builder.add("Add", [$0, value]) } ?? value
    }
    var result = sum ?? builder.integers([0])
    if size.constant != 0 {
      result = builder.add("Add", [result, builder.integers([size.constant])])
    }
    sizes[size] = result
    return result
  }

  private mutating func element(_ factor: Size.Factor) throws -> String {
    switch factor {
    case .quotient(let a, let b): return builder.add("Div", [try element(a), try element(b)])
    case .remainder(let a, let b): return builder.add("Mod", [try element(a), try element(b)])
    case .symbol(let name):
      if let known = sizes[.symbol(name)] { return known }
      for input in inputs {
        guard let axis = input.shape.firstIndex(of: .symbol(name)) else { continue }
        let result = builder.add(
          "Shape", [self.name(input)], ["start": .integer(axis), "end": .integer(axis + 1)])
        sizes[.symbol(name)] = result
        return result
      }
      throw ONNXRefusal("no input has the size \"\(name)\"")
    }
  }
}
