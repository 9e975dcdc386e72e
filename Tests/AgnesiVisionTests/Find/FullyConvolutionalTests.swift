import Agnesi
import Testing

/// A network over a larger picture says for each window what it says for that window alone.
@Suite struct FullyConvolutionalTests {
  /// A network without padding, of pictures of 12 × 10, and the stride of its windows.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let strides: [Int]
    let build: @Sendable (Tensor) -> Tensor

    init(_ name: String, _ strides: [Int], _ build: @escaping @Sendable (Tensor) -> Tensor) {
      (testDescription, self.strides, self.build) = (name, strides, build)
    }
  }

  private static func weight(_ name: String, _ shape: Shape) -> Tensor {
    .parameter(name, shape, .glorotUniform)
  }

  private static func conv(
    _ x: Tensor, _ name: String, _ shape: Shape, stride: [Int] = [1, 1], groups: Int = 1
  ) -> Tensor {
    let bias = weight("\(name).bias", [1, shape[0], 1, 1])
    return convolution2D(x, weight(name, shape), stride: stride, groups: groups) + bias
  }

  private static func dense(_ x: Tensor, _ name: String, _ inputs: Int, _ units: Int) -> Tensor {
    matmul(x, weight(name, [Size(inputs), Size(units)])) + weight("\(name).bias", [Size(units)])
  }

  static let cases = [
    Case("flattened, two dense layers, dropout", [2, 2]) { pixels in
      let map = maxPool2D(relu(conv(pixels * (1 / 128.0) - 1, "a", [4, 3, 3, 3])))
      let hidden = dropout(relu(dense(map.flattened(from: 1), "fc6", 80, 7)), name: "drop")
      return softmax(dense(hidden, "fc7", 7, 5), axis: 1)
    },
    Case("nonlinearity and dropout of what is flattened", [1, 1]) { pixels in
      let map = conv(pixels, "a", [2, 3, 3, 3])
      let flat = dropout(leakyReLU(map.flattened(from: 1)) * 0.01, name: "drop")
      return softmax(dense(flat, "fc", 160, 4), axis: 1)
    },
    Case("mean of maps", [2, 1]) { pixels in
      let map = relu(conv(pixels * 0.01, "a", [6, 3, 3, 3], stride: [2, 1]))
      return softmax(dense(map.mean(axes: [2, 3]), "fc", 6, 5), axis: 1)
    },
    Case("largest of maps, axes kept, then single positions", [1, 1]) { pixels in
      let map = conv(pixels * 0.01, "a", [6, 3, 2, 2])
      let top = map.max(axes: [2, 3], keepingAxes: true)
      return softmax(conv(top, "b", [5, 6, 1, 1]).flattened(from: 1), axis: 1)
    },
    Case("mean pooling that leaves one position", [1, 1]) { pixels in
      let map = averagePool2D(conv(pixels * 0.01, "a", [4, 3, 3, 3]), window: [10, 8])
      return softmax(map.reshaped([.batch, 4]), axis: -1)
    },
    Case("pools to one position, whatever their stride", [2, 2]) { pixels in
      let map = maxPool2D(conv(pixels * 0.01, "a", [4, 3, 3, 3]), window: [2, 2])
      let one = maxPool2D(map, window: [5, 4])
      return softmax(dense(one.flattened(from: 1), "fc", 4, 3), axis: 1)
    },
    Case("two branches joined, one added", [1, 1]) { pixels in
      let a = conv(pixels * 0.01, "a", [4, 3, 3, 3])
      let b = relu(conv(pixels * 0.01, "b", [4, 3, 3, 3]))
      let map = concatenated([a + b, tanh(a)], axis: 1)
      return softmax(dense(map.mean(axes: [2, 3]), "fc", 8, 3), axis: 1)
    },
    Case("groups, normalised by running averages", [1, 1]) { pixels in
      let map = conv(pixels * 0.01, "a", [6, 1, 3, 3], groups: 3)
      let mean = Tensor.parameter("mean", [6], .constant(0.2), [.statistic])
      let variance = Tensor.parameter("variance", [6], .constant(0.5), [.statistic])
      let normal = batchNormalized(map, runningMean: mean, runningVariance: variance).output
      return softmax(dense(relu(normal).flattened(from: 1), "fc", 480, 3), axis: 1)
    },
    Case("softmax of each position, then their mean", [1, 1]) { pixels in
      softmax(conv(pixels * 0.01, "a", [4, 3, 3, 3]), axis: 1).mean(axes: [2, 3])
    },
    Case("colours in the other order, every second row", [2, 1]) { pixels in
      let turned = pixels.flipped([1]) * 0.01
      let map = conv(turned, "a", [4, 3, 3, 1]).sliced(
        [0, 1, 0, 0], [nil, 4, nil, nil], [1, 1, 2, 1])
      return softmax(
        dense(map.mean(axes: [2, 3]), "fc", 3, 4).sliced([0, 1], [nil, nil]), axis: 1)
    },
    Case("a border around the picture's channels only", [1, 1]) { pixels in
      let map = conv(pixels * 0.01, "a", [4, 3, 3, 3])
        .padded([(0, 0), (1, 2), (0, 0), (0, 0)])
      return dense(map.flattened(from: 1), "fc", 560, 3)
    },
  ]

  @Test(arguments: cases) func equalsSlidingWindows(_ example: Case) throws {
    let pixels = Tensor.input("pixels", [.batch, 3, 12, 10])
    let output = Scope.seeded(3) { example.build(pixels) }
    let network = try FullyConvolutional([output], of: pixels)
    #expect(network.windowHeight == 12 && network.windowWidth == 10)
    #expect([network.strideDown, network.strideRight] == example.strides)
    let picture = Self.picture(height: 17, width: 14)
    let map = try evaluate(network.outputs[0], [network.image: picture])
    let (rows, columns) = (5 / example.strides[0] + 1, 4 / example.strides[1] + 1)
    // A network may look at less than its window, and so at windows that end outside.
    #expect(map.shape[2] - rows <= 1 && map.shape[3] - columns <= 1)
    try #require(map.shape[2] >= rows && map.shape[3] >= columns)
    let single = output.specialized(for: .inference)
    for row in 0..<rows {
      for column in 0..<columns {
        let crop = Self.crop(picture, row * example.strides[0], column * example.strides[1])
        let expected = try evaluate(single, [pixels: crop]).doubles
        let got = expected.indices.map { map[0, $0, row, column] }
        let difference = zip(expected, got).map { abs($0 - $1) }.max() ?? 1
        #expect(difference < 1e-5 * (1 + (expected.map(abs).max() ?? 0)))
      }
    }
  }

  /// With padding only the network's own size has the same borders.
  @Test func paddedNetworksKeepTheirAnswerForTheirOwnSize() throws {
    let pixels = Tensor.input("pixels", [.batch, 3, 12, 10])
    let output = Scope.seeded(3) {
      let kernels = Tensor.parameter("a", [4, 3, 3, 3], .glorotUniform)
      let map = maxPool2D(relu(convolution2D(pixels * 0.01, kernels, padding: .same)))
      return softmax(Self.dense(map.flattened(from: 1), "fc", 120, 5), axis: 1)
    }
    let network = try FullyConvolutional([output], of: pixels)
    let picture = Self.picture(height: 12, width: 10)
    let map = try evaluate(network.outputs[0], [network.image: picture])
    let expected = try evaluate(output, [pixels: picture])
    #expect(map.shape == [1, 5, 1, 1])
    #expect(zip(map.doubles, expected.doubles).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func sizesThatHaveNamesAreThoseItWasMadeFor() throws {
    let pixels = Tensor.input("pixels", [.batch, 3, .symbol("h"), .symbol("w")])
    let output = Scope.seeded(1) {
      softmax(Self.conv(pixels, "a", [4, 3, 3, 3]).mean(axes: [2, 3]), axis: 1)
    }
    let unknown = #expect(throws: GraphError.self) {
      try FullyConvolutional([output], of: pixels)
    }
    #expect(
      unknown?.message
        == "the size that the network was made for is unknown: float32[batch, 3, h, w]")
    let network = try FullyConvolutional([output], of: pixels, windowHeight: 5, windowWidth: 6)
    let map = try evaluate(network.outputs[0], [network.image: Self.picture(height: 7, width: 6)])
    #expect(map.shape == [1, 4, 3, 1])
  }

  @Test func saysWhatCannotSlide() throws {
    let pixels = Tensor.input("pixels", [.batch, 3, 4, 4])
    func message(_ output: Tensor) -> String? {
      let error = #expect(throws: GraphError.self) {
        try FullyConvolutional([output], of: pixels)
      }
      return error?.text(withLocations: false)
    }
    let place = Tensor.constant(NDArray(zeros: [1, 3, 4, 4])).broadcast(to: [.batch, 3, 4, 4])
    #expect(
      message((pixels - place).mean(axes: [2, 3]))
        == """
        subtract: cannot slide over larger pictures: it meets values that belong to places of the picture
          left   "pixels" float32[batch, 3, 4, 4]
          right  float32[batch, 3, 4, 4]
        """)
    #expect(
      message(pixels.sum(axes: [2]))
        == """
        sum: cannot slide over larger pictures: it reduces only one axis of a map
          operand  "pixels" float32[batch, 3, 4, 4]
        """)
    #expect(
      message(pixels.reshaped([.batch, 12, 4]))
        == """
        reshape: cannot slide over larger pictures: it mixes the places of a map with something else
          operand  "pixels" float32[batch, 3, 4, 4]
        """)
    let gate = pixels.mean(axes: [2, 3], keepingAxes: true)
    #expect(
      message(pixels * gate)?.hasPrefix(
        "broadcast: cannot slide over larger pictures: it repeats a value of the whole picture")
        == true)
    #expect(
      message(pixels)
        == "input: cannot slide over larger pictures: it is a map; an output is numbers without a"
        + " place in it")
  }

  static func picture(height: Int, width: Int) -> NDArray {
    let stream = Philox(seed: 5, name: "picture")
    let values = (0..<(3 * height * width)).map { Float(stream.word(UInt64($0)) % 256) }
    return NDArray(values, shape: [1, 3, height, width])
  }

  private static func crop(_ picture: NDArray, _ top: Int, _ left: Int) -> NDArray {
    var values: [Float] = []
    for channel in 0..<3 {
      for row in top..<(top + 12) {
        values += (left..<(left + 10)).map { Float(picture[0, channel, row, $0]) }
      }
    }
    return NDArray(values, shape: [1, 3, 12, 10])
  }
}
