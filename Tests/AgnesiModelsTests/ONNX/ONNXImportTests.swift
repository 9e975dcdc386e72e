import Agnesi
import Foundation
import TestSupport
import Testing

/// Models that `Fixtures/make_onnx.py` wrote, with what ONNX's own evaluator computes from them.
@Suite struct ONNXImportTests {
  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/onnx").path

  private static let names = [
    "convolutions", "gemm", "normalization", "old_softmax", "pooling", "resizing", "shapes",
  ]

  @Test(arguments: names) func numbersAgree(_ name: String) {
    #expect(BackendCase(folder: "\(Self.fixtures)/\(name)").run(on: .reference) == .passed)
  }

  @Test(arguments: names) func numbersAgreeWhenCompiled(_ name: String) {
    #expect(BackendCase(folder: "\(Self.fixtures)/\(name)").run(on: .cpu) == .passed)
  }

  @Test func sizesKeepTheirNames() throws {
    let model = try ONNXModel(reading: Self.fixtures + "/shapes/model.onnx").model()
    let function = try #require(model.functions["run"])
    #expect(function.inputs[0].shape == [.batch, 3, 8, 8])
    #expect(function.outputs[0].tensor.shape == [.batch, 192])
  }

  @Test func picturesAreClassified() throws {
    let model = try ONNXModel(reading: Self.fixtures + "/convolutions/model.onnx").model()
    let function = try #require(model.functions["classify"])
    #expect(function.inputs.map(\.name) == ["pixels"])
    #expect(function.outputs.map(\.name) == ["probabilities", "logits", "features"])
    #expect(try model.parameters().map(\.name).contains("kernels"))
  }

  @Test func weightsAlone() throws {
    let file = try WeightFile(reading: Self.fixtures + "/gemm/model.onnx")
    #expect(file.format == .onnx)
    #expect(file["w"]?.shape == [4, 3])
  }

  @Test func whatIsNotSupportedIsNamed() throws {
    let path = Self.fixtures + "/unsupported/model.onnx"
    let file = try ONNXModel(reading: path)
    #expect(file.unsupportedOperators == ["NonZero"])
    let text = errorText { _ = try file.model() }.replacing(path, with: "FILE")
    #expect(
      text.hasPrefix(
        """
        model FILE: node "which" (NonZero, operator set 13): this operator is not supported
          hint:
        """))
  }

  /// Ten thousand damaged files: each is read, or is an error.
  @Test func damagedFiles() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("model.onnx")
    let files = try (Self.names + ["unsupported"]).map {
      Array(try Data(contentsOf: URL(fileURLWithPath: "\(Self.fixtures)/\($0)/model.onnx")))
    }
    var mutations = Mutations(seed: 11)
    var sound = 0
    for number in 0..<10_000 {
      try folder.write(mutations.of(files[number % files.count], files), to: "model.onnx")
      do {
        let model = try ONNXModel(reading: path).model()
        sound += model.functions.count
      } catch is ModelError {
      } catch is FormatError {
      }
    }
    #expect(sound > 100)
  }
}
