import AgnesiArrays
import AgnesiLoops

/// The matrix product of `a` and `b`, for each index of shared leading axes.
///
/// - Parameters:
///   - a: `[…, m, k]`, floating.
///   - b: `[…, k, n]`, of the same dtype; leading axes broadcast.
/// - Returns: `[…, m, n]`, of the same dtype. Sums run over `k` in the operands' dtype.
/// - Complexity: `2·m·k·n` floating-point operations for each leading index.
/// - Source: Golub & Van Loan, *Matrix Computations*, §1.1.
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor { MatMul().applied(to: [a, b])[0] }

package struct MatMul: Operation {
  package static let name = "matmul"
  package var roles: [String] { ["left", "right"] }

  package func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (a, b) = (operands[0], operands[1])
    guard a.dtype.isFloating, a.dtype == b.dtype else {
      throw TypeError("needs two operands of one floating dtype, got \(a.dtype) and \(b.dtype)")
    }
    guard a.rank >= 2, b.rank >= 2 else {
      throw TypeError("needs operands of at least 2 axes, got \(a.rank) and \(b.rank)")
    }
    let (inner, other) = (a.shape[a.rank - 1], b.shape[b.rank - 2])
    guard inner.mayEqual(other) else {
      let fits = inner.mayEqual(b.shape[b.rank - 1])
      throw TypeError(
        "inner sizes differ, \(inner) ≠ \(other)",
        hint: fits ? "the right operand fits when transposed" : nil)
    }
    let leading = try Shape.equal(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
    return [TensorType(a.dtype, leading + [a.shape[a.rank - 2], b.shape[b.rank - 1]])]
  }

  package func applied(to operands: [Tensor]) -> [Tensor] {
    let (a, b) = (operands[0], operands[1])
    guard a.type.isKnown, b.type.isKnown, a.rank >= 2, b.rank >= 2,
      let leading = Shape.broadcast(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
    else { return Tensor.make(self, operands) }
    let wide = [a, b].map { $0.broadcast(to: leading + $0.shape.suffix(2)) }
    return Tensor.make(self, wide)
  }

  // Y = AB  ⇒  dA = dY·Bᵀ,  dB = Aᵀ·dY
  package func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] {
    guard let upstream = upstream[0] else { return [nil, nil] }
    let (a, b) = (operands[0], operands[1])
    return [matmul(upstream, b.matrixTransposed()), matmul(a.matrixTransposed(), upstream)]
  }

  package func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (a, b) = (operands[0], operands[1])
    let (m, k, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1], b.shape[b.rank - 1])
    let (left, right) = (a.doubles, b.doubles)
    var values: [Double] = []
    for batch in 0..<a.shape.dropLast(2).product {
      for row in 0..<m {
        for column in 0..<n {
          values.append(
            (0..<k).reduce(0) { sum, index in
              let x = left[(batch * m + row) * k + index]
              let y = right[(batch * k + index) * n + column]
              return sum + x * y
            })
        }
      }
    }
    return [NDArray(rounding: values, shape: types[0].knownShape ?? [], types[0].dtype)]
  }

  package func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let inner = operands[0].shape[operands[0].rank - 1]
    return .reduce(.sum, over: [inner]) { index, domain, operands in
      let leading = Array(index.dropLast(2))
      let (row, column) = (index[index.count - 2], index[index.count - 1])
      return operands[0](leading + [row, domain[0]]) * operands[1](leading + [domain[0], column])
    }
  }

  package static let examples = [
    Example("small", [.init([3, 4]), .init([4, 5])]) { matmul($0[0], $0[1]) },
    Example("one row, one column", [.init([1, 7]), .init([7, 1])]) { matmul($0[0], $0[1]) },
    Example("no inner", [.init([2, 0]), .init([0, 3])]) { matmul($0[0], $0[1]) },
    Example("no rows", [.init([0, 2]), .init([2, 3])]) { matmul($0[0], $0[1]) },
    Example("odd sizes", [.init([33, 17]), .init([17, 19])], tolerance: 64) {
      matmul($0[0], $0[1])
    },
    Example("left transposed", [.init([4, 3]), .init([4, 5])]) {
      matmul($0[0].transposed(), $0[1])
    },
    Example("right transposed", [.init([3, 4]), .init([5, 4])]) {
      matmul($0[0], $0[1].transposed())
    },
    Example("both transposed", [.init([4, 3]), .init([5, 4])]) {
      matmul($0[0].transposed(), $0[1].transposed())
    },
    Example("batched", [.init([2, 3, 4]), .init([2, 4, 5])]) { matmul($0[0], $0[1]) },
    Example("batched, broadcast", [.init([2, 3, 4]), .init([4, 5])]) { matmul($0[0], $0[1]) },
  ]
}

extension Tensor {
  /// The last two axes exchanged.
  public func matrixTransposed() -> Tensor {
    guard rank >= 2 else { return transposed() }
    return transposed(Array(0..<(rank - 2)) + [rank - 1, rank - 2])
  }
}
