import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Testing

/// The exact words for what people get wrong.
@Suite struct MistakeTests {
  private let image = Tensor.input("image", [.batch, 784])
  private let label = Tensor.input("label", [.batch], .int32)

  @Test func matrixSizes() {
    let weight = Tensor.parameter("w", [256, 784])
    #expect(
      mistakeText(matmul(image, weight)) == """
        matmul: inner sizes differ, 784 ≠ 256
          left   "image" float32[batch, 784]
          right  "w" float32[256, 784]
          hint: the right operand fits when transposed
        """)
  }

  @Test func dtypes() {
    #expect(
      mistakeText(exp(label)) == """
        exp: needs a floating operand, got int32
          operand  "label" int32[batch]
          hint: convert it with cast(to: .float32)
        """)
    #expect(
      mistakeText(matmul(image, image.cast(to: .float64).transposed())) == """
        matmul: needs two operands of one floating dtype, got float32 and float64
          left   "image" float32[batch, 784]
          right  float64[784, batch]
        """)
    #expect(
      mistakeText(abs(image .> 0)) == """
        abs: needs numbers, got bool
          operand  bool[batch, 784]
          hint: convert them with cast(to: .int32)
        """)
    #expect(
      mistakeText(image .& image) == """
        and: needs bools or integers, got float32
          left   "image" float32[batch, 784]
          right  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(not(image)) == """
        not: needs bools or integers, got float32
          operand  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(select(label, image, image)).hasPrefix(
        "select: needs a bool condition, got int32"))
  }

  @Test func axes() {
    #expect(
      mistakeText(image.sum(axes: [2])) == """
        sum: axis 2 of a tensor of 2 axes
          operand  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(image.transposed([0, 0])) == """
        transpose: [0, 0] does not order 2 axes
          operand  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(label.argMax(axis: 1)) == """
        argMax: axis 1 of a tensor of 1 axes
          operand  "label" int32[batch]
        """)
    #expect(
      mistakeText(image.cumulativeSum(axis: -3)) == """
        cumulativeSum: axis -1 of a tensor of 2 axes
          operand  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(image.flipped([5])) == """
        flipped: axes [5] of a tensor of 2 axes
          operand  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(image.squeezed([1])) == """
        squeezed: axis 1 has size 784, not 1
          operand  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(concatenated([image, image], axis: 3)) == """
        concatenate: axis 3 of tensors of 2 axes
          operand    "image" float32[batch, 784]
          operand 2  "image" float32[batch, 784]
        """)
    #expect(mistakeText(concatenated([])) == "concatenate: no tensors")
  }

  @Test func slicesAndWidths() {
    let x = Tensor.input("x", [5, 4])
    func mistake(_ text: String) -> String { "\(text)\n  operand  \"x\" float32[5, 4]" }
    #expect(mistakeText(x[7]) == mistake("slice: position 7 of axis 0, whose size is 5"))
    #expect(mistakeText(x[.all, -5]) == mistake("slice: position -1 of axis 1, whose size is 4"))
    #expect(mistakeText(x[2..<9]) == mistake("slice: position 8 of axis 0, whose size is 5"))
    #expect(
      mistakeText(x.sliced([3, 0], [1, nil]))
        == mistake("slice: the range of axis 0 ends before it starts"))
    #expect(mistakeText(x[0, 1, 2]) == mistake("subscript: 3 selectors for 2 axes"))
    #expect(
      mistakeText(x.sliced([0], [1]))
        == mistake("sliced: 1 starts, 1 ends and steps [1] for 2 axes"))
    #expect(mistakeText(x.padded([(1, 1)])) == mistake("pad: 1 widths for 2 axes"))
    #expect(
      mistakeText(x.split(sizes: [2, 2])[1])
        == mistake("split: parts of 4 elements of axis 0, whose size is 5"))
    #expect(
      mistakeText(x.topK(5).values) == mistake("topK: 5 elements of axis 1, whose size is 4"))
    #expect(
      mistakeText(x.replacingSlice(0, with: .counting(3)))
        == mistake("replacingSlice: a value of float32[3] for a part of float32[4]"))
  }

  @Test func shapes() {
    #expect(
      mistakeText(image.reshaped([28, 28])) == "no mistake", "batch may be 1")
    #expect(
      mistakeText(Tensor.input("x", [5, 4]).reshaped([3, 7])) == """
        reshape: 20 elements do not fill a shape of 21
          operand  "x" float32[5, 4]
        """)
    #expect(
      mistakeText(image.gathered(image)) == """
        gather: needs integer indices, got float32
          table    "image" float32[batch, 784]
          indices  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(image.picked(.input("two", [.batch, 2], .int32), axis: 0)) == """
        takeAlongAxis: sizes of axis 1 differ, 784 ≠ 2
          table    "image" float32[batch, 784]
          indices  "two" int32[batch, 2]
        """)
    #expect(
      mistakeText(oneHot(image, 10)) == """
        oneHot: needs integer labels, got float32
          operand  "image" float32[batch, 784]
        """)
    #expect(
      mistakeText(.parameter("w", [.batch, 3]))
        == "parameter \"w\": needs known sizes, got float32[batch, 3]")
  }

  @Test func randomDraws() {
    #expect(
      mistakeText(randomUniform([2], dtype: .int32))
        == "randomUniform: needs a floating dtype, got int32")
    #expect(
      mistakeText(randomInteger([2], in: 5..<5))
        == "randomInteger: needs a range of 1 to 2097152 numbers and an integer dtype, got "
        + "5..<5 and int64")
  }

  @Test func gradients() {
    let (x, other) = (Tensor.input("x", [3]), Tensor.input("other", [3]))
    #expect(
      mistakeText(gradient(of: x.sum(), withRespectTo: [other])[0]) == """
        gradient: the cost does not depend on this variable in a differentiable way
          variable  "other" float32[3]
          hint: pass disconnected: .zero where a gradient of zero is meant
        """)
    #expect(
      mistakeText(gradient(of: x, withRespectTo: [x])[0]) == """
        gradient: the cost must be one floating value, got float32[3]
          hint: reduce it with mean() or sum()
        """)
    #expect(
      mistakeText(gradient(of: (x .> 0).sum(), withRespectTo: [x])[0])
        == "gradient: the cost must be one floating value, got int64[]")
    #expect(
      mistakeText(gradient(of: floor(x).sum(), withRespectTo: [x])[0]).hasPrefix(
        "gradient: the cost does not depend on this variable in a differentiable way"))
  }

  /// What is built from a mistake carries the same one, and nothing else is reported.
  @Test func mistakesTravel() {
    let wrong = matmul(image.cast(to: .float64), image)
    let built = softmaxOfSum(wrong)
    #expect(mistakeText(built) == mistakeText(wrong))
    #expect(mistakeText(gradient(of: built.sum(), withRespectTo: [image])[0]) == mistakeText(wrong))
    #expect(mistakeText(concatenated([image, wrong])) == mistakeText(wrong))
    #expect(mistakeText(wrong[3, .all]) == mistakeText(wrong))
    #expect(mistakeText(wrong.topK(7).indices) == mistakeText(wrong))
    #expect(mistakeText(wrong.padded([(1, 2)]).flipped([9]).diagonal()) == mistakeText(wrong))
  }

  private func softmaxOfSum(_ x: Tensor) -> Tensor {
    let powers = exp(x - x.max(axes: [7], keepingAxes: true))
    return powers / powers.sum(axes: [-1], keepingAxes: true)
  }
}
