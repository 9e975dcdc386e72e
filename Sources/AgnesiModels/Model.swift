import AgnesiArrays
import AgnesiExpressions
import Foundation

/// A trained network, or several that share parameters, in one `.safetensors` file: named functions
/// as graphs, the parameters' values, and what a user needs to know about them.
///
/// The file is evaluated without the Swift code that wrote it, and Python's `safetensors` reads its
/// tensors. The functions stand in the file's metadata under `agnesi.functions`.
public struct Model: Sendable {
  /// A function: what is handed in, and what comes back under which name.
  public struct Function: Sendable {
    public var inputs: [Tensor]
    public var outputs: [(name: String, tensor: Tensor)]

    public init(inputs: [Tensor], outputs: [(name: String, tensor: Tensor)]) {
      self.inputs = inputs
      self.outputs = outputs
    }
  }

  /// By name: `classify`, `generate`, …
  public var functions: [String: Function]
  /// Further parameters to keep that no function uses, such as the state of an update rule.
  public var extraParameters: [Parameter]
  /// Everything else in the file, by key: notation, class names, history. Keys that begin with
  /// `agnesi.` belong to this type.
  public var information: [String: String]

  public init(
    functions: [String: Function], extraParameters: [Parameter] = [],
    information: [String: String] = [:]
  ) {
    self.functions = functions
    self.extraParameters = extraParameters
    self.information = information
  }

  /// All parameters, sorted by name.
  ///
  /// - Throws: ``ModelError`` where two different ones have one name.
  public func parameters() throws -> [Parameter] {
    let outputs = functions.values.flatMap { $0.outputs.map(\.tensor) }
    let used = outputs.topologicalNodes().flatMap(\.results).compactMap(\.parameter)
    var byName: [String: Parameter] = [:]
    for parameter in used + extraParameters {
      if let other = byName[parameter.name], other !== parameter {
        throw ModelError(nil, "two parameters are called \"\(parameter.name)\"")
      }
      byName[parameter.name] = parameter
    }
    return byName.values.sorted { $0.name < $1.name }
  }
}

/// A model file that cannot be written or read.
public struct ModelError: Error, Sendable, Hashable, CustomStringConvertible, LocalizedError {
  public var path: String?
  public var message: String
  public var hint: String?

  package init(_ path: String?, _ message: String, hint: String? = nil) {
    self.path = path
    self.message = message
    self.hint = hint
  }

  public var description: String {
    let first = path.map { "model \($0): \(message)" } ?? "model: \(message)"
    return hint.map { "\(first)\n  hint: \($0)" } ?? first
  }

  public var errorDescription: String? { description }
}

// MARK: - Files

extension Model {
  private static let version = "1"
  private static let versionKey = "agnesi.version"
  private static let functionsKey = "agnesi.functions"

  private struct FunctionRecord: Codable {
    var names: [String]
    var graph: GraphRecord
  }

  /// Writes the file beside its place and renames it, so that a reader never sees half of it.
  ///
  /// - Throws: ``ModelError``, or ``FileError`` of the file system.
  public func write(to path: String) throws {
    var records: [String: FunctionRecord] = [:]
    for (name, function) in functions {
      if let failure = function.outputs.lazy.compactMap(\.tensor.failure).first { throw failure }
      let graph = Graph(inputs: function.inputs, outputs: function.outputs.map(\.tensor))
      records[name] = FunctionRecord(
        names: function.outputs.map(\.name), graph: GraphRecord(graph))
    }
    var metadata = information.filter { !$0.key.hasPrefix("agnesi.") }
    metadata[Self.versionKey] = Self.version
    metadata[Self.functionsKey] = try JSONText.encoded(records)
    let tensors = try parameters().map { (name: $0.name, array: $0.value) }
    try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: path)
  }

  /// Reads a file that ``write(to:)`` wrote.
  ///
  /// - Throws: ``ModelError``, or an error of the file.
  public init(reading path: String) throws {
    let file = try SafetensorsFile(reading: path)
    guard let version = file.metadata[Self.versionKey],
      let text = file.metadata[Self.functionsKey]
    else {
      throw ModelError(
        path, "the file holds tensors, but no functions of Agnesi",
        hint: "only files that Agnesi saved can be evaluated")
    }
    guard version == Self.version else {
      throw ModelError(
        path, "version \(version) of the format, this program reads \(Self.version)")
    }
    do {
      let records = try JSONText.decoded([String: FunctionRecord].self, from: text)
      self = try Self.model(of: records, in: file, path: path)
    } catch let error as ModelFormatError {
      throw ModelError(path, error.message)
    } catch let error as DecodingError {
      throw ModelError(path, "its functions cannot be read: \(error.summary)")
    }
  }

  private static func model(
    of records: [String: FunctionRecord], in file: SafetensorsFile, path: String
  ) throws -> Model {
    var reader = GraphReader(path: path) { record in
      guard let array = file[record.name] else {
        throw ModelFormatError("parameter \"\(record.name)\" has no tensor")
      }
      guard array.shape == record.shape, array.dtype == record.dtype else {
        throw ModelFormatError(
          "parameter \"\(record.name)\" is \(record.dtype)\(record.shape), "
            + "its tensor \(array.dtype)\(array.shape)")
      }
      return array
    }
    var functions: [String: Function] = [:]
    for (name, record) in records.sorted(by: { $0.key < $1.key }) {
      let graph = try reader.graph(record.graph)
      guard record.names.count == graph.outputs.count else {
        throw ModelFormatError("function \"\(name)\" names another number of outputs than it has")
      }
      functions[name] = Function(
        inputs: graph.inputs,
        outputs: zip(record.names, graph.outputs).map { (name: $0, tensor: $1) })
    }
    let used = reader.parameters
    let extra = try file.tensors.filter { used[$0.name] == nil }.map { entry in
      let parameter = Parameter(
        name: entry.name, shape: entry.array.shape, dtype: entry.array.dtype, tags: .updateState,
        initializer: .zeros, seed: 0)
      try parameter.assign(entry.array)
      return parameter
    }
    let information = file.metadata.filter { !$0.key.hasPrefix("agnesi.") }
    return Model(functions: functions, extraParameters: extra, information: information)
  }
}

extension DecodingError {
  /// One line: where, and what.
  fileprivate var summary: String {
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty ? "the beginning" : path.map(\.stringValue).joined(separator: ".")
    }
    switch self {
    case .dataCorrupted(let context):
      return "\(context.debugDescription) at \(place(context.codingPath))"
    case .keyNotFound(let key, let context):
      return "\"\(key.stringValue)\" is missing at \(place(context.codingPath))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(context.debugDescription) at \(place(context.codingPath))"
    @unknown default: return "not in the expected form"
    }
  }
}
