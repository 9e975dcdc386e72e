import AgnesiArrays
import AgnesiLoops

/// What a node does: a type rule, a gradient, a meaning, and a way to loops.
///
/// An operation is a value whose stored properties are its attributes (axes, strides, a target
/// shape). Equal operations on equal operands are the same node after merging. Each stands in one
/// file, with its documentation and the examples that drive the generic tests, and one line in
/// `Operations/All.swift`.
public protocol Operation: Sendable, Hashable, Codable {
  /// The name in printed graphs, errors and saved files.
  static var name: String { get }

  /// The types of the results; throws a sentence where the operands do not fit.
  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType]

  /// The gradients of the operands, given `upstream`, those of the results (nil: none arrives
  /// there). A nil answer means that the result does not depend on that operand in a differentiable
  /// way.
  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?]

  /// The results for given operands: the meaning of the operation, slow and obvious.
  ///
  /// Sizes in attributes are numbers here. Arithmetic may happen in double and is rounded once.
  func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray]

  /// The operation in the words of loops; nil where a compiler pass removes it before.
  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering?

  /// Inputs and attributes that show what the operation does; they drive the generic tests.
  static var examples: [Example] { get }

  /// The work for each element of the result, in additions: what fusion weighs repeating against
  /// storing.
  var elementCost: Int { get }

  /// Whether there may be elements of the operands that no result is made of, as with a slice or the
  /// larger of two: their gradient is 0, whatever they are (``gradient(of:withRespectTo:constants:disconnected:)``).
  var leavesElementsOut: Bool { get }

  /// How many results there are.
  var resultCount: Int { get }

  /// How many operands there may be: what files are checked against.
  var arity: ClosedRange<Int> { get }

  /// What the operands are called in errors.
  var roles: [String] { get }

  /// The operation's name as this node prints it: composites have names of their own.
  var label: String { get }

  /// The user's name of an input, parameter or random stream.
  var instanceName: String? { get }

  /// Whether each use is a new draw, so that no two may merge and none is a constant.
  var isRandom: Bool { get }

  /// The same operation with names of sizes replaced in its attributes.
  func substituting(_ sizes: [String: Size]) -> Self

  /// The operation on other operands, built as the user's function builds it (broadcasting where it
  /// does): how rewrites and loaded graphs make nodes.
  func applied(to operands: [Tensor]) -> [Tensor]
}

extension Operation {
  public var elementCost: Int { 4 }
  public var leavesElementsOut: Bool { false }
  public var resultCount: Int { 1 }
  public var arity: ClosedRange<Int> { roles.count...roles.count }
  public var roles: [String] { ["operand"] }
  public var label: String { Self.name }
  public var instanceName: String? { nil }
  public var isRandom: Bool { false }
  public func substituting(_ sizes: [String: Size]) -> Self { self }
  public func applied(to operands: [Tensor]) -> [Tensor] { Tensor.make(self, operands) }
  public static var examples: [Example] { [] }
}

/// Reads an element of an operand at the given indices, one for each axis.
public typealias Reader = (_ index: [Scalar]) -> Scalar

/// An operation in the words of the loop form. Results are described by what each element is
/// ("pull"), so that the compiler can fuse by composing descriptions.
public enum Lowering {
  /// Each element is a function of the operands' elements at the same index; all shapes are equal.
  case elementwise(([Scalar]) -> Scalar)

  /// The result is the operand's memory read with other strides; nil where strides cannot say it,
  /// and the `pull` description is used.
  case view((StridedView) -> StridedView?, pull: (_ index: [Scalar], _ operand: Reader) -> Scalar)

  /// Each element is a function of its index and of operands read anywhere.
  case pull((_ index: [Scalar], _ operands: [Reader]) -> Scalar)

  /// Each element reduces values over a domain: `result[i] = combine over r of f(i, r)`. Nothing is
  /// reduced where the domain is empty, and the result is the combiner's identity.
  case reduce(
    Combiner, over: Shape,
    (_ index: [Scalar], _ domain: [Scalar], _ operands: [Reader]) -> Scalar)

  /// Statements of the operation's own, for what the forms above cannot say. Operands and results
  /// are in memory; results are contiguous.
  case loops((LoopContext) -> [Statement])
}

/// Memory seen through strides: element `i` is at `offset + Σ strides[a] · i[a]`, in elements.
public struct StridedView: Hashable, Sendable {
  public var shape: Shape
  public var strides: Shape
  public var offset: Size

  public init(shape: Shape, strides: Shape, offset: Size) {
    self.shape = shape
    self.strides = strides
    self.offset = offset
  }

  /// Row-major memory without gaps.
  public init(contiguous shape: Shape) {
    self.shape = shape
    strides = shape.rowMajorStrides
    offset = 0
  }

  /// Whether elements lie in row-major order without gaps, from the start of the memory.
  public var isContiguous: Bool {
    guard offset.isZero else { return false }
    let expected = shape.rowMajorStrides
    return shape.indices.allSatisfy { shape[$0].isOne || strides[$0] == expected[$0] }
  }

  /// The position of the element at `index`.
  package func position(_ index: [Scalar]) -> Scalar {
    zip(strides, index).reduce(.index(offset)) { sum, pair in
      pair.0.isZero ? sum : sum + Scalar.index(pair.0) * pair.1
    }
  }
}

extension Shape {
  package var rowMajorStrides: Shape {
    var strides = Shape(repeating: 1, count: count)
    for axis in indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * self[axis + 1] }
    return strides
  }
}

/// What an operation's own loops are given: operands and results in memory, and fresh names.
public struct LoopContext {
  /// An operand or result in memory.
  public struct Memory {
    package let buffer: Buffer
    public let view: StridedView
    public let dtype: DType

    package init(buffer: Buffer, view: StridedView, dtype: DType) {
      self.buffer = buffer
      self.view = view
      self.dtype = dtype
    }

    public var shape: Shape { view.shape }

    /// The element at `index`, in the dtype of computation.
    public func callAsFunction(_ index: [Scalar]) -> Scalar {
      .load(buffer, view.position(index), dtype.computed)
    }

    public func store(_ value: Scalar, at index: [Scalar]) -> Statement {
      .store(buffer, index: view.position(index), value: value)
    }
  }

  public let operands: [Memory]
  public let results: [Memory]
  /// Which results anybody reads; the others need not be stored.
  public let isUsed: [Bool]

  package init(operands: [Memory], results: [Memory], isUsed: [Bool]) {
    self.operands = operands
    self.results = results
    self.isUsed = isUsed
  }

  /// Nested loops over `shape`, the first parallel and the last in vectors where asked; `body` gets
  /// the indices.
  public func nest(
    _ prefix: String, _ shape: Shape, parallel: Bool = false, vector: Bool = false,
    body: ([Scalar]) -> [Statement]
  ) -> [Statement] {
    let names = shape.indices.map { "\(prefix)\($0)" }
    var statements = body(names.map { .index(.symbol($0)) })
    for axis in shape.indices.reversed() {
      statements = [
        .loop(
          .init(
            names[axis], shape[axis], isParallel: parallel && axis == 0,
            isVector: vector && axis > 0 && axis == shape.count - 1, body: statements))
      ]
    }
    return statements
  }
}
