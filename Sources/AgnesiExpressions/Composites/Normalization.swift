import AgnesiArrays
import AgnesiLoops

/// Values with mean 0 and variance 1 over `axes`: `(x − mean) / √(variance + ε)`.
///
/// - Parameters:
///   - x: floating.
///   - axes: what the statistics are over; negative axes count from the end.
///   - epsilon: added to the variance (divided by the count), positive.
/// - Returns: the shape and dtype of `x`.
public func standardized(_ x: Tensor, axes: [Int], epsilon: Double = 1e-5) -> Tensor {
  let positions: [Int]
  do throws(TypeError) {
    try Tensor.requireFloating([x])
    positions = try x.normalized(axes: axes)
    try requirePositive(epsilon)
  } catch {
    return .mistake("standardized", error, [("operand", x)])
  }
  return .builtIn(
    "standardized", [x],
    attributes: ["axes": .integers(positions), "epsilon": .number(epsilon)],
    gradient: { upstream, operands, results in
      guard let upstream = upstream[0] else { return [nil] }
      let y = results[0]
      // dx = (s − mean(s) − y·mean(s·y)) / √(variance + ε)
      let centred = upstream - upstream.mean(axes: positions, keepingAxes: true)
      let along = y * (upstream * y).mean(axes: positions, keepingAxes: true)
      let statistics = Statistics(operands[0], axes: positions)
      return [(centred - along) * statistics.factor(epsilon: epsilon)]
    },
    body: { operands in
      let statistics = Statistics(operands[0], axes: positions)
      return (operands[0] - statistics.mean) * statistics.factor(epsilon: epsilon)
    })
}

/// Each sample standardised over `axes`, then scaled and shifted.
///
/// - Parameters:
///   - x: floating.
///   - scale: of the sizes of `axes`, or nil for 1.
///   - offset: of the sizes of `axes`, or nil for 0.
///   - axes: the last axes of `x`.
///   - epsilon: added to the variance, positive.
/// - Source: Ba, Kiros & Hinton, *Layer normalization*, 2016, eq. 4.
public func layerNormalized(
  _ x: Tensor, scale: Tensor? = nil, offset: Tensor? = nil, axes: [Int] = [-1],
  epsilon: Double = 1e-5
) -> Tensor {
  var result = standardized(x, axes: axes, epsilon: epsilon)
  if let scale { result = result * scale }
  if let offset { result = result + offset }
  return result
}

/// The same formulas for the values and their gradient, so that merging leaves one of each.
struct Statistics {
  let mean: Tensor
  let variance: Tensor

  init(_ x: Tensor, axes: [Int]) {
    mean = x.mean(axes: axes, keepingAxes: true)
    variance = square(x - mean).mean(axes: axes, keepingAxes: true)
  }

  func factor(epsilon: Double) -> Tensor { 1 / sqrt(variance + epsilon) }
}

func requirePositive(_ epsilon: Double) throws(TypeError) {
  guard epsilon > 0 else { throw TypeError("epsilon is positive, got \(epsilon)") }
}

/// Each element divided by a power of the squares around it in neighbouring channels:
/// `x / (k + α·Σ x²)^β`, the sum over `size` channels.
///
/// - Parameters:
///   - x: `[batch, channels, …]`, floating.
///   - alpha: for each square; Caffe's is divided by `size` first.
///   - size: odd; at the borders there are fewer channels.
/// - Source: Krizhevsky, Sutskever & Hinton, *ImageNet classification with deep convolutional neural
///   networks*, 2012, §3.3.
public func localResponseNormalized(
  _ x: Tensor, alpha: Double = 1e-4, k: Double = 2, beta: Double = 0.75, size: Int = 5
) -> Tensor {
  do throws(TypeError) {
    try Tensor.requireFloating([x])
    guard !x.type.isKnown || x.rank >= 2 else {
      throw TypeError("needs an axis of channels behind that of samples")
    }
    guard size >= 1, size % 2 == 1 else { throw TypeError("the size is odd, got \(size)") }
  } catch {
    return .mistake("localResponseNormalized", error, [("operand", x)])
  }
  let attributes: [String: Attribute] = [
    "alpha": .number(alpha), "k": .number(k), "beta": .number(beta), "size": .integers([size]),
  ]
  return .builtIn("localResponseNormalized", [x], attributes: attributes) { operands in
    let x = operands[0]
    let half = size / 2
    let geometry = PoolingGeometry(
      window: [size, 1], stride: [1, 1], padBegin: [half, 0], padEnd: [half, 0])
    let planes = x.shape.prefix(2) + [x.shape.dropFirst(2).reduce(1) { $0 * $1 }]
    let squares = square(x).reshaped(Array(planes))
    let sums = Tensor(SumPool(geometry: geometry), squares).reshaped(x.shape)
    return x * power(sums * alpha + k, -beta)
  }
}
