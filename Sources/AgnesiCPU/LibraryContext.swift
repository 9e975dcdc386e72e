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

  private init(
    call: @escaping agnesi_call, pointer: UnsafeMutableRawPointer,
    release: @escaping (UnsafeMutableRawPointer) -> Void
  ) {
    self.call = call
    self.pointer = pointer
    self.release = release
  }

  deinit { release(pointer) }

  static func make(
    _ call: LibraryCall, sizes: [String: Int], threads: Int
  ) throws -> LibraryContext {
    switch LibraryKernel.kind(of: call.node) {
    case .matmul: try matmul(call, sizes)
    case .convolution(let kind, let geometry):
      try convolution(call, kind, geometry, sizes, threads)
    case nil: internalError("no library takes \(call.node.operation.label)")
    }
  }

  private static func matmul(_ call: LibraryCall, _ sizes: [String: Int]) throws -> LibraryContext {
    let (a, b, c) = (call.operands[0].view, call.operands[1].view, call.results[0].view)
    guard let left = MatrixLayout(a), let right = MatrixLayout(b) else {
      internalError("matmul on memory that it does not accept")
    }
    func number(_ size: Size) -> Int64 { Int64(size.evaluated(sizes) ?? 0) }
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
    return LibraryContext(call: agnesi_matmul_call, pointer: memory) { $0.deallocate() }
  }

  private static func convolution(
    _ call: LibraryCall, _ kind: agnesi_convolution_kind, _ geometry: ConvolutionGeometry,
    _ sizes: [String: Int], _ threads: Int
  ) throws -> LibraryContext {
    // In every one of the three, the image, the kernels and the output are operands or result.
    let (image, kernels) = convolutionShapes(call, kind)
    func number(_ size: Size) -> Int64 { Int64(size.evaluated(sizes) ?? 0) }
    var description = agnesi_convolution()
    description.rank = Int32(geometry.axisCount)
    (description.batch, description.channels) = (number(image[0]), number(image[1]))
    (description.filters, description.groups) = (number(kernels[0]), Int64(geometry.groups))
    func fill(_ field: inout (Int64, Int64, Int64), _ values: [Int64]) {
      let padded = values + [1, 1, 1]
      field = (padded[0], padded[1], padded[2])
    }
    fill(&description.size, image.dropFirst(2).map(number))
    fill(&description.kernel, kernels.dropFirst(2).map(number))
    fill(&description.stride, geometry.stride.map(Int64.init))
    fill(&description.dilation, geometry.dilation.map(Int64.init))
    fill(&description.pad_begin, geometry.padBegin.map(Int64.init))
    fill(&description.pad_end, geometry.padEnd.map(Int64.init))
    var status = agnesi_ok
    let context = agnesi_convolution_create(
      kind, &description, 0, agnesi_algorithm_auto, nil, Int32(threads), &status)
    guard let context else {
      throw FunctionError(
        call.node.operation.label,
        "oneDNN has no implementation for image \(image), kernels \(kernels) (status \(status.rawValue))"
      )
    }
    return LibraryContext(call: agnesi_context_call, pointer: UnsafeMutableRawPointer(context)) {
      agnesi_context_destroy(OpaquePointer($0))
    }
  }

  private static func convolutionShapes(
    _ call: LibraryCall, _ kind: agnesi_convolution_kind
  ) -> (image: Shape, kernels: Shape) {
    let operands = call.operands.map(\.view.shape)
    let result = call.results[0].view.shape
    switch kind {
    case agnesi_convolution_forward: return (operands[0], operands[1])
    case agnesi_convolution_to_data: return (result, operands[1])
    default: return (operands[0], result)
    }
  }
}
