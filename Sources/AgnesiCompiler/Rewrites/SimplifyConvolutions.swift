import AgnesiExpressions
import AgnesiLoops

// Kernels of one point that visit every pixel are products of channels. What they see of the border
// around an image is 0, and so is what they make of it: the border can be put on afterwards, and no
// library has to know of it.

extension Rewrites {
  static let convolutions = rules {
    rule("border behind kernels of one point", Tensor.node(ConvolutionForward.name)) { match in
      let node = match.root.node
      guard let operation = node.operation as? ConvolutionForward else { return nil }
      let (x, kernels) = (node.operands[0], node.operands[1])
      let geometry = operation.geometry
      guard geometry.putsOnlyABorder(around: Array(kernels.shape.dropFirst(2))) else { return nil }
      let sums = Tensor(ConvolutionForward(geometry: geometry.withoutPadding), x, kernels)
      return sums.padded(geometry.border)
    }
    rule("slopes without a border to the input", Tensor.node(ConvolutionToInput.name)) { match in
      let node = match.root.node
      guard let operation = node.operation as? ConvolutionToInput else { return nil }
      let (slopes, kernels) = (node.operands[0], node.operands[1])
      let geometry = operation.geometry
      guard geometry.putsOnlyABorder(around: Array(kernels.shape.dropFirst(2))) else { return nil }
      let inner = ConvolutionToInput(geometry: geometry.withoutPadding, size: operation.size)
      return Tensor(inner, slopes.padded(geometry.cut), kernels)
    }
    rule("slopes without a border to kernels", Tensor.node(ConvolutionToKernels.name)) { match in
      let node = match.root.node
      guard let operation = node.operation as? ConvolutionToKernels else { return nil }
      let (x, slopes) = (node.operands[0], node.operands[1])
      let geometry = operation.geometry
      guard geometry.putsOnlyABorder(around: operation.size) else { return nil }
      let inner = ConvolutionToKernels(geometry: geometry.withoutPadding, size: operation.size)
      return Tensor(inner, x, slopes.padded(geometry.cut))
    }
  }
}

extension ConvolutionGeometry {
  /// Whether kernels of these sizes see one pixel each, every pixel has its position, and there is
  /// padding.
  fileprivate func putsOnlyABorder(around kernel: Shape) -> Bool {
    kernel.allSatisfy(\.isOne) && stride.allSatisfy { $0 == 1 }
      && (padBegin + padEnd).contains { $0 > 0 }
  }

  fileprivate var withoutPadding: ConvolutionGeometry {
    var result = self
    result.padBegin = [Int](repeating: 0, count: axisCount)
    result.padEnd = result.padBegin
    return result
  }

  /// What the padding adds around `[batch, channels, …]`.
  fileprivate var border: [(before: Int, after: Int)] {
    [(0, 0), (0, 0)] + zip(padBegin, padEnd).map { ($0, $1) }
  }

  /// The border taken away.
  fileprivate var cut: [(before: Int, after: Int)] { border.map { (-$0.before, -$0.after) } }
}
