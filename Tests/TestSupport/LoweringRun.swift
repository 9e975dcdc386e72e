import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// The results of one operation by its lowering: its loops, unfused, in the interpreter, which checks
/// every index.
///
/// - Returns: nil where the operation has no lowering.
/// - Throws: ``InterpretationFailure`` for an index out of bounds.
package func loweredValues(
  _ operation: any Operation, _ operands: [NDArray], types: [TensorType]
) throws -> [NDArray]? {
  let operandTypes = operands.map { TensorType($0.dtype, $0.shape.map { Size($0) }) }
  guard let lowering = operation.lowering(operandTypes, types) else { return nil }
  let shapes = types.map { $0.knownShape ?? [] }
  var arguments = operands.map { $0.contiguous() }
  arguments += zip(shapes, types).map { NDArray(zeros: $0, $1.dtype) }
  var kinds = operands.map { Kernel.Argument($0.dtype, isWritten: false) }
  kinds += types.map { Kernel.Argument($0.dtype, isWritten: true) }
  let context = LoweringContext(operandTypes, types)
  let body = try context.statements(lowering)
  let kernel = Kernel(name: operation.label, arguments: kinds, body: body)
  try kernel.verify()
  try KernelInterpreter(kernel).run(&arguments)
  return Array(arguments.suffix(types.count))
}

private struct LoweringContext {
  let context: LoopContext

  init(_ operands: [TensorType], _ results: [TensorType]) {
    func memory(_ position: Int, _ type: TensorType) -> LoopContext.Memory {
      LoopContext.Memory(
        buffer: .argument(position), view: StridedView(contiguous: type.shape), dtype: type.dtype)
    }
    context = LoopContext(
      operands: operands.enumerated().map { memory($0, $1) },
      results: results.enumerated().map { memory($0 + operands.count, $1) },
      isUsed: results.map { _ in true })
  }

  private var readers: [Reader] {
    context.operands.map { operand in { operand($0) } }
  }

  func statements(_ lowering: Lowering) throws -> [Statement] {
    let result = context.results[0]
    switch lowering {
    case .elementwise(let function):
      return each { index in function(readers.map { $0(index) }) }
    case .pull(let pull):
      return each { pull($0, readers) }
    case .view(let view, let pull):
      // Both descriptions must say the same, so both run, and the second overwrites the first.
      let pulled = each { pull($0, readers[0]) }
      guard let seen = view(context.operands[0].view) else { return pulled }
      guard seen.shape == result.shape else {
        throw Unfit("the view has shape \(seen.shape), the result \(result.shape)")
      }
      let source = LoopContext.Memory(
        buffer: context.operands[0].buffer, view: seen, dtype: result.dtype)
      return pulled
        + context.nest("seen", result.shape) { index in
          let isSame = (source(index) .== result(index)) .| source(index).isUnequalToItself
          let poison = Scalar.select(isSame, source(index), result(index) + result(index).like(1))
          return [result.store(result.dtype == .bool ? source(index) : poison, at: index)]
        }
    case .reduce(let combiner, let domain, let body):
      return reduction(combiner, domain, body)
    case .loops(let body):
      return body(context)
    }
  }

  /// Each element of the first result.
  private func each(_ value: ([Scalar]) -> Scalar) -> [Statement] {
    let result = context.results[0]
    return context.nest("at", result.shape) { [result.store(value($0), at: $0)] }
  }

  private func reduction(
    _ combiner: Combiner, _ domain: Shape, _ body: ([Scalar], [Scalar], [Reader]) -> Scalar
  ) -> [Statement] {
    let result = context.results[0]
    let dtype = result.dtype.computed
    let sum = Scalar.local(0, dtype)
    return context.nest("at", result.shape) { index in
      let folds = context.nest("over", domain) { inner in
        [.assign(0, .binary(combiner.function, sum, body(index, inner, readers)))]
      }
      return [.define(0, combiner.identity(dtype))] + folds
        + [result.store(sum, at: index)]
    }
  }
}

extension Scalar {
  fileprivate var isUnequalToItself: Scalar { self .!= self }
}
