import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// An expression graph as it stands in a file: nodes in order, each naming earlier ones.
///
/// Parameters are recorded by name, dtype, shape and tags; their values are tensors of the file.
struct GraphRecord: Codable {
  var nodes: [NodeRecord]
  /// The inputs of a function or body, then its outputs, as results of nodes.
  var inputs: [Reference]
  var outputs: [Reference]
}

/// One result of an earlier node, as `[node, result]`.
struct Reference: Codable, Hashable {
  var node: Int
  var result: Int

  init(node: Int, result: Int) {
    self.node = node
    self.result = result
  }

  init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    node = try container.decode(Int.self)
    result = try container.decode(Int.self)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(node)
    try container.encode(result)
  }
}

/// One node: what it is, and its operands.
struct NodeRecord: Codable {
  var kind: Kind
  var operands: [Reference]

  enum Kind {
    case input(name: String, TensorType)
    case parameter(ParameterRecord)
    case callNumber
    case composite(CompositeRecord)
    case operation(any Operation)
  }

  struct ParameterRecord: Codable {
    var name: String
    var dtype: DType
    var shape: [Int]
    var tags: ParameterTags
  }

  private enum CodingKeys: String, CodingKey {
    case operation = "op"
    case operands, name, type, parameter, composite, attributes
  }

  init(kind: Kind, operands: [Reference]) {
    self.kind = kind
    self.operands = operands
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    operands = try container.decodeIfPresent([Reference].self, forKey: .operands) ?? []
    let operation = try container.decode(String.self, forKey: .operation)
    switch operation {
    case "input":
      kind = .input(
        name: try container.decode(String.self, forKey: .name),
        try container.decode(TensorType.self, forKey: .type))
    case "parameter":
      kind = .parameter(try container.decode(ParameterRecord.self, forKey: .parameter))
    case "callNumber": kind = .callNumber
    case "composite":
      kind = .composite(try container.decode(CompositeRecord.self, forKey: .composite))
    default:
      let name = Self.formerNames[operation] ?? operation
      guard let type = Operations.byName[name] ?? Self.leaves[name] else {
        throw ModelFormatError("the operation \"\(operation)\" is unknown to this version")
      }
      if type != Constant.self {
        _ = try container.decodeIfPresent(AttributeLimits.self, forKey: .attributes)
      }
      kind = .operation(try type.init(from: container.superDecoder(forKey: .attributes)))
    }
  }

  private static let leaves: [String: any Operation.Type] = ["constant": Constant.self]

  /// What operations are called that earlier versions wrote under other names.
  private static let formerNames = [
    "convolutionToInput": "convolutionBackwardData",
    "convolutionToKernels": "convolutionBackwardWeights",
    "maxPoolToInput": "maxPoolBackward",
    "sumPoolToInput": "sumPoolBackward",
  ]

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if !operands.isEmpty { try container.encode(operands, forKey: .operands) }
    switch kind {
    case .input(let name, let type):
      try container.encode("input", forKey: .operation)
      try container.encode(name, forKey: .name)
      try container.encode(type, forKey: .type)
    case .parameter(let record):
      try container.encode("parameter", forKey: .operation)
      try container.encode(record, forKey: .parameter)
    case .callNumber: try container.encode("callNumber", forKey: .operation)
    case .composite(let record):
      try container.encode("composite", forKey: .operation)
      try container.encode(record, forKey: .composite)
    case .operation(let operation):
      try container.encode(type(of: operation).name, forKey: .operation)
      try operation.encode(to: container.superEncoder(forKey: .attributes))
    }
  }
}

/// A composite with its bodies. A gradient of its own is code and does not travel: the body's
/// gradient is used, which is the same function but for overridden ones.
struct CompositeRecord: Codable {
  var name: String
  var attributes: [String: Attribute]
  var body: GraphRecord
  var inference: GraphRecord?
  var updates: [Composite.CarriedUpdate]
}

/// Why a graph in a file cannot be read.
struct ModelFormatError: Error {
  var message: String
  init(_ message: String) { self.message = message }
}
