import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import CAgnesi

/// A library call for given sizes: a function of the C side and what it works on.
///
/// Unchecked because the C context is immutable or guards itself.
final class LibraryContext: @unchecked Sendable {
  let call: agnesi_call
  let pointer: UnsafeMutableRawPointer
  private let release: (UnsafeMutableRawPointer) -> Void
  /// The library and which of its implementations, such as `oneDNN jit:avx512_core`.
  let implementation: String

  /// The memory that a call works in, in bytes, handed in as its last argument; nil where a call
  /// takes no such argument.
  let scratchBytes: Int?

  init(
    call: @escaping agnesi_call, pointer: UnsafeMutableRawPointer, implementation: String,
    scratchBytes: Int? = nil, release: @escaping (UnsafeMutableRawPointer) -> Void
  ) {
    self.call = call
    self.pointer = pointer
    self.implementation = implementation
    self.scratchBytes = scratchBytes
    self.release = release
  }

  deinit { release(pointer) }

  /// - Parameters:
  ///   - keepsWeights: whether the weights of a convolution seldom change between calls.
  ///   - choices: what chooses the algorithm of a convolution.
  static func make(
    _ call: LibraryCall, sizes: [String: Int], threads: Int, keepsWeights: Bool,
    choices: ConvolutionChoices
  ) throws -> LibraryContext {
    switch LibraryKernel.kind(of: call.node) {
    case .matmul: return try matmul(call, sizes)
    case .convolution(let convolution):
      let problem = ConvolutionProblem(
        convolution, call, sizes: sizes, keepsWeights: keepsWeights)
      return try problem.context(
        choices.algorithm(for: problem, threads: threads), threads: threads,
        label: call.node.operation.label)
    case nil: internalError("no library takes \(call.node.operation.label)")
    }
  }

  private static func matmul(_ call: LibraryCall, _ sizes: [String: Int]) throws -> LibraryContext {
    let (a, b, c) = (call.operands[0].view, call.operands[1].view, call.results[0].view)
    guard let left = MatrixLayout(a), let right = MatrixLayout(b) else {
      internalError("matmul on memory that it does not accept")
    }
    func number(_ size: Size) -> Int64 { Int64(size.value(in: sizes)) }
    let rank = c.shape.count
    var product = agnesi_matmul()
    product.is_double = call.results[0].dtype == .float64
    product.transpose_a = left.isTransposed
    product.transpose_b = right.isTransposed
    (product.m, product.n) = (number(c.shape[rank - 2]), number(c.shape[rank - 1]))
    product.k = number(a.shape[rank - 1])
    (product.row_a, product.row_b) = (max(1, number(left.row)), max(1, number(right.row)))
    product.row_c = max(1, product.n)
    product.batch = number(c.shape.dropLast(2).reduce(1) { $0 * $1 })
    (product.batch_a, product.batch_b) = (number(left.batch), number(right.batch))
    product.batch_c = product.m * product.n
    (product.alpha, product.beta) = (1, 0)
    let memory = UnsafeMutablePointer<agnesi_matmul>.allocate(capacity: 1)
    memory.initialize(to: product)
    return LibraryContext(
      call: agnesi_matmul_call, pointer: memory,
      implementation: String(cString: agnesi_matmul_implementation(memory))
    ) { $0.deallocate() }
  }
}
