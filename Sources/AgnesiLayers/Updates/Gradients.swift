import AgnesiExpressions

/// Parameters with the gradients of a cost: what update rules descend along.
///
///     let gradients = Gradients(of: cost, withRespectTo: cost.parameters(.trainable))
///     let updates = adam(gradients.clipped(totalNorm: 5), rate: 1e-3)
public struct Gradients: Sendable {
  /// Each parameter once, with a gradient of its shape.
  public private(set) var pairs: [(parameter: Tensor, gradient: Tensor)]
  /// The expressions whose layers bring updates of their own along.
  public private(set) var outputs: [Tensor]

  /// The gradient of `cost`.
  ///
  /// - Parameters:
  ///   - cost: one floating number.
  ///   - parameters: each must matter to the cost; a mistake is recorded otherwise.
  public init(of cost: Tensor, withRespectTo parameters: [Tensor]) {
    let uses = Self.uses(of: parameters, in: cost)
    var gradients = gradient(of: cost, withRespectTo: uses.flatMap { $0 })[...]
    pairs = zip(parameters, uses).map { parameter, tensors in
      let own = gradients.prefix(tensors.count)
      gradients = gradients.dropFirst(tensors.count)
      return (
        parameter: parameter, gradient: own.dropFirst().reduce(own[own.startIndex]) { $0 + $1 }
      )
    }
    outputs = [cost]
  }

  /// For each parameter, all tensors of it: where one is shared there may be several, and its
  /// gradient is the sum of theirs.
  private static func uses(of parameters: [Tensor], in cost: Tensor) -> [[Tensor]] {
    var tensors: [Parameter: [Tensor]] = [:]
    for tensor in [cost].topologicalNodes().flatMap(\.results) {
      if let parameter = tensor.parameter { tensors[parameter, default: []].append(tensor) }
    }
    return parameters.map { parameter in
      parameter.parameter.flatMap { tensors[$0] } ?? [parameter]
    }
  }

  /// Gradients that were made in another way.
  ///
  /// - Parameter outputs: see `Updates(_:bringing:)`.
  public init(_ pairs: [(Tensor, Tensor)], bringing outputs: [Tensor] = []) {
    self.pairs = pairs.map { (parameter: $0.0, gradient: $0.1) }
    self.outputs = outputs
  }

  /// The same parameters with other gradients.
  public func map(_ transform: (_ parameter: Tensor, _ gradient: Tensor) -> Tensor) -> Gradients {
    var result = self
    result.pairs = pairs.map { ($0.parameter, transform($0.parameter, $0.gradient)) }
    return result
  }

  /// Shortened together, where their total norm is above `limit`, to that norm; the direction stays.
  ///
  /// - Source: Pascanu et al., *On the difficulty of training recurrent neural networks*, 2013, §3.2.
  public func clipped(totalNorm limit: Double) -> Gradients {
    guard !pairs.isEmpty else { return self }
    let norm = AgnesiLayers.totalNorm(of: pairs.map(\.gradient))
    // A norm of 0 is below any limit, so nothing is divided by it.
    let factor = select(norm .> limit, limit / norm, .constant(1, norm.dtype))
    return map { $1 * factor.cast(to: $1.dtype) }
  }

  /// Each element kept in `range`.
  public func clipped(to range: ClosedRange<Double>) -> Gradients {
    map { clip($1, range.lowerBound, range.upperBound) }
  }

  /// The square root of the sum of all squares: what ``clipped(totalNorm:)`` measures.
  public var totalNorm: Tensor { AgnesiLayers.totalNorm(of: pairs.map(\.gradient)) }
}

/// The square root of the sum of the squares of all elements of all tensors, in the dtype of the
/// first; 0 of nothing.
public func totalNorm(of tensors: [Tensor]) -> Tensor {
  let squares = tensors.map { square($0.widened).sum() }
  guard let first = squares.first, let stored = tensors.first else { return .constant(0) }
  return sqrt(squares.dropFirst().reduce(first) { $0 + $1.cast(to: first.dtype) })
    .narrowed(as: stored)
}
