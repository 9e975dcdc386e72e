import AgnesiArrays
import AgnesiLoops

/// The rectifier, `max(0, x)`.
///
/// - Parameter x: any numbers.
/// - Returns: the shape and dtype of `x`; NaN stays NaN. The gradient at 0 is 0.
/// - Source: Nair & Hinton, *Rectified linear units improve restricted Boltzmann machines*, 2010.
public func relu(_ x: Tensor) -> Tensor {
  .composite(
    "relu", [x],
    gradient: { slopes, _, results in
      [slopes[0].map { select(results[0] .> 0, $0, .zeros(like: $0)) }]
    },
    body: { select($0[0] .<= 0, .zeros(like: $0[0]), $0[0]) })
}
