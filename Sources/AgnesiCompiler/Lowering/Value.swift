import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// What a tensor is during lowering: memory, or a description of its elements that will be part of
/// the kernels that use it.
enum Value {
  case memory(BufferID, StridedView)
  case described(Description)

  /// Elements as a function of their index.
  struct Description {
    var shape: Shape
    var read: Reader
    /// Operations for each element; loads count one.
    var cost: Int
    /// A reduction that has to run before the element is known; the description then stands for the
    /// element at the domain's own index only.
    var reduction: Reduction?
  }

  /// `local = combine over domain of value`.
  struct Reduction {
    var combiner: Combiner
    var domain: Shape
    /// In terms of the variables of the described domain and of the reduction's own.
    var value: Scalar
    var cost: Int

    var dtype: DType { value.dtype }
    var identity: Scalar { combiner.identity(dtype) }
  }
}
