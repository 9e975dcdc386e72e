import AgnesiArrays

extension Composite {
  /// A composite of `body` applied to stand-ins for the operands.
  init(
    _ name: String, _ operands: [Tensor], attributes: [String: Attribute], gradient: Rule?,
    inference: (([Tensor]) -> [Tensor])?, updates: [(operand: Int, result: Int)],
    resultCount: Int, definition: Definition?, body: ([Tensor]) -> [Tensor]
  ) {
    let inputs = operands.map { operand in
      operand.type.isKnown ? Tensor.input("", operand.shape, operand.dtype) : Tensor.any("")
    }
    // A pattern's or a failed operand's type is unknown: the body would only repeat that.
    let isKnown = operands.allSatisfy { $0.type.isKnown }
    func graph(_ build: ([Tensor]) -> [Tensor]) -> Graph {
      let outputs = isKnown ? build(inputs) : (0..<resultCount).map { _ in Tensor.any("") }
      return Graph(inputs: inputs, outputs: outputs)
    }
    self.init(
      name: name, attributes: attributes, body: graph(body), inferenceBody: inference.map(graph),
      updates: updates.map { CarriedUpdate(operand: $0.operand, result: $0.result) },
      gradient: gradient, definition: definition)
  }
}

extension Tensor {
  /// A composite of this library: name and attributes must determine its bodies and its gradient, for
  /// rules, merging and other formats go by them.
  ///
  /// Where operands are 16-bit floats, the body and the gradient get them in float32, and what they
  /// give is rounded once: counts and sums inside may be beyond what 16 bits hold.
  ///
  /// - Parameter isUnique: whether each use is another, as of random draws.
  package static func builtIn(
    _ name: String, _ operands: [Tensor], attributes: [String: Attribute] = [:],
    gradient: Composite.Rule? = nil, inference: (([Tensor]) -> [Tensor])? = nil,
    updates: [(operand: Int, result: Int)] = [], isUnique: Bool = false, resultCount: Int = 1,
    body: ([Tensor]) -> [Tensor]
  ) -> [Tensor] {
    let isWidened = operands.contains { $0.type.isKnown && $0.dtype != $0.dtype.computed }
    let widening = isWidened ? Widening(updates: updates) : nil
    let operation = Composite(
      name, operands, attributes: attributes,
      gradient: gradient.map { widening?.rule($0) ?? $0 },
      inference: inference.map { build in { widening?.results($0, build) ?? build($0) } },
      updates: updates, resultCount: resultCount,
      definition: isUnique ? .unique(Identity()) : .builtIn,
      body: { widening?.results($0, body) ?? body($0) })
    return make(operation, operands)
  }

  /// A composite of one result, as above.
  package static func builtIn(
    _ name: String, _ operands: [Tensor], attributes: [String: Attribute] = [:],
    gradient: Composite.Rule? = nil, inference: (([Tensor]) -> Tensor)? = nil,
    isUnique: Bool = false, body: ([Tensor]) -> Tensor
  ) -> Tensor {
    let whole: (([Tensor]) -> [Tensor])? = inference.map { build in { [build($0)] } }
    return builtIn(
      name, operands, attributes: attributes, gradient: gradient, inference: whole,
      isUnique: isUnique, body: { [body($0)] })[0]
  }

  /// In the dtype in which arithmetic happens: 16-bit floats as float32, others as they are.
  package var widened: Tensor { type.isKnown ? cast(to: dtype.computed) : self }

  /// Back in the dtype of what was widened.
  package func narrowed(as stored: Tensor) -> Tensor {
    type.isKnown && stored.type.isKnown ? cast(to: stored.dtype) : self
  }
}

/// Bodies and gradients that compute in float32 what is stored in 16 bits.
private struct Widening {
  let updates: [(operand: Int, result: Int)]

  /// Floating results have the dtype of the first operand, new values that of what they replace.
  func results(_ stored: [Tensor], _ build: ([Tensor]) -> [Tensor]) -> [Tensor] {
    build(stored.map(\.widened)).enumerated().map { place, result in
      guard result.type.isKnown, result.dtype.isFloating else { return result }
      let replaced = updates.first { $0.result == place }
      return result.narrowed(as: stored[replaced?.operand ?? 0])
    }
  }

  func rule(_ rule: @escaping Composite.Rule) -> Composite.Rule {
    { upstream, stored, results in
      let wideUpstream = upstream.map { $0?.widened }
      let wide = rule(wideUpstream, stored.map(\.widened), results.map(\.widened))
      return zip(wide, stored).map { gradient, operand in gradient?.narrowed(as: operand) }
    }
  }
}
