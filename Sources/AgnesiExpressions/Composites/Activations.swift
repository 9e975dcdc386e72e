import AgnesiArrays
import AgnesiLoops

/// The Gaussian error linear unit, `x · Φ(x)` with the normal distribution Φ.
///
/// - Parameter x: floating.
/// - Source: Hendrycks & Gimpel, *Gaussian error linear units*, 2016, eq. 1.
public func gelu(_ x: Tensor) -> Tensor {
  // erfc keeps the digits of the left tail, which 1 + erf loses.
  .floatingComposite("gelu", x) { $0 * 0.5 * erfc($0 * -0.5.squareRoot()) }
}

/// `x / (1 + |x|)`: a sigmoid from −1 to 1 that saturates slowly.
///
/// - Parameter x: floating.
/// - Source: Glorot & Bengio, *Understanding the difficulty of training deep feedforward neural
///   networks*, 2010, §3.
public func softsign(_ x: Tensor) -> Tensor {
  .floatingComposite(
    "softsign", x,
    gradient: { upstream, operands, _ in [upstream[0].map { $0 / square(1 + abs(operands[0])) }] },
    body: { $0 / (1 + abs($0)) })
}

/// The sigmoid as three straight lines, `clip(0.2·x + 0.5, 0, 1)`.
///
/// - Parameter x: floating.
/// - Source: Courbariaux, Bengio & David, *BinaryConnect*, 2015, use the same shape with another
///   slope; 0.2 is the usual one in recurrent networks.
public func hardSigmoid(_ x: Tensor) -> Tensor {
  .floatingComposite("hardSigmoid", x) { clip($0 * 0.2 + 0.5, 0, 1) }
}
