import AgnesiArrays
import AgnesiLoops

// Random tensors. Each is a new draw, even under a name that was used before; names are prefixed by
// the enclosing scopes, and the seed is that of ``Scope/seeded(_:_:)``. Each call of a compiled
// function draws other numbers.

/// Uniform numbers in `0..<1`.
///
/// - Parameters:
///   - shape: sizes may be names.
///   - name: with the seed and the number of the call it determines the numbers.
///   - dtype: float64 has 53 random bits, the others 24.
public func randomUniform(
  _ shape: Shape, name: String = "uniform", dtype: DType = .float32
) -> Tensor {
  guard dtype.isFloating else {
    return .failed(GraphError("randomUniform", "needs a floating dtype, got \(dtype)"))
  }
  let stream = RandomStream(name)
  let high = Tensor.randomWord(stream, 0, shape)
  guard dtype == .float64 else {
    let unit = high.floorDivided(by: 256).cast(to: .float32) * 0x1p-24
    return unit.cast(to: dtype)
  }
  let low = Tensor.randomWord(stream, 1, shape).floorDivided(by: 32).cast(to: .float64)
  let bits = high.floorDivided(by: 64).cast(to: .float64) * 0x1p27 + low
  return bits * 0x1p-53
}

/// Uniform numbers in `range`.
public func randomUniform(
  _ shape: Shape, in range: ClosedRange<Double>, name: String = "uniform",
  dtype: DType = .float32
) -> Tensor {
  let width = range.upperBound - range.lowerBound
  return randomUniform(shape, name: name, dtype: dtype) * width + range.lowerBound
}

/// Normal numbers of mean 0 and deviation 1.
///
/// - Parameters:
///   - shape: sizes may be names.
///   - name: with the seed and the number of the call it determines the numbers.
/// - Source: Box & Muller, *A Note on the Generation of Random Normal Deviates*, 1958; with 32-bit
///   words, no number is beyond ±6.7.
public func randomNormal(
  _ shape: Shape, name: String = "normal", dtype: DType = .float32
) -> Tensor {
  guard dtype.isFloating else {
    return .failed(GraphError("randomNormal", "needs a floating dtype, got \(dtype)"))
  }
  let stream = RandomStream(name)
  // Half a step up, so that the logarithm never sees 0.
  let (first, second) = (
    Tensor.randomWord(stream, 0, shape).cast(to: dtype.computed) * 0x1p-32 + 0x1p-33,
    Tensor.randomWord(stream, 1, shape).cast(to: dtype.computed) * 0x1p-32
  )
  let radius = sqrt(-2 * log(minimum(first, 1)))
  return (radius * cos(second * (2 * Double.pi))).cast(to: dtype)
}

/// True with a probability of `probability`, bool.
///
/// - Parameter probability: in `0...1`.
public func randomBernoulli(
  _ shape: Shape, probability: Double, name: String = "bernoulli"
) -> Tensor {
  randomUniform(shape, name: name) .< probability
}

/// True with a probability that each element has of its own, bool, of the shape of `probability`.
public func randomBernoulli(probability: Tensor, name: String = "bernoulli") -> Tensor {
  guard probability.type.isKnown else { return probability }
  return randomUniform(probability.shape, name: name) .< probability
}

/// Whole numbers in `range`, each equally likely but for 2⁻¹¹ of it.
///
/// - Parameter range: of at most 2²¹ numbers, and at least one.
public func randomInteger(
  _ shape: Shape, in range: Range<Int>, name: String = "integer", dtype: DType = .int64
) -> Tensor {
  guard !range.isEmpty, range.count <= 1 << 21, dtype.isInteger else {
    return .failed(
      GraphError(
        "randomInteger",
        "needs a range of 1 to 2097152 numbers and an integer dtype, got \(range)"
          + " and \(dtype)"))
  }
  // Exact: the product of a word and so small a count has less than 53 bits.
  let words = Tensor.randomWord(RandomStream(name), 0, shape).cast(to: .float64)
  let offsets = (words * (Double(range.count) * 0x1p-32)).cast(to: .int64)
  return (offsets + range.lowerBound).cast(to: dtype)
}
