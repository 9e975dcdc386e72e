import AgnesiArrays
import AgnesiLoops

/// The attributes of an operation, for those who say it in another language.
package enum OperationForm {
  case cast(DType)
  case compare(BinaryFunction)
  case bitwise(BinaryFunction)
  case slice(starts: Shape, counts: Shape, steps: [Int])
  case pad(before: Shape, after: Shape, between: [Int], value: Double)
  case reshape(Shape)
  case broadcast(Shape)
  case transpose([Int])
  case concatenate(axis: Int)
  /// Positions along an axis.
  case index(Shape, axis: Int)
  /// A size as a value.
  case size(Size)
  case reduce(Combiner, axes: [Int])
  case argReduce(Combiner, axis: Int)
  case cumulativeSum(axis: Int, isReversed: Bool)
  case gather(axis: Int)
  case takeAlongAxis(Int)
  case scatterAdd(axis: Int, size: Size)
  case scatterAlongAxis(Int, size: Size)
  case topK(Int, axis: Int)
  case sort(axis: Int, isDescending: Bool)
}

extension Operation {
  /// The attributes; nil for operations without any, or whose type is known outside.
  package var form: OperationForm? {
    switch self {
    case let operation as Cast: .cast(operation.target)
    case let operation as Compare: .compare(operation.function)
    case let operation as Bitwise: .bitwise(operation.function)
    case let operation as Slice:
      .slice(starts: operation.starts, counts: operation.counts, steps: operation.steps)
    case let operation as Pad:
      .pad(
        before: operation.before, after: operation.after, between: operation.between,
        value: operation.value)
    case let operation as Reshape: .reshape(operation.shape)
    case let operation as Broadcast: .broadcast(operation.shape)
    case let operation as Transpose: .transpose(operation.axes)
    case let operation as Concatenate: .concatenate(axis: operation.axis)
    case let operation as IndexValue: .index(operation.shape, axis: operation.axis)
    case let operation as SizeValue: .size(operation.size)
    case let operation as Reduce: .reduce(operation.combiner, axes: operation.axes)
    case let operation as ArgReduce: .argReduce(operation.combiner, axis: operation.axis)
    case let operation as CumulativeSum:
      .cumulativeSum(axis: operation.axis, isReversed: operation.isReversed)
    case let operation as Gather: .gather(axis: operation.axis)
    case let operation as TakeAlongAxis: .takeAlongAxis(operation.axis)
    case let operation as ScatterAdd: .scatterAdd(axis: operation.axis, size: operation.size)
    case let operation as ScatterAlongAxis:
      .scatterAlongAxis(operation.axis, size: operation.size)
    case let operation as TopK: .topK(operation.count, axis: operation.axis)
    case let operation as Sort:
      .sort(axis: operation.axis, isDescending: operation.isDescending)
    default: nil
    }
  }
}
