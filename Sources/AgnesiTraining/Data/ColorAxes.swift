import AgnesiArrays
import Foundation

/// The principal axes of the colours of pictures, each as long as the standard deviation along it.
struct ColorAxes: Sendable {
  /// `axes[k][channel]`.
  let axes: [[Double]]

  /// - Parameter pictures: `[count, channels, height, width]`.
  init(of pictures: NDArray) {
    let channels = pictures.shape[1]
    let pixels = pictures.shape[2] * pictures.shape[3]
    var sums = [Double](repeating: 0, count: channels)
    var products = [Double](repeating: 0, count: channels * channels)
    // A thousand pictures tell their colours, whatever comes behind them.
    let count = min(pictures.shape[0], 1000)
    for number in 0..<count {
      let values = pictures[rows: number..<(number + 1)].doubles
      for pixel in 0..<pixels {
        for a in 0..<channels {
          let value = values[a * pixels + pixel]
          sums[a] += value
          for b in 0...a { products[a * channels + b] += value * values[b * pixels + pixel] }
        }
      }
    }
    let total = Double(max(count * pixels, 1))
    var covariance = SymmetricMatrix(size: channels)
    for a in 0..<channels {
      for b in 0...a {
        let mean = (sums[a] / total) * (sums[b] / total)
        covariance[a, b] = products[a * channels + b] / total - mean
      }
    }
    axes = covariance.eigenvectors().map { value, vector in
      vector.map { $0 * sqrt(max(value, 0)) }
    }
  }

  /// What is added to each channel for so many deviations along each axis.
  func shift(_ amounts: [Double]) -> [Float] {
    amounts.indices.map { channel in
      Float(zip(amounts, axes).reduce(0) { $0 + $1.0 * $1.1[channel] })
    }
  }
}

/// A small symmetric matrix.
struct SymmetricMatrix {
  let size: Int
  private var values: [Double]

  init(size: Int) {
    self.size = size
    values = [Double](repeating: 0, count: size * size)
  }

  subscript(_ row: Int, _ column: Int) -> Double {
    get { values[row * size + column] }
    set {
      values[row * size + column] = newValue
      values[column * size + row] = newValue
    }
  }

  /// Eigenvalues, largest first, with vectors of length 1 whose largest element is positive.
  ///
  /// - Source: Jacobi's method in its cyclic form; Golub & Van Loan, *Matrix Computations*, §8.5.
  func eigenvectors() -> [(value: Double, vector: [Double])] {
    var matrix = self
    var vectors = (0..<size).map { row in (0..<size).map { $0 == row ? 1.0 : 0.0 } }
    // Each sweep squares the error; a dozen ends at the last bit.
    for _ in 0..<12 {
      for p in 0..<size {
        for q in (p + 1)..<max(size, p + 1) where matrix[p, q] != 0 {
          matrix.rotate(p, q, &vectors)
        }
      }
    }
    let pairs = (0..<size).map { index in
      let vector = vectors[index]
      let largest = vector.max { Swift.abs($0) < Swift.abs($1) } ?? 1
      return (value: matrix[index, index], vector: vector.map { largest < 0 ? -$0 : $0 })
    }
    return pairs.sorted { $0.value > $1.value }
  }

  /// Makes the element at (`p`, `q`) 0.
  private mutating func rotate(_ p: Int, _ q: Int, _ vectors: inout [[Double]]) {
    let ratio = (self[q, q] - self[p, p]) / (2 * self[p, q])
    let root = Swift.abs(ratio) + (ratio * ratio + 1).squareRoot()
    let tangent = (ratio < 0 ? -1 : 1) / root
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    let change = tangent * self[p, q]
    self[p, p] -= change
    self[q, q] += change
    self[p, q] = 0
    for other in 0..<size where other != p && other != q {
      let (a, b) = (self[p, other], self[q, other])
      self[p, other] = cosine * a - sine * b
      self[q, other] = sine * a + cosine * b
    }
    for index in 0..<size {
      let (a, b) = (vectors[p][index], vectors[q][index])
      vectors[p][index] = cosine * a - sine * b
      vectors[q][index] = sine * a + cosine * b
    }
  }
}
