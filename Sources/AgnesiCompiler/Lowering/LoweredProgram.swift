import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// A program as a short list of kernels over buffers: what backends run.
public struct LoweredProgram: Sendable {
  package var buffers: [BufferInfo] = []
  package var steps: [Step] = []
  /// The buffers of the outputs, in order.
  package var outputs: [BufferID] = []
  /// Parameters whose new value is in another buffer after all steps ran; empty where every update
  /// happens in place.
  package var copies: [(from: BufferID, to: BufferID)] = []
  /// So many of the first steps are needed again only when a parameter that they read has changed.
  package var hoistedCount = 0
}

/// Memory of a program, before it has an address.
package struct BufferID: Hashable, Sendable {
  package let index: Int
}

package struct BufferInfo: Sendable {
  package var dtype: DType
  /// Elements.
  package var count: Size
  package var kind: Kind
  /// The axes of what it holds, for messages; the count says how much memory it is.
  package var shape: Shape

  package init(dtype: DType, count: Size, kind: Kind, shape: Shape? = nil) {
    self.dtype = dtype
    self.count = count
    self.kind = kind
    self.shape = shape ?? [count]
  }

  package enum Kind: Sendable {
    case input(Int)
    case parameter(Parameter)
    case constant(NDArray)
    case callNumber
    case output(Int)
    case temporary
    /// The new value of a parameter, written over the old one.
    case inPlace(Parameter)
  }
}

/// One kernel or one library call.
package struct Step: Sendable {
  package var work: Work
  /// What it reads and writes, in the order of the kernel's arguments.
  package var arguments: [BufferID]
  package var written: Set<BufferID>
  /// What is read only at the index that is stored, so that the result may lie over it.
  package var identityReads: Set<BufferID> = []
  /// What profiles call it, and where it came from.
  package var label: String
  package var location: SourceLocation?

  package enum Work: Sendable {
    /// `cost` is an estimate of operations for each iteration of the outermost loop.
    case kernel(Kernel, cost: Size)
    /// A kernel that the backend wrote itself, in its own language.
    case text(KernelText)
    case call(LibraryCall)
  }
}

/// A kernel as text of a backend's own. It gets operands and results in memory, in order.
package struct KernelText: Hashable, Sendable {
  /// What the text calls the function; equal texts become one function of another name.
  package var name: String
  package var text: String
  /// What stands once before all texts that need it.
  package var prelude: String
  /// Iterations that are independent of each other.
  package var extent: Size
  /// Numbers that the function takes beside the addresses.
  package var sizes: [Size]
  /// An estimate of operations, altogether.
  package var cost: Size
  /// Multiplications with an addition, altogether: what a profile shows.
  package var multiplyAdds: Size
  /// The layout or algorithm that it is written for, as a profile says it: `batch-innermost`.
  package var producer: String

  package init(
    name: String, text: String, prelude: String, extent: Size, sizes: [Size], cost: Size,
    multiplyAdds: Size, producer: String
  ) {
    self.producer = producer
    self.name = name
    self.text = text
    self.prelude = prelude
    self.extent = extent
    self.sizes = sizes
    self.cost = cost
    self.multiplyAdds = multiplyAdds
  }

  /// The same kernel under another name.
  package func renamed(_ newName: String) -> KernelText {
    var result = self
    result.name = newName
    result.text = text.replacing(name, with: newName)
    return result
  }
}

/// An operation that the backend runs its own way, on operands in memory.
package struct LibraryCall: Sendable {
  package var node: Node
  package var operands: [Operand]
  package var results: [Operand]

  package struct Operand: Sendable {
    package var buffer: BufferID
    package var view: StridedView
    package var dtype: DType
  }
}

/// Which operations a backend takes over, and what memory they accept.
package protocol LibraryTable: Sendable {
  /// Whether the backend has a kernel of its own for this node.
  func takes(_ node: Node) -> Bool
  /// Whether that kernel reads operand `position` through `view`; otherwise it is copied first.
  func accepts(_ view: StridedView, for node: Node, operand position: Int) -> Bool
  /// How matrix products that the backend does not take are cut.
  var tile: TileShape { get }
  /// What sizes with names probably are; empty where nobody knows.
  var expectedSizes: [String: Int] { get }
  /// The kernel of a node that is taken, where it is a text; nil where it is a library call.
  func kernel(for node: Node) -> KernelText?
}

extension LibraryTable {
  package var tile: TileShape { .wide }
  package var expectedSizes: [String: Int] { [:] }
  package func kernel(for node: Node) -> KernelText? { nil }

  /// What a size probably is.
  package func expected(_ size: Size) -> Int {
    let unknown = size.symbols.subtracting(expectedSizes.keys)
    let guesses = Dictionary(uniqueKeysWithValues: unknown.map { ($0, 64) })
    return size.evaluated(expectedSizes.merging(guesses) { known, _ in known }) ?? 0
  }
}
