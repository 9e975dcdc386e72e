import AgnesiArrays
import Dispatch

/// What the first value of a parameter is drawn from.
///
/// Fans are those of the map: a matrix `[in, out]` has fan-in `in`; kernels
/// `[out, in, height, width]` have fan-in `in · height · width`.
public enum Initializer: Hashable, Sendable, Codable {
  case constant(Double)
  /// Uniform in `±range`.
  case uniform(range: Double)
  case normal(mean: Double, deviation: Double)
  /// Uniform with variance `2 · gain² / (fan-in + fan-out)`. Source: Glorot & Bengio 2010, eq. 16.
  case glorot(uniform: Bool, gain: Double)
  /// Variance `gain² / fan-in`. Source: He et al. 2015, eq. 10, whose gain for ReLU is √2.
  case he(uniform: Bool, gain: Double)
  /// A random orthogonal matrix times `gain`, of the tensor seen as `[first axis, the rest]`.
  /// Source: Saxe et al. 2013.
  case orthogonal(gain: Double)
  /// Normal, drawn again where it is more than two deviations from the mean; `deviation` is that
  /// before the tails are cut, the result's is 0.88 of it.
  case truncatedNormal(mean: Double, deviation: Double)
  /// Normal with mean 0 for the part `nonzero` of each unit's incoming weights, 0 for the others.
  /// Source: Martens, *Deep learning via Hessian-free optimization*, 2010, §5.
  case sparse(nonzero: Double, deviation: Double)

  public static let zeros = Initializer.constant(0)
  public static let ones = Initializer.constant(1)
  public static let glorotUniform = Initializer.glorot(uniform: true, gain: 1)
  public static let glorotNormal = Initializer.glorot(uniform: false, gain: 1)
  public static let heUniform = Initializer.he(uniform: true, gain: 2.0.squareRoot())
  public static let heNormal = Initializer.he(uniform: false, gain: 2.0.squareRoot())
  public static let orthogonal = Initializer.orthogonal(gain: 1)
  /// Variance `1 / fan-in`. Source: LeCun et al., *Efficient BackProp*, 1998, §4.6.
  public static let lecunUniform = Initializer.he(uniform: true, gain: 1)
  public static let lecunNormal = Initializer.he(uniform: false, gain: 1)

  /// A value of this kind; element `i` is a pure function of the stream and `i`.
  public func array(shape: [Int], dtype: DType, stream: Philox) -> NDArray {
    switch self {
    case .constant(let value):
      // The state of an update rule begins so, and may be as large as a network.
      if value.bitPattern == 0 { return NDArray(zeros: shape, dtype) }
      return NDArray(filled: value, shape: shape, dtype)
    case .uniform(let range):
      return .drawn(shape, dtype) { (2 * stream.uniform(at: $0) - 1) * range }
    case .normal(let mean, let deviation):
      return .drawn(shape, dtype) { mean + deviation * stream.normal(at: $0) }
    case .glorot(let uniform, let gain):
      let fans = Self.fans(shape)
      let deviation = gain * (2 / max(fans.in + fans.out, 1)).squareRoot()
      return .drawn(shape, dtype) {
        stream.centred(at: $0, uniform: uniform, deviation: deviation)
      }
    case .he(let uniform, let gain):
      let deviation = gain * (1 / max(Self.fans(shape).in, 1)).squareRoot()
      return .drawn(shape, dtype) {
        stream.centred(at: $0, uniform: uniform, deviation: deviation)
      }
    case .orthogonal(let gain):
      let values = Self.orthogonal(shape, stream: stream).map { $0 * gain }
      return NDArray(rounding: values, shape: shape, dtype)
    case .truncatedNormal(let mean, let deviation):
      return .drawn(shape, dtype) { mean + deviation * stream.truncatedNormal(at: $0) }
    case .sparse(let nonzero, let deviation):
      let values = Self.sparse(shape, nonzero: nonzero, stream: stream).map { $0 * deviation }
      return NDArray(rounding: values, shape: shape, dtype)
    }
  }

  private static func fans(_ shape: [Int]) -> (in: Double, out: Double) {
    switch shape.count {
    case 0: return (1, 1)
    case 1: return (Double(shape[0]), Double(shape[0]))
    case 2: return (Double(shape[0]), Double(shape[1]))
    default:
      let area = Double(shape.dropFirst(2).product)
      return (Double(shape[1]) * area, Double(shape[0]) * area)
    }
  }

  /// Gram–Schmidt, twice for accuracy, on rows or columns, whichever are fewer.
  private static func orthogonal(_ shape: [Int], stream: Philox) -> [Double] {
    let rows = shape.first ?? 1
    let columns = shape.dropFirst().product
    let (count, length) = (min(rows, columns), max(rows, columns))
    guard count > 0 else { return [] }
    let drawn = stream.normals(count * length)
    var basis: [[Double]] = []
    for index in 0..<count {
      var vector = Array(drawn[(index * length)..<((index + 1) * length)])
      for _ in 0..<2 {
        for other in basis {
          let dot = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
          for position in vector.indices { vector[position] -= dot * other[position] }
        }
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      basis.append(vector.map { $0 / norm })
    }
    if rows <= columns { return basis.flatMap { $0 } }
    return (0..<rows).flatMap { row in (0..<columns).map { basis[$0][row] } }
  }

  /// Standard normal numbers for some of each unit's weights. The units are the columns of a matrix
  /// `[in, out]`, and along the first axis of kernels `[out, in, …]`.
  private static func sparse(_ shape: [Int], nonzero: Double, stream: Philox) -> [Double] {
    let count = shape.product
    let units = shape.count == 2 ? shape[1] : shape.first ?? 1
    guard count > 0 else { return [] }
    let inputs = count / units
    let kept = min(max(Int((nonzero * Double(inputs)).rounded()), 0), inputs)
    let drawn = stream.normals(count)
    var values = [Double](repeating: 0, count: count)
    for unit in 0..<units {
      let positions = (0..<inputs).map {
        shape.count == 2 ? $0 * units + unit : unit * inputs + $0
      }
      // Words beyond those that the normals are made of give the order.
      let order = positions.sorted {
        stream.word(UInt64(4 * count + $0)) < stream.word(UInt64(4 * count + $1))
      }
      for position in order.prefix(kept) { values[position] = drawn[position] }
    }
    return values
  }
}

extension NDArray {
  /// An array whose element `i` is `element(i)`, rounded. Long arrays are filled on all cores, and
  /// without another copy: a layer may have 100 million weights.
  fileprivate static func drawn(
    _ shape: [Int], _ dtype: DType, element: @Sendable (Int) -> Double
  ) -> NDArray {
    let result = NDArray(uninitialized: shape, dtype)
    let count = result.count
    let part = 1 << 16
    DispatchQueue.concurrentPerform(iterations: (count + part - 1) / part) { index in
      for position in (index * part)..<min((index + 1) * part, count) {
        result.store(element(position), at: position)
      }
    }
    return result
  }
}
