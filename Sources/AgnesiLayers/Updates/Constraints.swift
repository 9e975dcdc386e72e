import AgnesiExpressions

/// The sum of the absolute values of all elements of all tensors, in the dtype of the first: the L1
/// penalty.
public func l1(_ tensors: [Tensor]) -> Tensor { summed(tensors) { abs($0) } }

/// ``l1(_:)`` of one tensor.
public func l1(_ tensor: Tensor) -> Tensor { l1([tensor]) }

/// The sum of the squares of all elements of all tensors (no ½), in the dtype of the first: the L2
/// penalty. `cost + 1e-4 * l2(logits.parameters(.regularizable))` shrinks weights, not biases.
public func l2(_ tensors: [Tensor]) -> Tensor { summed(tensors) { square($0) } }

/// ``l2(_:)`` of one tensor.
public func l2(_ tensor: Tensor) -> Tensor { l2([tensor]) }

private func summed(_ tensors: [Tensor], _ penalty: (Tensor) -> Tensor) -> Tensor {
  // In the dtype of arithmetic: squares of 16-bit floats overflow long before their sum is wanted.
  let sums = tensors.map { penalty($0.widened).sum() }
  guard let first = sums.first, let stored = tensors.first else { return .constant(0) }
  return sums.dropFirst().reduce(first) { $0 + $1.cast(to: first.dtype) }.narrowed(as: stored)
}

/// `x` with the norm of each unit's incoming weights at most `limit`; longer ones are shortened to it.
///
/// - Parameters:
///   - axes: what the norm is over. By default axis 0 of a matrix `[inputs, units]`, and all axes but
///     the first of kernels; of a vector its only axis.
/// - Source: Srebro & Shraibman 2005; Srivastava et al., *Dropout*, 2014, §5.1.
public func normConstrained(_ x: Tensor, to limit: Double, axes: [Int]? = nil) -> Tensor {
  let over = axes ?? (x.rank <= 2 ? [0] : Array(1..<x.rank))
  let norm = sqrt(square(x.widened).sum(axes: over, keepingAxes: true))
  let isLong = norm .> limit
  // What is not too long is divided by 1: a norm of 0 would give 0 / 0.
  let divisor = select(isLong, norm / limit, .ones(like: norm))
  return (x.widened / divisor).narrowed(as: x)
}

extension Updates {
  /// Weights (parameters for weight penalties) that shrink by `rate · amount` of themselves in each
  /// step, whatever the update rule does with their gradients.
  ///
  /// - Source: Loshchilov & Hutter, *Decoupled weight decay regularization*, 2019, §2.
  public func decayingWeights(by amount: Double, rate: some LearningRate) -> Updates {
    mapValues { parameter, value in
      guard parameter.isWeight else { return value }
      let rate = rate.rateTensor.asRate(of: "weight decay", for: parameter)
      return value - rate * amount * parameter
    }
  }

  /// Weights of at least two axes whose norms stay at most `limit` (``normConstrained(_:to:axes:)``).
  public func constrainingNorms(to limit: Double) -> Updates {
    mapValues { parameter, value in
      parameter.isWeight && parameter.rank >= 2 ? normConstrained(value, to: limit) : value
    }
  }

  /// Momentum on top of any update rule: with `x` the rule's new value, `v ← μ·v + (x − p)` and
  /// `p ← p + v`. After ``sgd(_:rate:)`` this is ``momentum(_:rate:momentum:)``.
  public func addingMomentum(_ momentum: Double = 0.9) -> Updates {
    wrapping { parameter, value, velocity in
      let next = momentum * velocity + (value - parameter)
      return (next, parameter + next)
    }
  }

  /// Nesterov's momentum on top of any update rule: `v ← μ·v + (x − p)`, `p ← μ·v + x` with the new
  /// `v`.
  public func addingNesterovMomentum(_ momentum: Double = 0.9) -> Updates {
    wrapping { parameter, value, velocity in
      let next = momentum * velocity + (value - parameter)
      return (next, momentum * next + value)
    }
  }

  /// Every trainable parameter with a velocity.
  private func wrapping(
    _ rule: (_ parameter: Tensor, _ value: Tensor, _ velocity: Tensor) -> (Tensor, Tensor)
  ) -> Updates {
    var velocities = Updates()
    let values = mapValues { parameter, value in
      guard parameter.parameter?.tags.contains(.trainable) ?? false else { return value }
      let velocity = Tensor.state(
        "\(parameter.name).velocity", shape: parameter.type.knownShape ?? [],
        dtype: parameter.dtype)
      let (next, result) = rule(parameter, value, velocity)
      velocities.set(velocity, to: next)
      return result
    }
    return values + velocities
  }
}

extension Tensor {
  fileprivate var isWeight: Bool { parameter?.tags.contains(.regularizable) ?? false }
}
