import AgnesiExpressions
import AgnesiLoops

// Kernels of one point that visit every pixel are products of channels. What they see of the border
// around an image is 0, and so is what they make of it: the border can be put on afterwards, and no
// library has to know of it.

extension Rewrites {
  static let convolutions = rules {
    rule("border behind kernels of one point", Tensor.node(ConvolutionKind.forward.label)) {
      match in
      guard let (bare, geometry) = match.withoutBorder else { return nil }
      return Tensor.make(bare, match.root.node.operands)[0].padded(geometry.border)
    }
    rule(
      "backward-data without a border", Tensor.node(ConvolutionKind.backwardData.label)
    ) { match in
      guard let (bare, geometry) = match.withoutBorder else { return nil }
      let (gradients, kernels) = (match.root.node.operands[0], match.root.node.operands[1])
      return Tensor.make(bare, [gradients.padded(geometry.cut), kernels])[0]
    }
    rule(
      "backward-weights without a border", Tensor.node(ConvolutionKind.backwardWeights.label)
    ) { match in
      guard let (bare, geometry) = match.withoutBorder else { return nil }
      let (x, gradients) = (match.root.node.operands[0], match.root.node.operands[1])
      return Tensor.make(bare, [x, gradients.padded(geometry.cut)])[0]
    }
  }
}

extension Match {
  /// The convolution without its padding, where that only puts a border around the result, and the geometry
  /// that says which.
  fileprivate var withoutBorder: (operation: any Operation, geometry: ConvolutionGeometry)? {
    guard let convolution = root.node.convolution,
      convolution.geometry.putsOnlyABorder(around: convolution.kernelSize)
    else { return nil }
    return (convolution.operation(convolution.geometry.withoutPadding), convolution.geometry)
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
