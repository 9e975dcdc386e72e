import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct ConvolutionTests {
  private let image = Tensor.doubles((1...9).map(Double.init), [1, 1, 3, 3])

  @Test func differencesAlongTheDiagonal() throws {
    let kernel = Tensor.doubles([1, 0, 0, -1], [1, 1, 2, 2])
    let result = try evaluated(convolution2D(image, kernel))
    #expect(result.shape == [1, 1, 2, 2])
    // 1 − 5, 2 − 6, 4 − 8, 5 − 9: the kernel is not flipped.
    #expect(result.doubles == [-4, -4, -4, -4])
  }

  @Test func paddingIsZeros() throws {
    let kernel = Tensor.doubles([Double](repeating: 1, count: 9), [1, 1, 3, 3])
    let result = try evaluated(convolution2D(image, kernel, padding: .same))
    #expect(result.doubles == [12, 21, 16, 27, 45, 33, 24, 39, 28])
  }

  @Test func fullPaddingReachesEveryOverlap() throws {
    let kernel = Tensor.doubles([1, 2], [1, 1, 1, 2])
    let row = Tensor.doubles([3, 5], [1, 1, 1, 2])
    #expect(try evaluated(convolution2D(row, kernel, padding: .full)).doubles == [6, 13, 5])
  }

  @Test func explicitPaddingIsPerSide() throws {
    let kernel = Tensor.doubles([1], [1, 1, 1, 1])
    let padding = Padding2D.explicit(top: 1, bottom: 0, left: 0, right: 2)
    let result = try evaluated(
      convolution2D(.doubles([7], [1, 1, 1, 1]), kernel, padding: padding))
    #expect(result.shape == [1, 1, 2, 3])
    #expect(result.doubles == [0, 0, 0, 7, 0, 0])
  }

  @Test func stridesAndDilationSkip() throws {
    let kernel = Tensor.doubles([1, 10], [1, 1, 2, 1])
    let column = Tensor.doubles([1, 2, 3, 4, 5, 6, 7], [1, 1, 7, 1])
    let result = try evaluated(
      convolution2D(column, kernel, stride: [2, 1], dilation: [3, 1]))
    #expect(result.doubles == [41, 63])
  }

  @Test func groupsDoNotSeeEachOther() throws {
    let x = Tensor.doubles([1, 2, 3, 4], [1, 4, 1, 1])
    let kernels = Tensor.doubles([1, 1, 10, 10], [2, 2, 1, 1])
    #expect(try evaluated(convolution2D(x, kernels, groups: 2)).doubles == [3, 70])
  }

  /// ⟨x ⋆ w, s⟩ = ⟨x, backwardData(s, w)⟩ = ⟨w, backwardWeights(x, s)⟩: the definition of an
  /// adjoint.
  @Test(arguments: ConvolutionForward.examples.map(\.title))
  func adjointsAreAdjoint(_ title: String) throws {
    let example = try #require(ConvolutionForward.examples.first { $0.title == title })
    let prepared = PreparedExample(example)
    let y = prepared.outputs[0]
    let node = try #require(
      prepared.outputs.topologicalNodes().first { $0.operation is ConvolutionForward })
    let operation = try #require(node.operation as? ConvolutionForward)
    let (x, w) = (node.operands[0], node.operands[1])
    let count = y.type.count.known ?? 0
    let gradients = Tensor.doubles(
      Philox(seed: 1, name: title).uniforms(count), y.shape.map { $0.known ?? 0 }
    ).cast(to: y.dtype)
    let backwardData = Tensor(
      ConvolutionBackwardData(geometry: operation.geometry, size: Array(x.shape.dropFirst(2))),
      gradients, w)
    let backwardWeights = Tensor(
      ConvolutionBackwardWeights(geometry: operation.geometry, size: Array(w.shape.dropFirst(2))),
      x, gradients)
    let products = [(y * gradients).sum(), (x * backwardData).sum(), (w * backwardWeights).sum()]
    let inputs = Dictionary(uniqueKeysWithValues: zip(prepared.inputs, prepared.values))
    let values = try evaluated(products, inputs).map(\.scalar)
    let tolerance = 1e-9 * max(1, abs(values[0]))
    #expect(abs(values[0] - values[1]) < tolerance)
    #expect(abs(values[0] - values[2]) < tolerance)
  }

  @Test func transposedSpreadsKernels() throws {
    let x = Tensor.doubles([1, 2], [1, 1, 1, 2])
    let kernel = Tensor.doubles([1, 10, 100], [1, 1, 1, 3])
    let result = try evaluated(transposedConvolution2D(x, kernel, stride: [1, 2]))
    #expect(result.doubles == [1, 10, 102, 20, 200])
    let cropped = try evaluated(
      transposedConvolution2D(
        x, kernel, stride: [1, 2], padding: .symmetric(0, 1), outputPadding: [0, 1]))
    #expect(cropped.doubles == [10, 102, 20, 200])
  }

  @Test func sizesMayBeFormulas() {
    let x = Tensor.input("x", [.batch, 3, .symbol("h"), .symbol("w")])
    let kernels = Tensor.input("k", [8, 3, 5, 3])
    let y = convolution2D(x, kernels, stride: [1, 2], padding: .same)
    #expect(y.type.description == "float32[batch, 8, h, ((w - 1) / (2)) + 1]")
    let cost = (y * y).sum()
    let gradients = gradient(of: cost, withRespectTo: [x, kernels])
    #expect(gradients.map(\.type) == [x.type, kernels.type])
    #expect(gradients.allSatisfy { $0.failure == nil })
  }

  @Test func work() throws {
    let (x, k) = (Tensor.input("x", [.batch, 4, 9, 8]), Tensor.input("k", [6, 2, 3, 3]))
    let y = convolution2D(x, k, padding: .same, groups: 2)
    let gradients = gradient(of: (y * y).sum(), withRespectTo: [x, k])
    for tensor in [y] + gradients {
      let node = try #require(
        [tensor].topologicalNodes().last { $0.operation is any CountsWork })
      let operation = try #require(node.operation as? any CountsWork)
      // batch · filters · pixels · channels of a group · kernel area
      #expect(
        operation.multiplyAdds(of: node.operands.map(\.type)) == .batch * Size(6 * 72 * 2 * 9))
    }
    let product = matmul(.input("a", [.batch, 5]), .input("b", [5, 7]))
    let matmulNode = try #require(product.node.operation as? any CountsWork)
    #expect(matmulNode.multiplyAdds(of: product.node.operands.map(\.type)) == .batch * 35)
  }
}
