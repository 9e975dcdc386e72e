import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct PoolingTests {
  /// Values and argmax of 2×2 windows, with the gradients of the sum.
  private func pooled(
    _ values: [Double], _ shape: [Int], _ geometry: PoolingGeometry
  ) throws -> (values: [Double], argmax: [Double], gradients: [Double]) {
    let x = Tensor.doubles(values, shape)
    let results = Tensor.make(MaxPool(geometry: geometry), [x])
    let gradients = gradient(of: results[0].sum(), withRespectTo: [x])
    let arrays = try evaluated(results + gradients, [:])
    return (arrays[0].doubles, arrays[1].doubles, arrays[2].doubles)
  }

  private let two = PoolingGeometry(
    window: [2, 2], stride: [2, 2], padBegin: [0, 0], padEnd: [0, 0])

  @Test func theFirstOfEqualsWins() throws {
    let result = try pooled([1, 3, 3, 3], [2, 2], two)
    #expect(result.values == [3])
    #expect(result.argmax == [1])
    #expect(result.gradients == [0, 1, 0, 0])
  }

  @Test func zerosOfBothSignsAreEqual() throws {
    #expect(try pooled([-0.0, 0, 0, -0.0], [2, 2], two).argmax == [0])
  }

  @Test func aNaNWins() throws {
    let result = try pooled([1, .nan, 9, .nan], [2, 2], two)
    #expect(result.values[0].isNaN)
    #expect(result.argmax == [1])
    #expect(result.gradients == [0, 1, 0, 0])
  }

  @Test func infinitelySmallValuesHaveAPlace() throws {
    let geometry = PoolingGeometry(
      window: [2, 2], stride: [2, 2], padBegin: [1, 1], padEnd: [1, 1])
    let result = try pooled([-.infinity, -.infinity, -.infinity, -.infinity], [2, 2], geometry)
    #expect(result.values == [Double](repeating: -.infinity, count: 4))
    // In each window of one element, that element, never the padding.
    #expect(result.argmax == [3, 2, 1, 0])
    #expect(result.gradients == [1, 1, 1, 1])
  }

  @Test func paddingNeverWins() throws {
    let x = Tensor.doubles([-5, -6, -7, -8], [2, 2])
    let y = try evaluated(maxPool2D(x, window: [2, 2], stride: [1, 1], padding: [1, 1]))
    #expect(y.doubles == [-5, -5, -6, -5, -5, -6, -7, -7, -8])
  }

  @Test func gradientsOfOverlappingWindowsAddUp() throws {
    let geometry = PoolingGeometry(
      window: [1, 2], stride: [1, 1], padBegin: [0, 0], padEnd: [0, 0])
    let result = try pooled([1, 5, 2, 4], [1, 4], geometry)
    #expect(result.values == [5, 5, 4])
    #expect(result.gradients == [0, 2, 0, 1])
  }

  @Test func partialWindows() throws {
    let x = Tensor.doubles([1, 2, 3, 4, 5], [1, 5])
    func sizes(_ window: Int, _ stride: Int, partial: Bool) -> Size {
      maxPool2D(x, window: [1, window], stride: [1, stride], partialWindows: partial).size(-1)
    }
    #expect(sizes(2, 2, partial: false) == 2)
    #expect(sizes(2, 2, partial: true) == 3)
    #expect(sizes(3, 2, partial: true) == 2)
    #expect(sizes(2, 4, partial: true) == 2)
    #expect(sizes(2, 5, partial: true) == 1)
    #expect(sizes(9, 1, partial: true) == 1)
    let y = maxPool2D(x, window: [1, 2], partialWindows: true)
    #expect(try evaluated(y).doubles == [2, 4, 5])
  }

  @Test func meansCountWhatTheySay() throws {
    let x = Tensor.doubles([1, 2, 3, 4, 5], [1, 5])
    func means(partial: Bool, counting: Bool) throws -> [Double] {
      try evaluated(
        averagePool2D(
          x, window: [1, 4], stride: [1, 3], padding: [0, 1], partialWindows: partial,
          countingPadding: counting)
      ).doubles
    }
    #expect(try means(partial: false, counting: false) == [2, 4])
    #expect(try means(partial: false, counting: true) == [1.5, 3])
    // The third window begins at element 5, which is padding, so there is none.
    #expect(try means(partial: true, counting: true) == [1.5, 3])
    let whole = averagePool2D(x, window: [1, 4], partialWindows: true, countingPadding: true)
    #expect(try evaluated(whole).doubles == [2.5, 5])
    #expect(try evaluated(sumPool2D(x, window: [1, 2])).doubles == [3, 7])
  }

  @Test func sizesMayBeFormulas() {
    let x = Tensor.input("x", [.batch, 3, .symbol("h"), 28])
    let y = maxPool2D(x)
    #expect(y.type.description == "float32[batch, 3, ((h - 2) / (2)) + 1, 14]")
    let derivative = gradient(of: (y * y).sum(), withRespectTo: [x])[0]
    #expect(derivative.type == x.type)
    let mean = averagePool2D(x, padding: [1, 1])
    #expect(gradient(of: (mean * mean).sum(), withRespectTo: [x])[0].type == x.type)
  }

  @Test func mistakes() {
    let x = Tensor.input("x", [.batch, 3, 2, 8])
    let operand = "  input  \"x\" float32[batch, 3, 2, 8]"
    #expect(
      maxPool2D(x, window: [3, 3]).failureText
        == "maxPool2D: the window spans 3 along axis 2, the padded input only 2\n\(operand)\n"
        + "  hint: partialWindows: true allows it")
    #expect(
      averagePool2D(x, window: [3, 3]).failureText
        == "averagePool2D: the window spans 3 along axis 2, the padded input only 2\n\(operand)\n"
        + "  hint: partialWindows: true allows it")
    #expect(
      maxPool2D(x, padding: [2, 0]).failureText
        == "maxPool2D: padding is at least 0 and smaller than the window, got [2, 0] for [2, 2]\n"
        + operand)
    #expect(
      maxPool2D(x, window: [2, 2, 2]).failureText
        == "maxPool2D: needs a window of 2 numbers, got [2, 2, 2]\n\(operand)")
    #expect(
      sumPool2D(x, stride: [0, 1]).failureText
        == "sumPool2D: windows and strides are at least 1, got [2, 2] and [0, 1]\n\(operand)")
    let bytes = Tensor.input("x", [4, 4], .uint8)
    #expect(
      maxPool2D(bytes).failureText
        == "maxPool2D: needs a floating operand, got uint8\n  input  \"x\" uint8[4, 4]\n"
        + "  hint: convert it with cast(to: .float32), which keeps 0 to 255; times 1.0 / 255 where "
        + "pictures are 0 to 1")
    let empty = Tensor.input("x", [2, 0, 4])
    #expect(
      maxPool2D(empty).failureText
        == "maxPool2D: axis 1 is empty, no window sees an element\n"
        + "  input  \"x\" float32[2, 0, 4]")
  }

  @Test func upsampling() throws {
    let x = Tensor.doubles([1, 2], [1, 2])
    #expect(
      try evaluated(upsampled2D(x, by: [2, 2])).doubles == [1, 1, 2, 2, 1, 1, 2, 2])
    #expect(
      try evaluated(upsampled2D(x, by: [2, 2], mode: .dilated)).doubles
        == [1, 0, 2, 0, 0, 0, 0, 0])
    #expect(
      upsampled2D(x, by: [0, 1]).failureText
        == "upsampled2D: needs two factors of at least 1, got [0, 1]\n  input  float64[1, 2]")
  }
}
