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
    /// A fold that has to run before the element is known; the description then stands for the
    /// element at the domain's own index only.
    var fold: Fold?
  }

  /// `local 0 = combine over domain of element(index, domain)`.
  struct Fold {
    var combiner: Combiner
    var domain: Shape
    var dtype: DType
    var element: (_ index: [Scalar], _ domain: [Scalar]) -> Scalar
    var cost: Int
  }
}

/// Elements computed over a domain and stored: one loop nest before its loops are chosen.
struct Nest {
  var domain: Shape
  var fold: Value.Fold?
  /// Values in terms of the domain's variables, of buffers named by their ids, and of local 0.
  var stores: [Store]
  var cost: Int
  var label: String
  var site: Site?

  struct Store {
    var buffer: BufferID
    var dtype: DType
    var value: Scalar
  }

  /// The variables of the domain.
  static func variables(_ shape: Shape) -> [Scalar] {
    shape.indices.map { .index(.symbol("_i\($0)")) }
  }
}
