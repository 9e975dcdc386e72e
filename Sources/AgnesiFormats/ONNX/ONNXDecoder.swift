import AgnesiArrays

/// Decodes the messages of an ONNX file.
struct ONNXDecoder {
  private let path: String
  private let budget: MemoryBudget

  init(path: String, _ budget: MemoryBudget) {
    self.path = path
    self.budget = budget
  }

  /// What a message of the file costs in memory at most, beside what it holds.
  private static let overhead = 256

  private func charge() throws(FormatProblem) {
    try budget.charge(Self.overhead, for: "a part of the graph")
  }

  private func name(_ field: ProtobufReader.Field) throws(FormatProblem) -> String {
    let bytes = try field.bytes()
    try budget.charge(32 + 2 * bytes.count, for: "a name")
    return bytes.text
  }

  func graph(_ bytes: FileBytes) throws(FormatProblem) -> ONNXGraph {
    var graph = ONNXGraph()
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: graph.nodes.append(try node(try field.bytes()))
      case 2: graph.name = try name(field)
      case 5: graph.initializers.append(try tensor(try field.bytes()))
      case 11: graph.inputs.append(try valueInfo(try field.bytes()))
      case 12: graph.outputs.append(try valueInfo(try field.bytes()))
      case 15: throw FormatProblem("it has sparse initializers, which are not read")
      default: break
      }
    }
    return graph
  }

  private func node(_ bytes: FileBytes) throws(FormatProblem) -> ONNXNode {
    try charge()
    var node = ONNXNode()
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: node.inputs.append(try name(field))
      case 2: node.outputs.append(try name(field))
      case 3: node.name = try name(field)
      case 4: node.operation = try name(field)
      case 5:
        let (name, value) = try attribute(try field.bytes())
        node.attributes[name] = value
      case 7:
        let domain = try name(field)
        node.domain = domain == "ai.onnx" ? "" : domain
      default: break
      }
    }
    return node
  }

  /// The single fields of an attribute; which one counts is its type.
  private struct AttributeFields {
    var name = ""
    var type: Int?
    var float: Float?
    var integer: Int?
    var text: String?
    var tensor: FileBytes?
    var floats: [FileBytes] = []
    var integers: [Int64] = []
    var texts: [String] = []
  }

  private func attribute(
    _ bytes: FileBytes
  ) throws(FormatProblem) -> (String, ONNXAttribute) {
    try charge()
    var fields = AttributeFields()
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: fields.name = try name(field)
      case 2: fields.float = try field.float()
      case 3: fields.integer = try field.integer()
      case 4: fields.text = try name(field)
      case 5: fields.tensor = try field.bytes()
      case 7: try field.appendFixed(size: 4, to: &fields.floats, budget)
      case 8: try field.appendIntegers(to: &fields.integers, budget)
      case 9: fields.texts.append(try name(field))
      case 20: fields.type = try field.integer()
      default: break
      }
    }
    return (fields.name, try value(of: fields))
  }

  private func value(of fields: AttributeFields) throws(FormatProblem) -> ONNXAttribute {
    switch fields.type ?? inferredType(of: fields) {
    case 1: return .float(fields.float ?? 0)
    case 2: return .integer(fields.integer ?? 0)
    case 3: return .text(fields.text ?? "")
    case 4:
      guard let bytes = fields.tensor else { return .other("no tensor") }
      do throws(FormatProblem) {
        return .tensor(try tensor(bytes).array)
      } catch {
        // Only a node that needs it is refused for it.
        return .other(error.description)
      }
    case 6:
      let count = fields.floats.reduce(0) { $0 + $1.count }
      let arrays = NumberArrays(budget: budget)
      let array = try arrays.array(.float32, [count / 4], joining: fields.floats, fields.name)
      return .floats(array.scalars(as: Float.self))
    case 7: return .integers(fields.integers.map { Int($0) })
    case 8: return .texts(fields.texts)
    case 5: return .other("a graph")
    case .some(let other): return .other("an attribute of type \(other)")
    case nil: return .other("nothing")
    }
  }

  /// The first versions of the format did not state the type.
  private func inferredType(of fields: AttributeFields) -> Int? {
    if fields.float != nil { return 1 }
    if fields.integer != nil { return 2 }
    if fields.text != nil { return 3 }
    if fields.tensor != nil { return 4 }
    if !fields.floats.isEmpty { return 6 }
    if !fields.integers.isEmpty { return 7 }
    return fields.texts.isEmpty ? nil : 8
  }

  private func valueInfo(_ bytes: FileBytes) throws(FormatProblem) -> ONNXValueInfo {
    try charge()
    var info = ONNXValueInfo()
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: info.name = try name(field)
      case 2:
        var type = ProtobufReader(try field.bytes())
        while let field = try type.next() {
          if field.number == 1 { try readTensorType(try field.bytes(), into: &info) }
        }
      default: break
      }
    }
    return info
  }

  private func readTensorType(
    _ bytes: FileBytes, into info: inout ONNXValueInfo
  ) throws(FormatProblem) {
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: info.dtype = ONNXElement.dtype(try field.integer())
      case 2:
        var (shape, list): ([ONNXValueInfo.Dimension], ProtobufReader) =
          ([], ProtobufReader(try field.bytes()))
        while let field = try list.next() {
          if field.number == 1 { shape.append(try dimension(try field.bytes())) }
        }
        info.shape = shape
      default: break
      }
    }
  }

  private func dimension(
    _ bytes: FileBytes
  ) throws(FormatProblem) -> ONNXValueInfo.Dimension {
    try budget.charge(64, for: "a size")
    var result = ONNXValueInfo.Dimension.unknown
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1:
        let value = try field.integer()
        result = value < 0 ? .unknown : .known(value)
      case 2:
        let name = try name(field)
        result = name.isEmpty ? .unknown : .named(name)
      default: break
      }
    }
    return result
  }

  func operatorSet(_ bytes: FileBytes) throws(FormatProblem) -> (domain: String, version: Int) {
    var (domain, version) = ("", 0)
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: domain = try name(field)
      case 2: version = try field.integer()
      default: break
      }
    }
    return (domain, version)
  }

  /// A key with its value.
  func entry(_ bytes: FileBytes) throws(FormatProblem) -> (String, String) {
    try charge()
    var (key, value) = ("", "")
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: key = try name(field)
      case 2: value = try name(field)
      default: break
      }
    }
    return (key, value)
  }

  func functionName(_ bytes: FileBytes) throws(FormatProblem) -> String {
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      if field.number == 1 { return try name(field) }
    }
    return ""
  }
}

// MARK: - Tensors

extension ONNXDecoder {
  /// A tensor with its name: elements in one run of bytes, in typed lists, or in a file beside.
  func tensor(_ bytes: FileBytes) throws(FormatProblem) -> (name: String, array: NDArray) {
    try budget.charge(512, for: "a tensor")
    var (tensorName, sizes, type): (String, [Int64], Int) = ("", [], 0)
    var (floats, doubles): ([FileBytes], [FileBytes]) = ([], [])
    var (integers, raw): ([Int64], FileBytes?) = ([], nil)
    var (external, isExternal): ([String: String], Bool) = ([:], false)
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: try field.appendIntegers(to: &sizes, budget)
      case 2: type = try field.integer()
      case 4: try field.appendFixed(size: 4, to: &floats, budget)
      case 5, 7, 11: try field.appendIntegers(to: &integers, budget)
      case 8: tensorName = try name(field)
      case 9: raw = try field.bytes()
      case 10: try field.appendFixed(size: 8, to: &doubles, budget)
      case 13:
        let (key, value) = try entry(try field.bytes())
        external[key] = value
      case 14: isExternal = try field.integer() == 1
      default: break
      }
    }
    guard let dtype = ONNXElement.dtype(type) else {
      throw FormatProblem(
        "the tensor \(FormatProblem.quoted(tensorName)) holds \(ONNXElement.name(type)), which no"
          + " array does")
    }
    let shape = sizes.map { Int($0) }
    let arrays = NumberArrays(budget: budget)
    if isExternal {
      let beside = try ExternalData(external, of: tensorName, beside: path).bytes()
      return (tensorName, try arrays.array(dtype, shape, beside, tensorName))
    }
    if let raw { return (tensorName, try arrays.array(dtype, shape, raw, tensorName)) }
    if dtype == .float32 {
      return (tensorName, try arrays.array(dtype, shape, joining: floats, tensorName))
    }
    if dtype == .float64 {
      return (tensorName, try arrays.array(dtype, shape, joining: doubles, tensorName))
    }
    return (tensorName, try arrays.array(dtype, shape, integers: integers, tensorName))
  }
}
