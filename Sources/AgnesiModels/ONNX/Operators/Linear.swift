import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Foundation

extension ONNXOperators {
  /// Products of matrices.
  static var linear: [ONNXOperator] {
    [
      ONNXOperator("MatMul") { product(try $0(0), try $0(1)) },
      ONNXOperator("Gemm") { call in
        var (a, b) = (try call(0), try call(1))
        guard a.rank == 2, b.rank == 2 else {
          throw ONNXRefusal("needs matrices, got \(a.type) and \(b.type)")
        }
        if try call.flag("transA") { a = a.transposed() }
        if try call.flag("transB") { b = b.transposed() }
        let (alpha, beta) = (try call.float("alpha", 1), try call.float("beta", 1))
        let sums = alpha == 1 ? matmul(a, b) : matmul(a, b) * alpha
        guard let c = call.optional(2)?.tensor, beta != 0 else { return sums }
        let result = sums + (beta == 1 ? c : c * beta)
        try call.checkStays(result, like: sums)
        return result
      },
      ONNXOperator("Einsum") { call in
        try EinsteinSum(try call.text("equation", ""), of: call.all()).result
      },
    ]
  }

  /// Vectors are rows on the left and columns on the right.
  private static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    let left = a.rank == 1 ? a.expanded(axis: 0) : a
    let right = b.rank == 1 ? b.expanded(axis: 1) : b
    var result = matmul(left, right)
    guard result.failure == nil else { return result }
    if b.rank == 1 { result = result.squeezed([result.rank - 1]) }
    if a.rank == 1 { result = result.squeezed([result.rank - (b.rank == 1 ? 1 : 2)]) }
    return result
  }
}

/// A sum of products of elements, by the names of the axes: `ij,jk->ik`.
private struct EinsteinSum {
  let result: Tensor

  init(_ equation: String, of operands: [Tensor]) throws {
    let text = equation.filter { $0 != " " }
    let sides = text.components(separatedBy: "->")
    let terms = sides[0].components(separatedBy: ",")
    guard sides.count <= 2, terms.count == operands.count else {
      throw ONNXRefusal("the equation \"\(equation)\" for \(operands.count) operands")
    }
    var labels = try zip(terms, operands).map { try Self.labels($0, rank: $1.rank) }
    let counts = Dictionary(labels.flatMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
    let hidden = counts.keys.filter { $0.count > 1 }.sorted()
    let target =
      sides.count == 2
      ? try Self.labels(sides[1], rank: nil, hidden: hidden)
      : hidden + counts.filter { $0.key.count == 1 && $0.value == 1 }.keys.sorted()
    guard Set(target).count == target.count, target.allSatisfy({ counts[$0] != nil }) else {
      throw ONNXRefusal("the equation \"\(equation)\" names an axis of its result wrongly")
    }
    let summed = counts.keys.filter { !target.contains($0) }.sorted()
    let order = target + summed
    let aligned = operands.indices.map { number -> Tensor in
      let own = labels[number]
      let present = order.filter(own.contains)
      let turned = operands[number].transposed(present.compactMap { own.firstIndex(of: $0) })
      var sizes = turned.shape[...]
      return turned.reshaped(order.map { own.contains($0) ? sizes.popFirst() ?? 1 : 1 })
    }
    labels = []
    let product = aligned.dropFirst().reduce(aligned[0]) { $0 * $1 }
    result =
      summed.isEmpty ? product : product.sum(axes: Array(target.count..<order.count))
  }

  /// One name an axis; those that `...` stands for have longer names.
  private static func labels(
    _ term: String, rank: Int?, hidden: [String] = []
  ) throws -> [String] {
    let parts = term.components(separatedBy: "...")
    let named = parts.map { $0.map { String($0) } }
    guard parts.count <= 2, named.joined().allSatisfy({ $0.first?.isLetter == true }) else {
      throw ONNXRefusal("the term \"\(term)\" of an equation")
    }
    var result = named[0]
    if parts.count == 2 {
      let count = rank.map { $0 - named[0].count - named[1].count } ?? hidden.count
      guard count >= 0 else { throw ONNXRefusal("the term \"\(term)\" names too many axes") }
      // Counted from the end, as broadcasting does.
      let names = (0..<count).map { "axis\(100 - count + $0)" }
      result += (rank == nil ? hidden : names) + named[1]
    }
    guard Set(result).count == result.count else {
      throw ONNXRefusal("the term \"\(term)\" names an axis twice, which is not supported")
    }
    if let rank, result.count != rank {
      throw ONNXRefusal("the term \"\(term)\" for an operand of \(rank) axes")
    }
    return result
  }
}
