import AgnesiArrays

/// An ONNX file, decoded: what a `ModelProto` says. Meaning is given to it by `AgnesiModels`.
///
/// Tensors are views of the mapped file where they lie at multiples of their element's size; protocol
/// buffers do not align them, so most weights are copied once.
/// Source: ONNX, `onnx/onnx.proto`.
package struct ONNXFile: Sendable {
  package private(set) var graph = ONNXGraph()
  /// The version of each operator set, by domain.
  package private(set) var operatorSets: [String: Int] = [:]
  package private(set) var metadata: [String: String] = [:]
  package private(set) var producer = ""
  /// The names of functions that the model brings along.
  package private(set) var functions: [String] = []

  /// Reads and maps a file.
  package init(reading path: String) throws {
    let bytes = FileBytes(try MappedFile(path))
    self = try FormatProblem.naming(path, "ONNX") {
      try ONNXFile(bytes, path: path, MemoryBudget(fileSize: bytes.count))
    }
  }

  /// Decodes a single tensor, as ONNX's own tests store them.
  package static func tensor(reading path: String) throws -> NDArray {
    let bytes = FileBytes(try MappedFile(path))
    return try FormatProblem.naming(path, "ONNX") {
      let decoder = ONNXDecoder(path: path, MemoryBudget(fileSize: bytes.count))
      return try decoder.tensor(bytes).array
    }
  }

  init(_ bytes: FileBytes, path: String, _ budget: MemoryBudget) throws(FormatProblem) {
    let decoder = ONNXDecoder(path: path, budget)
    var hasGraph = false
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 2: producer = try field.text()
      case 7:
        graph = try decoder.graph(try field.bytes())
        hasGraph = true
      case 8:
        let (domain, version) = try decoder.operatorSet(try field.bytes())
        operatorSets[domain == "ai.onnx" ? "" : domain] = version
      case 14:
        let (key, value) = try decoder.entry(try field.bytes())
        metadata[key] = value
      case 25:
        try budget.charge(64, for: "a function's name")
        functions.append(try decoder.functionName(try field.bytes()))
      default: break
      }
    }
    guard hasGraph else { throw FormatProblem("it has no graph") }
    guard !operatorSets.isEmpty || graph.nodes.isEmpty else {
      throw FormatProblem("it does not say which version of ONNX's operators it uses")
    }
  }

  /// The initializers as weights.
  var weights: WeightContents {
    var contents = WeightContents(texts: metadata.mapValues { [$0] })
    for (name, array) in graph.initializers { contents.set(name, array) }
    return contents
  }
}
