import AgnesiArrays
import AgnesiLoops

/// The rectifier, `max(0, x)`.
///
/// - Parameter x: numbers.
/// - Returns: the shape and dtype of `x`; NaN stays NaN. The gradient at 0 is 0.
/// - Source: Nair & Hinton, *Rectified linear units improve restricted Boltzmann machines*, 2010.
public func relu(_ x: Tensor) -> Tensor {
  .builtIn(
    "relu", [x],
    gradient: { upstream, _, results in
      // The result tells as much as the operand, whose memory is free by then.
      [upstream[0].map { select(results[0] .> 0, $0, .zeros(like: $0)) }]
    },
    body: { select($0[0] .<= 0, .zeros(like: $0[0]), $0[0]) })
}

/// The rectifier that ends at 6, `min(max(0, x), 6)`, for networks that run in few bits.
///
/// - Parameter x: floating.
/// - Returns: the shape and dtype of `x`; NaN stays NaN. The gradient at 0 and at 6 is 0.
/// - Source: Krizhevsky, *Convolutional deep belief networks on CIFAR-10*, 2010; Howard et al.,
///   *MobileNets*, 2017.
public func relu6(_ x: Tensor) -> Tensor {
  .floatingComposite(
    "relu6", x,
    gradient: { upstream, _, results in
      // The result tells as much as the operand, whose memory is free by then.
      let isBetween = (results[0] .> 0) .& (results[0] .< 6)
      return [upstream[0].map { select(isBetween, $0, .zeros(like: $0)) }]
    },
    body: { clip($0, 0, 6) })
}

/// The rectifier that lets a share of negative values through: x where x > 0, else `slope · x`.
///
/// - Parameters:
///   - x: floating.
///   - slope: usually between 0 and 1; the gradient at 0.
/// - Source: Maas, Hannun & Ng, *Rectifier nonlinearities improve neural network acoustic models*,
///   2013.
public func leakyReLU(_ x: Tensor, slope: Double = 0.01) -> Tensor {
  .floatingComposite(
    "leakyReLU", x, attributes: ["slope": .number(slope)],
    gradient: { upstream, operands, _ in
      [upstream[0].map { select(operands[0] .> 0, $0, $0 * slope) }]
    },
    body: { select($0 .> 0, $0, $0 * slope) })
}

/// The exponential linear unit: x where x > 0, else `alpha · (eˣ − 1)`.
///
/// - Parameter x: floating.
/// - Source: Clevert, Unterthiner & Hochreiter, *Fast and accurate deep network learning by
///   exponential linear units*, 2015, eq. 15.
public func elu(_ x: Tensor, alpha: Double = 1) -> Tensor {
  .floatingComposite(
    "elu", x, attributes: ["alpha": .number(alpha)],
    gradient: { upstream, operands, results in
      // α·eˣ = y + α; the body's own rule would multiply a gradient of 0 by an infinite eˣ.
      [upstream[0].map { select(operands[0] .> 0, $0, $0 * (results[0] + alpha)) }]
    },
    body: { select($0 .> 0, $0, alpha * expm1($0)) })
}

/// The self-normalising exponential linear unit, `λ · elu(x, α)`, which keeps mean 0 and variance 1
/// from layer to layer.
///
/// - Parameter x: floating.
/// - Source: Klambauer et al., *Self-normalizing neural networks*, 2017, eq. 2 and 14.
public func selu(_ x: Tensor) -> Tensor {
  .floatingComposite("selu", x) {
    1.050_700_987_355_480_5 * elu($0, alpha: 1.673_263_242_354_377_2)
  }
}
