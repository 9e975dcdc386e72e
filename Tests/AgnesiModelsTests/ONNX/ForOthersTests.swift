import Agnesi
import Foundation
import Testing

/// Writes models, pictures and what Agnesi computes from them into the folder that AGNESI_ONNX_EXPORTS
/// names, for `Scripts/check-onnx-export.py` to compare with ONNX Runtime. Model files that lie in the
/// folder are exported as well, such as a network that `agnesi train` saved.
@Suite(.enabled(if: ForOthers.folder != nil, "AGNESI_ONNX_EXPORTS names no folder"))
struct ForOthersTests {
  @Test func written() throws {
    let folder = ForOthers.folder ?? ""
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    for file in files.sorted() where file.hasSuffix(".safetensors") {
      let model = try Model(reading: "\(folder)/\(file)")
      try ForOthers.write(model, as: String(file.dropLast(12)))
    }
    for (name, model) in try ForOthers.models() { try ForOthers.write(model, as: name) }
  }
}

enum ForOthers {
  static let folder: String? = ProcessInfo.processInfo.environment["AGNESI_ONNX_EXPORTS"]

  /// Networks with drawn weights: by the notation, and of the zoo.
  static func models() throws -> [(name: String, model: Model)] {
    var result: [(String, Model)] = []
    let notations = [
      ("lenet", "20C5 MP2 50C5 MP2 500FC 10FC"), ("mlp", "300FC D0.5 100FC 10FC"),
    ]
    for (name, text) in notations {
      let x = Tensor.input("image", [.batch, 1, 28, 28])
      let logits = try Notation.parse(text).build(x)
      let outputs = [(name: "probabilities", tensor: softmax(logits)), ("logits", logits)]
      result.append((name, Model(functions: ["classify": .init(inputs: [x], outputs: outputs)])))
    }
    for network in Zoo.all where network.name != "vgg19" {
      result.append((network.name, try network.model()))
    }
    return result
  }

  static func write(_ model: Model, as name: String) throws {
    guard let folder, let function = model.functions.values.first else { return }
    let place = "\(folder)/\(name)"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try model.writeONNX(to: place + "/model.onnx")
    // Two samples, though the graph was built for any number.
    let shape = function.inputs[0].shape.map { $0.known ?? 2 }
    let scale = shape.count == 4 && shape[1] == 3 ? 0...255.0 : -1...1.0
    let picture = Example.Input(shape, .uniform(scale)).array(
      stream: Philox(seed: 9, name: name), floating: .float32
    ).cast(to: function.inputs[0].dtype)
    try NPYFile.write(picture, to: place + "/input.npy")
    let written = function.outputs.filter { ["probabilities", "logits"].contains($0.name) }
    let outputs = written.map(\.tensor).specialized(for: .inference)
    let results = try compile(function.inputs, to: outputs).call([picture])
    for (output, tensor) in zip(written, outputs) {
      try NPYFile.write(results[tensor], to: "\(place)/\(output.name).npy")
    }
  }
}
