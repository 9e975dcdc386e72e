import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

/// Builds the expressions of an ONNX graph, node by node.
struct ONNXImporter {
  private let file: ONNXFile
  private let path: String
  private var work = FileWork()
  private var values: [String: ONNXValue] = [:]
  private(set) var inputs: [(name: String, tensor: Tensor)] = []

  /// Constants of more elements are parameters: graphs in model files write constants as text.
  private static let constantLimit = 64

  init(_ file: ONNXFile, path: String, names: SizeNames, _ stated: ONNXModel.Stated) throws {
    self.file = file
    self.path = path
    guard file.functions.isEmpty else {
      throw ModelError(
        path,
        "it brings functions of its own along, which are not read: "
          + file.functions.prefix(3).joined(separator: ", "),
        hint: "inline them first: onnx.inliner.inline_local_functions")
    }
    try addInitializers()
    try addInputs(names, stated)
    for (number, node) in file.graph.nodes.enumerated() { try add(node, number) }
  }

  /// The value of a name, for the graph's outputs.
  func output(_ name: String) throws -> Tensor {
    guard let value = values[name] else {
      throw ModelError(path, "no node computes the output \"\(name)\"")
    }
    return value.tensor
  }

  // MARK: Leaves

  /// Parameters, which training may change; whole numbers and single numbers are part of the graph.
  private mutating func addInitializers() throws {
    let statistics = Set(
      file.graph.nodes.filter { $0.operation == "BatchNormalization" }
        .flatMap { $0.inputs.dropFirst(3) })
    for (name, array) in file.graph.initializers {
      guard values[name] == nil else {
        throw ModelError(path, "two tensors are called \"\(name)\"")
      }
      values[name] = try value(array, name, isStatistic: statistics.contains(name))
    }
  }

  private mutating func value(
    _ array: NDArray, _ name: String, isStatistic: Bool = false
  ) throws -> ONNXValue {
    work.addWeights(array.count)
    let isSmall = array.count <= Self.constantLimit
    if array.rank == 0 || (isSmall && !array.dtype.isFloating) { return ONNXValue(array) }
    let tags: ParameterTags =
      isStatistic || !array.dtype.isFloating
      ? .statistic : array.rank > 1 ? .weight : .trainable
    let parameter = Parameter(
      name: name, shape: array.shape, dtype: array.dtype, tags: tags, initializer: .zeros, seed: 0)
    try parameter.assign(array)
    return ONNXValue(array, as: .parameter(parameter))
  }

  private mutating func addInputs(_ names: SizeNames, _ stated: ONNXModel.Stated) throws {
    // Before version 4 of the format initializers were inputs too.
    for info in file.graph.inputs where values[info.name] == nil {
      if let array = stated.constants[info.name] {
        guard info.dtype == nil || info.dtype == array.dtype else {
          throw ModelError(path, "its input \"\(info.name)\" is no \(array.dtype)")
        }
        values[info.name] = try value(array, info.name)
        continue
      }
      let known = stated.shapes[info.name].map { $0.map { ONNXValueInfo.Dimension.known($0) } }
      guard let dtype = info.dtype, let dimensions = known ?? info.shape, dimensions.count <= 32
      else {
        throw ModelError(
          path, "its input \"\(info.name)\" is no tensor of numbers with a known number of axes",
          hint: "where it is one, the file has to give its shape")
      }
      let shape = dimensions.enumerated().map { axis, dimension -> Size in
        switch dimension {
        case .known(let size): Size(size)
        case .named(let name): names.size(name)
        case .unknown: axis == 0 ? .batch : names.size("\(info.name)_\(axis)")
        }
      }
      guard shape.allSatisfy({ ($0.known ?? 0) <= 1 << 31 }) else {
        throw ModelError(path, "its input \"\(info.name)\" has an impossible size")
      }
      let tensor = Tensor.input(info.name, shape, dtype)
      inputs.append((info.name, tensor))
      work.addInput(tensor.type)
      values[info.name] = ONNXValue(tensor)
    }
  }

  // MARK: Nodes

  private mutating func add(_ node: ONNXNode, _ number: Int) throws {
    let set = node.domain.isEmpty ? "" : "\(node.domain)."
    let version = file.operatorSets[node.domain] ?? 0
    let label = node.name.isEmpty ? "node \(number)" : "node \"\(node.name)\""
    let place = "\(label) (\(set)\(node.operation), operator set \(version))"
    let location = SourceLocation("\(label) (\(set)\(node.operation))", of: path)
    try SourceLocation.$inherited.withValue(location) { try add(node, version, place) }
  }

  /// - Parameter place: the node in words.
  private mutating func add(_ node: ONNXNode, _ version: Int, _ place: String) throws {
    do {
      guard node.domain.isEmpty, let operation = ONNXOperators.byName[node.operation] else {
        throw ONNXRefusal(
          "this operator is not supported",
          hint:
            "some others can be expanded with onnx.inliner or a simplifier"
        )
      }
      guard version >= 6 || file.operatorSets.isEmpty else {
        throw ONNXRefusal(
          "operators before version 6 are not read",
          hint: "convert the model: onnx.version_converter.convert_version")
      }
      // Until then operands were aligned at an axis that an attribute names.
      if version < 7, node.attributes["broadcast"] != nil, node.attributes["axis"] != nil {
        throw ONNXRefusal("broadcasting along an axis, before version 7, is not supported")
      }
      let inputs = try node.inputs.map { name -> ONNXValue? in
        if name.isEmpty { return nil }
        guard let value = values[name] else {
          throw ONNXRefusal("no node before it computes its input \"\(name)\"")
        }
        return value
      }
      let call = ONNXCall(node: node, version: version, inputs: inputs)
      let results = try results(of: operation, call)
      let boundary = Set(inputs.compactMap { $0?.tensor })
      let new = results.map(\.tensor).topologicalNodes(stoppingAt: boundary)
      if let excess = work.excess(adding: new) { throw ONNXRefusal(excess) }
      try store(results, of: node)
    } catch let refusal as ONNXRefusal {
      throw ModelError(path, "\(place): \(refusal.reason)", hint: refusal.hint)
    }
  }

  private mutating func store(_ results: [ONNXValue], of node: ONNXNode) throws {
    let named = node.outputs.filter { !$0.isEmpty }
    guard Set(named).count == named.count, named.allSatisfy({ values[$0] == nil }) else {
      throw ONNXRefusal("it computes a value that is there already")
    }
    for (position, name) in node.outputs.enumerated() where !name.isEmpty {
      guard results.indices.contains(position) else {
        throw ONNXRefusal("its output \(position), \"\(name)\", is not supported")
      }
      values[name] = results[position]
    }
  }

  private mutating func results(of operation: ONNXOperator, _ call: ONNXCall) throws -> [ONNXValue]
  {
    if let sizes = try ShapeRules.results(of: call) { return sizes }
    if operation.name == "Constant" { return [try constant(operation, call)] }
    let tensors = try checked(try operation.build(call))
    guard operation.isFolded, call.inputs.allSatisfy({ $0?.contents != nil || $0 == nil }),
      call.inputs.allSatisfy({ ($0?.contents?.count ?? 0) <= ConstantEvaluator.countLimit })
    else { return tensors.map { ONNXValue($0) } }
    let frozen = ONNXCall(
      node: call.node, version: call.version, inputs: call.inputs.map { $0?.frozen })
    guard let arrays = ConstantEvaluator.values(of: try checked(try operation.build(frozen))) else {
      return tensors.map { ONNXValue($0) }
    }
    return zip(arrays, tensors).map { array, tensor in
      // What is made of parameters stays so, and goes on learning.
      let learns = array.dtype.isFloating && !tensor.parameters(.trainable).isEmpty
      let isLarge = array.count > Self.constantLimit && array.rank > 0
      return ONNXValue(array, as: learns || isLarge ? tensor : nil)
    }
  }

  private mutating func constant(_ operation: ONNXOperator, _ call: ONNXCall) throws -> ONNXValue {
    guard let tensor = try checked(try operation.build(call)).first, let array = tensor.constant
    else { throw ONNXRefusal("it has no value") }
    return try value(array, call.node.outputs.first ?? call.node.name)
  }

  /// Throws the mistakes that operations found, and what is out of all proportion.
  private func checked(_ tensors: [Tensor]) throws -> [Tensor] {
    for tensor in tensors {
      if let failure = tensor.failure {
        throw ONNXRefusal(failure.text(withLocations: false, withHint: false))
      }
      guard tensor.rank <= 32, tensor.type.isAllowedInFiles else {
        throw ONNXRefusal("its result would be \(tensor.type)")
      }
      // Files could make formulas of any length: each product may square it.
      if let size = tensor.shape.first(where: { $0.weight > ShapeRules.mostTerms }) {
        throw ONNXRefusal("a size of its result is a formula of \(size.weight) names")
      }
    }
    return tensors
  }
}

/// Names of sizes that compiled code can use, one for each name of the file.
final class SizeNames {
  private var names: [String: String] = [:]
  private var used: Set<String> = ["batch"]

  /// - Parameter batch: the file's name of the axis of samples.
  init(batch: String?) {
    if let batch { names[batch] = "batch" }
  }

  func size(_ name: String) -> Size {
    if let known = names[name] { return .symbol(known) }
    let plain = name.unicodeScalars.map { scalar -> Character in
      let isPlain = scalar.isASCII && scalar.properties.isAlphabetic
      return isPlain || ("0"..."9").contains(scalar) ? Character(scalar) : "_"
    }
    let stem = "d_" + String(plain.prefix(40))
    var candidate = name == "batch" ? "batch" : stem
    while name != "batch" && !used.insert(candidate).inserted {
      candidate = "\(stem)_\(used.count)"
    }
    names[name] = candidate
    return .symbol(candidate)
  }
}
