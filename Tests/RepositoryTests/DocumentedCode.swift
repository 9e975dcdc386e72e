import Agnesi
import Foundation
import TestSupport
import Testing

// The code that stands in documents, in the order of the documents; `DocumentedCodeTests` compares.

@Suite struct DocumentedCode {
  /// `Documentation/Architecture.md`.
  @Test func architecture() throws {
    let image = Tensor.input("image", [.batch, 784])
    let label = Tensor.input("label", [.batch], .int32)
    let w = Tensor.parameter("w", [784, 10], .glorotUniform)
    let b = Tensor.parameter("b", [10])
    let cost = softmaxCrossEntropy(matmul(image, w) + b, label).mean()
    let step = try compile([image, label], to: [cost], updates: sgd(cost, [w, b], rate: 0.1))
    let (images, labels) = (NDArray(zeros: [5, 784]), NDArray(zeros: [5], .int32))
    let value = try step(images, labels)[cost].scalar
    #expect(abs(value - Foundation.log(10)) < 1e-6)
  }

  /// `AgnesiExpressions.md`.
  @Test func mistakesAreRecorded() {
    let x = Tensor.input("x", [.batch, 3])
    let y = matmul(x, Tensor.parameter("w", [4, 2]))
    print(y.failure?.description ?? "fits")
    #expect(y.failure?.message == "inner sizes differ, 3 ≠ 4")
  }

  /// `ShapesAndBroadcasting.md`.
  @Test func shapes() {
    let images = Tensor.input("images", [.batch, 1, 28, 28])
    let rows = images.reshaped([.batch, 784])
    #expect(rows.failure == nil)
    let scores = Tensor.input("scores", [.batch, 10])
    let largest = scores.max(axes: [1], keepingAxes: true)
    let isLargest = scores .== largest
    #expect(isLargest.type == TensorType(.bool, [.batch, 10]))
    // The rows of the page's table.
    func sum(_ left: Shape, _ right: Shape) -> Tensor {
      Tensor.input("left", left) + Tensor.input("right", right)
    }
    #expect(sum([.batch, 10], [10]).shape == [.batch, 10])
    #expect(sum([3, 1], [5]).shape == [3, 5])
    #expect(sum([.batch, 20, 12, 12], [20, 1, 1]).shape == [.batch, 20, 12, 12])
  }

  /// `Gradients.md`.
  @Test func gradients() throws {
    let x = Tensor.input("x", [.batch])
    let y = (x * x * x).sum()
    let slope = gradient(of: y, withRespectTo: [x])[0]
    let curvature = gradient(of: slope.sum(), withRespectTo: [x])[0]
    let value = NDArray([1, 2] as [Float])
    #expect(try evaluate(slope, [x: value]) == NDArray([3, 12] as [Float]))
    #expect(try evaluate(curvature, [x: value]) == NDArray([6, 12] as [Float]))
  }

  /// `AgnesiCompiler.md` and `Rewriting.md`.
  @Test func functions() throws {
    let x = Tensor.input("x", [.batch])
    let scale = Tensor.parameter("scale", [], .ones)
    let y = x * scale
    let double = Updates([(scale, scale * 2)])
    let step = try compile([x], to: [y], updates: double)
    print(try step(NDArray([1, 2, 3] as [Float]))[y])
    #expect(try step(NDArray([1, 2, 3] as [Float]))[y] == NDArray([2, 4, 6] as [Float]))
    let plain = try compile([x], to: [y], options: CompileOptions(rewriting: .none))
    #expect(try plain(NDArray([1] as [Float]))[y] == NDArray([4] as [Float]))
  }

  /// `ModelsAsFiles.md`.
  @Test func models() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("double.safetensors")
    let x = Tensor.input("x", [.batch])
    let y = x * Tensor.parameter("scale", [], .constant(2))
    let model = Model(
      functions: ["double": .init(inputs: [x], outputs: [(name: "y", tensor: y)])],
      information: ["note": "made by hand"])
    try model.write(to: path)

    let read = try Model(reading: path)
    let double = read.functions["double"]
    let function = try #require(double)
    let step = try compile(function.inputs, to: function.outputs.map(\.tensor))
    #expect(try step(NDArray([3] as [Float]))[0] == NDArray([6] as [Float]))
    #expect(read.information["note"] == "made by hand")
  }
}
