import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// How a backend brings tensors into a layout and out of it.
package protocol LayoutReorders: Sendable {
  /// A tensor in row-major order, in `layout`.
  func packed(_ plain: Tensor, in layout: Layout) -> Tensor
  /// A tensor in `layout`, in row-major order again.
  func unpacked(_ laidOut: Tensor, from layout: Layout, to plain: TensorType) -> Tensor
  /// A tensor in `layout` with zeros where a last block has no elements.
  func zeroBeyond(_ laidOut: Tensor, in layout: Layout, of plain: TensorType) -> Tensor
  /// Whether tensors of this type go into `layout` and out of it without losing anything.
  func keeps(_ plain: TensorType, in layout: Layout) -> Bool
}

/// Layouts that divide all shapes they are used for: reorders are views.
package struct ViewReorders: LayoutReorders {
  package init() {}

  package func packed(_ plain: Tensor, in layout: Layout) -> Tensor { layout.packed(plain) }
  package func unpacked(
    _ laidOut: Tensor, from layout: Layout, to plain: TensorType
  ) -> Tensor {
    layout.unpacked(laidOut, plain.shape)
  }
  package func zeroBeyond(
    _ laidOut: Tensor, in layout: Layout, of plain: TensorType
  ) -> Tensor {
    laidOut
  }
  package func keeps(_ plain: TensorType, in layout: Layout) -> Bool {
    layout.divides(plain.shape)
  }
}

/// What stands for each tensor of a graph while layouts are given to it.
///
/// A tensor has the layout that it was computed in, and is reordered where somebody wants another one, once for
/// each. A pass decides which nodes start a layout (``set(_:_:in:)``) and lets all others follow
/// (``follow(_:)``).
package struct LayoutForms {
  private let reorders: any LayoutReorders
  private var plain: [Tensor: Tensor] = [:]
  private var laidOut: [Tensor: [Layout: Tensor]] = [:]
  /// The layouts that tensors were computed in; none for those in row-major order.
  private var natives: [Tensor: Layout] = [:]

  package init(reorders: any LayoutReorders = ViewReorders()) { self.reorders = reorders }

  /// The layout that a tensor was computed in; nil for row-major order.
  package func layout(of tensor: Tensor) -> Layout? { natives[tensor] }

  /// Says what stands for `tensor`, and the layout that it is in (nil: row-major order).
  package mutating func set(_ tensor: Tensor, _ form: Tensor, in layout: Layout? = nil) {
    guard let layout, !layout.isPlain else {
      plain[tensor] = form
      return
    }
    laidOut[tensor, default: [:]][layout] = form
    natives[tensor] = layout
  }

  /// What stands for `tensor` as it was computed; nil where nothing does yet.
  package func computed(_ tensor: Tensor) -> Tensor? {
    natives[tensor].flatMap { laidOut[tensor]?[$0] } ?? plain[tensor]
  }

  /// The tensor in row-major order.
  package mutating func plain(_ tensor: Tensor) -> Tensor {
    if let known = plain[tensor] { return known }
    guard let layout = natives[tensor], let form = laidOut[tensor]?[layout] else {
      internalError("\(tensor) is used before it has a layout")
    }
    let result = SourceLocation.$inherited.withValue(tensor.node.location) {
      reorders.unpacked(form, from: layout, to: tensor.type)
    }
    plain[tensor] = result
    return result
  }

  /// The tensor in `layout`.
  package mutating func form(_ tensor: Tensor, in layout: Layout) -> Tensor {
    if let known = laidOut[tensor]?[layout] { return known }
    let result = SourceLocation.$inherited.withValue(tensor.node.location) {
      repeated(tensor, in: layout) ?? reorders.packed(plain(tensor), in: layout)
    }
    laidOut[tensor, default: [:]][layout] = result
    return result
  }

  /// A broadcast is repeated over the layout, without being written out before.
  private mutating func repeated(_ tensor: Tensor, in layout: Layout) -> Tensor? {
    guard tensor.isBroadcast, natives[tensor] == nil, let (axis, _) = layout.block else {
      return nil
    }
    let source = tensor.node.operands[0]
    let aligned = Shape(repeating: 1, count: tensor.rank - source.rank) + source.shape
    let target = layout.shape(of: tensor.shape)
    if aligned[axis].isOne {
      return plain(source).reshaped(aligned + [1]).broadcast(to: target)
    }
    guard layout.divides(aligned) else { return nil }
    return layout.packed(plain(source).reshaped(aligned)).broadcast(to: target)
  }

  // MARK: Following

  /// Builds a node on what stands for its operands: in their layout where it can work in that, else in
  /// row-major order.
  package mutating func follow(_ node: Node) {
    for layout in layouts(of: node) where followed(node, in: layout) { return }
    let results = node.applied(to: node.operands.map { plain($0) })
    for (old, new) in zip(node.results, results) { set(old, new) }
  }

  /// The layouts of the operands, that of the largest one first.
  private func layouts(of node: Node) -> [Layout] {
    var layouts: [Layout] = []
    let laidOut = node.operands.filter { natives[$0] != nil }
    for operand in laidOut.sorted(by: { $0.type.isLarger(than: $1.type) }) {
      if let layout = natives[operand], !layouts.contains(layout) { layouts.append(layout) }
    }
    return layouts
  }

  private mutating func followed(_ node: Node, in layout: Layout) -> Bool {
    let following = LayoutFollowing(reorders: reorders)
    guard
      node.operands.allSatisfy({
        natives[$0] == layout || following.canBring($0, into: layout)
      }),
      let form = following.form(of: node, in: layout)
    else { return false }
    let operands = node.operands.map { self.form($0, in: layout) }
    let results =
      form.readsBeyond
      ? summed(node, operands, form.operation, in: layout) : Tensor.make(form.operation, operands)
    for ((old, new), own) in zip(zip(node.results, results), form.layouts) {
      if following.isInOrder(old, in: own) {
        set(old, own.unpacked(new, old.shape))
      } else {
        set(old, new, in: own)
      }
    }
    return true
  }
}

extension LayoutForms {
  /// A sum over blocks whose last one is not full. Within the blocks first, each lane by itself: only the few
  /// numbers that are left have to be told from those of elements that are none.
  private func summed(
    _ node: Node, _ operands: [Tensor], _ operation: any Operation, in layout: Layout
  ) -> [Tensor] {
    var (laidOut, plain) = (operands, node.operands.map(\.type))
    if let (axis, _) = layout.block, let (_, axes) = node.results[0].reduction,
      case let others = axes.filter({ $0 != axis }), !others.isEmpty
    {
      laidOut[0] = laidOut[0].sum(axes: others, keepingAxes: true)
      for other in others { plain[0].shape[other] = 1 }
    }
    return Tensor.make(
      operation, zip(laidOut, plain).map { reorders.zeroBeyond($0, in: layout, of: $1) })
  }
}

extension TensorType {
  /// Compared by the sizes that are numbers.
  func isLarger(than other: TensorType) -> Bool {
    func elements(_ type: TensorType) -> Double {
      type.shape.reduce(1) { $0 * Double($1.known ?? 1) }
    }
    return elements(self) > elements(other)
  }
}
