/// What an expression is used for.
public enum Purpose: Sendable {
  /// Random elements are on, and statistics are those of the mini-batch: how layers are built.
  case training
  /// As in training, but whatever keeps running averages uses them, and they stay as they are: how
  /// a network that has learned before goes on with few samples.
  case fineTuning
  /// Dropout does nothing, and batch normalisation uses its running averages.
  case inference
}

extension Tensor {
  /// This expression as it is used for `purpose`. The parameters are shared.
  public func specialized(for purpose: Purpose) -> Tensor {
    [self].specialized(for: purpose)[0]
  }
}

extension [Tensor] {
  /// These expressions as they are used for `purpose`; what they share stays shared.
  ///
  /// - Complexity: linear in the nodes.
  public func specialized(for purpose: Purpose) -> [Tensor] {
    if purpose == .training { return self }
    return rebuilt { node, new in node.results(for: purpose, new.operands(of: node)) }
  }
}

extension Node {
  /// What a composite is for that purpose; nil for what stays as it is.
  ///
  /// A composite that is made of such composites is opened, since its name stands for the body that
  /// it was built with. Recursion ends with the nesting of composites.
  fileprivate func results(
    for purpose: Purpose, _ operands: [Tensor]
  ) -> [Tensor]? {
    guard let composite = operation as? Composite else { return nil }
    if let body = composite.inferenceBody, purpose == .inference || !composite.updates.isEmpty {
      return body.outputs.specialized(for: purpose).applied(from: body.inputs, to: operands)
    }
    let inner = composite.body.outputs.specialized(for: purpose)
    guard inner != composite.body.outputs else { return nil }
    return inner.applied(from: composite.body.inputs, to: operands)
  }
}

extension [Tensor] {
  fileprivate func applied(from inputs: [Tensor], to operands: [Tensor]) -> [Tensor] {
    Graph(inputs: inputs, outputs: self).applied(to: operands)
  }
}
