import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers

extension Summary {
  /// The layers of a model's function, from its graph.
  ///
  /// - Parameter name: the function; nil for the only one, or `classify`. Of a classifier, the layers
  ///   that its `logits` come from.
  /// - Throws: ``ModelError`` where the model has no such function.
  public init(_ model: Model, function name: String? = nil) throws {
    let names = model.functions.keys.sorted()
    let chosen = name ?? (names.contains("classify") ? "classify" : names.first) ?? ""
    guard let function = model.functions[chosen] else {
      throw ModelError(
        nil, "the model has no function \"\(chosen)\"",
        hint: NearestNames.question(
          chosen, in: names, otherwise: "its functions are \(names.joined(separator: ", "))"))
    }
    let logits = function.outputs.filter { $0.name == "logits" }
    let outputs = logits.isEmpty ? function.outputs : logits
    self.init(inputs: function.inputs, outputs: outputs.map(\.tensor))
  }
}
