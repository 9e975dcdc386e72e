import AgnesiArrays
import AgnesiLoops
import Foundation

extension Array where Element == Tensor {
  /// These expressions of a picture, of a picture of other rows and columns: shapes are inferred again.
  ///
  /// What works on windows, channels and single places takes any size (convolutions, their transposes,
  /// pooling, concatenation, functions of elements); what was made for the sizes that were (a dense layer, a
  /// mean over all places) does not.
  ///
  /// - Parameters:
  ///   - image: an input `[batch, channels, height, width]`.
  ///   - other: another input, of the same channels.
  /// - Returns: nil where an operation takes no other size.
  /// - Complexity: linear in the nodes.
  package func resized(_ image: Tensor, to other: Tensor) -> [Tensor]? {
    var walk = PictureSizes(image: image, other: other)
    do { try walk.visit(self) } catch { return nil }
    return map { walk.forms[$0] ?? $0 }
  }
}

/// One walk that infers shapes again.
private struct PictureSizes {
  private(set) var forms: [Tensor: Tensor]

  init(image: Tensor, other: Tensor) { forms = [image: other] }

  /// An operation takes no other size.
  struct FixedSize: LocalizedError {
    var errorDescription: String? { "an operation takes no other size" }
  }

  mutating func visit(_ outputs: [Tensor]) throws {
    try outputs.visitNodes(stoppingAt: Set(forms.keys)) { node in
      guard node.operands.contains(where: { forms[$0] != nil }) else { return }
      guard let found = results(of: node), found.allSatisfy({ $0.failure == nil }) else {
        throw FixedSize()
      }
      for (old, new) in zip(node.results, found) { forms[old] = new }
    }
  }

  private mutating func results(of node: Node) -> [Tensor]? {
    let operands = node.operands.map { forms[$0] ?? $0 }
    if let convolution = node.convolution {
      switch convolution.kind {
      case .forward: return Tensor.make(node.operation, operands)
      case .backwardData: return enlarged(convolution, operands).map { [$0] }
      case .backwardWeights: return nil
      }
    }
    if node.pooling != nil { return Tensor.make(node.operation, operands) }
    switch node.operation {
    case let composite as Composite:
      return results(of: composite, node, operands)
    case is Concatenate, is Pad: return Tensor.make(node.operation, operands)
    case let reduce as Reduce where reduce.axes.allSatisfy { $0 < 2 }:
      return Tensor.make(reduce, operands)
    case let reshape as Reshape:
      return reshaped(reshape, node.operands[0].shape, operands[0]).map { [$0] }
    case is Broadcast:
      // Elementwise functions broadcast again, to the size that their other operands have now.
      return operands
    case _ where node.results[0].isElementwise:
      return node.operation.applied(to: node.operands.map { forms[$0] ?? $0.unbroadcast })
    default: return nil
    }
  }

  /// The library's own enlarging takes any size; others are what their bodies say.
  private mutating func results(
    of composite: Composite, _ node: Node, _ operands: [Tensor]
  ) -> [Tensor]? {
    if composite.isBuiltIn, composite.compositeName == "upsampled2D",
      case .integers(let factors)? = composite.attributes["factors"],
      case .text(let name)? = composite.attributes["mode"], let mode = Upsampling(rawValue: name)
    {
      return [upsampled2D(operands[0], by: factors, mode: mode)]
    }
    let opened = composite.body.applied(to: node.operands)
    do { try visit(opened) } catch { return nil }
    return opened.map { forms[$0] ?? $0 }
  }

  /// Axes of size 1 that come or go, as behind a reduction; others are made for the sizes that were.
  private func reshaped(_ operation: Reshape, _ old: Shape, _ operand: Tensor) -> Tensor? {
    var sizes = zip(old, operand.shape).filter { !$0.0.isOne }[...]
    var shape: Shape = []
    for size in operation.shape {
      if size.isOne {
        shape.append(1)
      } else if let (was, now) = sizes.popFirst(), was == size {
        shape.append(now)
      } else {
        return nil
      }
    }
    return sizes.isEmpty ? operand.reshaped(shape) : nil
  }

  /// A transposed convolution: as many rows more for each row as its stride says.
  private func enlarged(
    _ convolution: ConvolutionDescription, _ operands: [Tensor]
  ) -> Tensor? {
    let (old, new, geometry) = (
      convolution.output.shape, operands[0].shape, convolution.geometry
    )
    guard old.count == new.count, old.count == convolution.size.count + 2 else { return nil }
    let size = convolution.size.enumerated().map { axis, size in
      size + Size(geometry.stride[axis]) * (new[axis + 2] - old[axis + 2])
    }
    return Tensor(convolution.kind.operation(geometry, size: size), operands[0], operands[1])
  }
}

extension Tensor {
  /// What was broadcast to become this.
  fileprivate var unbroadcast: Tensor {
    node.operation is Broadcast ? node.operands[0].unbroadcast : self
  }
}
