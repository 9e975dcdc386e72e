import AgnesiExpressions

/// What passes a rectifier on the way back from a score to the pixels.
public enum RectifierRule: String, Sendable, Hashable, CaseIterable {
  /// The function's own gradient.
  case gradient
  /// Positive gradients only, and only where the rectifier was on.
  ///
  /// Source: Springenberg et al., *Striving for simplicity: the all convolutional net*, 2015, §3.4.
  case guided
  /// Positive gradients only, wherever the rectifier stood.
  ///
  /// Source: Zeiler & Fergus, *Visualizing and understanding convolutional networks*, 2014, §2.1.
  case deconvolution
}

extension [Tensor] {
  /// These expressions with the same values, whose gradients pass rectifiers by another rule.
  ///
  /// A rectifier is a function that lets positive values through and holds negative ones back:
  /// `relu`, its bounded and leaky forms, `elu` and so on. Under the guided rule they also keep their
  /// own gradient, so that a bounded rectifier passes nothing where it is saturated.
  public func passingRectifiers(by rule: RectifierRule) -> [Tensor] {
    if rule == .gradient { return self }
    return replacingNonlinearities { nonlinearity, x in
      guard nonlinearity.isRectifier else { return nil }
      return nonlinearity.overriding(
        gradient: { upstream, x, _ in
          let positive = select(upstream .> 0, upstream, .zeros(like: upstream))
          if rule == .deconvolution { return positive }
          return nonlinearity.gradient(select(x .> 0, positive, .zeros(like: upstream)), at: x)
        },
        name: "\(rule.rawValue).\(nonlinearity.name)")(x)
    }
  }
}
