import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

/// How functions of elements are written.
enum ONNXElementwiseForms {
  /// Operations that are an operator of ONNX, operand for operand.
  private static let names: [String: String] = [
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "maximum": "Max",
    "minimum": "Min", "power": "Pow", "negate": "Neg", "abs": "Abs", "exp": "Exp", "log": "Log",
    "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos",
    "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh", "asinh": "Asinh",
    "acosh": "Acosh", "atanh": "Atanh", "sigmoid": "Sigmoid", "softplus": "Softplus",
    "floor": "Floor", "ceil": "Ceil", "round": "Round", "sign": "Sign", "erf": "Erf",
    "isNaN": "IsNaN", "rectify": "Relu", "select": "Where", "stopGradient": "Identity",
    "gradientScale": "Identity",
    "gradientClip": "Identity",
  ]

  /// The name of the result; nil for what is no function of elements.
  static func write(_ export: inout ONNXExport, _ node: Node) throws -> String? {
    guard let tensor = node.results.first, tensor.isElementwise else { return nil }
    let operands = unspread(node).map(export.name)
    let name = type(of: node.operation).name
    if let operation = names[name] { return export.builder.add(operation, operands) }
    switch node.operation.form {
    case .cast(let dtype):
      return export.builder.add(
        "Cast", operands, ["to": .integer(ONNXElement.number(dtype))])
    case .compare(let function): return compared(&export, function, operands)
    case .bitwise(let function):
      let isLogical = node.types[0].dtype == .bool
      let word = ["and": "And", "or": "Or", "xor": "Xor"][function.rawValue] ?? "And"
      return export.builder.add(isLogical ? word : "Bitwise" + word, operands)
    default: return composed(&export, name, operands, node.types[0].dtype)
    }
  }

  private static func compared(
    _ export: inout ONNXExport, _ function: BinaryFunction, _ operands: [String]
  ) -> String {
    switch function {
    case .less: return export.builder.add("Less", operands)
    case .lessOrEqual: return export.builder.add("LessOrEqual", operands)
    case .notEqual:
      return export.builder.add("Not", [export.builder.add("Equal", operands)])
    default: return export.builder.add("Equal", operands)
    }
  }

  /// What takes several operators.
  private static func composed(
    _ export: inout ONNXExport, _ name: String, _ operands: [String], _ dtype: DType
  ) -> String? {
    func number(_ value: Double) -> String { export.builder.number(value, dtype) }
    func add(_ operation: String, _ operands: String...) -> String {
      export.builder.add(operation, operands)
    }
    let x = operands[0]
    switch name {
    case "not": return add(dtype == .bool ? "Not" : "BitwiseNot", x)
    case "expm1": return add("Sub", add("Exp", x), number(1))
    case "log1p": return add("Log", add("Add", x, number(1)))
    case "exp2": return add("Pow", number(2), x)
    case "log2": return add("Mul", add("Log", x), number(1.442_695_040_888_963_4))
    case "log10": return add("Mul", add("Log", x), number(0.434_294_481_903_251_83))
    case "erfc": return add("Sub", number(1), add("Erf", x))
    case "trunc": return add("Mul", add("Sign", x), add("Floor", add("Abs", x)))
    case "modulo" where dtype.isInteger: return add("Mod", x, operands[1])
    case "modulo":
      return add("Sub", x, add("Mul", operands[1], add("Floor", add("Div", x, operands[1]))))
    case "floorDivide" where dtype.isInteger:
      // What is left is divided without a remainder, however division rounds.
      return add("Div", add("Sub", x, add("Mod", x, operands[1])), operands[1])
    case "floorDivide": return add("Floor", add("Div", x, operands[1]))
    default: return nil
    }
  }

  /// The operands before they were repeated, where ONNX's operator repeats them as well.
  private static func unspread(_ node: Node) -> [Tensor] {
    let sources = node.operands.map { $0.isBroadcast ? $0.node.operands[0] : $0 }
    let shape = node.types[0].shape
    let isReached = shape.indices.allSatisfy { axis in
      sources.contains { source in
        let position = axis - (shape.count - source.rank)
        return position >= 0 && source.shape[position] == shape[axis]
      }
    }
    return isReached && node.operands.count > 1 ? sources : node.operands
  }
}
