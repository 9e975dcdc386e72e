import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

extension Model {
  /// Writes a function for other programs: an ONNX file with graph and weights, of operator set 18.
  ///
  /// It is the function of inference. Composites that ONNX has operators for (softmax, batch
  /// normalisation, …) become those, others what they are made of. Sizes that have names are free. The
  /// model's information travels along, and ``ONNXModel`` reads it back.
  ///
  /// - Parameters:
  ///   - path: written beside and renamed.
  ///   - function: the name of the function; nil for the only one, or `classify` where there are several.
  ///   - outputs: the names of the outputs to write; nil for all, but only `probabilities` and `logits`
  ///     of a network that has both.
  /// - Throws: ``ModelError`` for what ONNX cannot say, such as random numbers, with the operation; or
  ///   `FileError`.
  public func writeONNX(
    to path: String, function: String? = nil, outputs: [String]? = nil
  ) throws {
    let (name, chosen) = try chosen(function, path)
    let written = try chosen.selected(outputs, path)
    if let failure = written.lazy.compactMap(\.tensor.failure).first { throw failure }
    var export = ONNXExport(inputs: chosen.inputs, reserved: written.map(\.name))
    do {
      let names = try export.add(written.map(\.tensor))
      for (output, name) in zip(written, names) {
        _ = export.builder.add("Identity", [name], to: output.name)
      }
    } catch let refusal as ONNXRefusal {
      throw ModelError(path, "cannot be written as ONNX: \(refusal.reason)", hint: refusal.hint)
    }
    let graph = export.builder.graph(
      information["architecture"] ?? "agnesi",
      inputs: zip(export.inputNames, chosen.inputs).map { ($0, $1.type) },
      outputs: written.map { ($0.name, $0.tensor.type) })
    let message = onnxMessage(graph, name)
    guard message.count < 1 << 31 else {
      throw ModelError(
        path, "takes \(message.count) bytes as ONNX, and such a file has less than 2 GiB")
    }
    try message.write(to: path)
  }

  private func chosen(_ function: String?, _ path: String) throws -> (String, Function) {
    let name = function ?? (functions.count == 1 ? functions.keys.first : nil) ?? "classify"
    guard let chosen = functions[name] else {
      throw ModelError(
        path, "the model has no function \"\(name)\"",
        hint: NearestNames.question(
          name, in: functions.keys.sorted(),
          otherwise: "its functions are \(functions.keys.sorted().joined(separator: ", "))"))
    }
    return (name, chosen)
  }

  private func onnxMessage(_ graph: ProtobufWriter, _ function: String) -> ProtobufWriter {
    var message = ProtobufWriter()
    // Version 8 of the format came with operator set 18.
    message.integer(1, 8)
    message.text(2, "agnesi")
    message.message(7, graph)
    var set = ProtobufWriter()
    set.text(1, "")
    set.integer(2, ONNXExport.version)
    message.message(8, set)
    var metadata = information.filter { !$0.key.hasPrefix("agnesi.") }
    metadata[ONNXMetadata.function] = function
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      var entry = ProtobufWriter()
      entry.text(1, key)
      entry.text(2, value)
      message.message(14, entry)
    }
    return message
  }
}

extension Model.Function {
  /// The outputs that are written.
  fileprivate func selected(
    _ names: [String]?, _ path: String
  ) throws -> [(name: String, tensor: Tensor)] {
    let usual = outputs.filter { ["probabilities", "logits"].contains($0.name) }
    guard let names else { return usual.count == 2 ? usual : outputs }
    return try names.map { name in
      guard let output = outputs.first(where: { $0.name == name }) else {
        throw ModelError(
          path, "the function has no output \"\(name)\"",
          hint: NearestNames.question(
            name, in: outputs.map(\.name),
            otherwise: "its outputs are \(outputs.map(\.name).joined(separator: ", "))"))
      }
      return output
    }
  }
}
