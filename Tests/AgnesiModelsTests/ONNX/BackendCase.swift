import Agnesi
import Foundation

/// One of ONNX's own tests: a folder with `model.onnx` and sets of inputs and outputs.
struct BackendCase: Sendable {
  /// What AGNESI_ONNX_TESTS names.
  static let folder: String? = ProcessInfo.processInfo.environment["AGNESI_ONNX_TESTS"]

  let folder: String

  /// `node/test_relu`.
  var name: String { folder.split(separator: "/").suffix(2).joined(separator: "/") }

  enum Outcome: Equatable {
    case passed
    /// What the error says.
    case refused(String)
    case wrong(String)
  }

  /// All below a folder that is laid out as `onnx/backend/test/data`.
  static func all(in folder: String) -> [BackendCase] {
    let groups = ["node", "pytorch-converted", "pytorch-operator", "simple"]
    return groups.flatMap { group -> [BackendCase] in
      let path = "\(folder)/\(group)"
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      return names.sorted().map { BackendCase(folder: "\(path)/\($0)") }
    }.filter { FileManager.default.fileExists(atPath: $0.folder + "/model.onnx") }
  }

  func run(on backend: any Backend) -> Outcome {
    do {
      var number = 0
      while FileManager.default.fileExists(atPath: "\(folder)/test_data_set_\(number)") {
        if let problem = try compare("\(folder)/test_data_set_\(number)", backend) {
          return .wrong(problem)
        }
        number += 1
      }
      return number == 0 ? .refused("no data") : .passed
    } catch let error as ModelError {
      return .refused(error.description)
    } catch let error as FormatError {
      return .refused("\(error)")
    } catch {
      return .wrong("\(error)")
    }
  }

  /// The function and the values of its inputs.
  ///
  /// Many operators take axes or sizes as inputs, and ONNX's tests hand them in with the call. Here they
  /// must be known at import: what follows the first input is stated then, or all of them.
  private func function(
    _ data: String
  ) throws -> (function: Model.Function, values: [NDArray]) {
    var file = try ONNXModel(reading: folder + "/model.onnx")
    let names = file.inputNames
    let values = try names.indices.map { try ONNXFile.tensor(reading: "\(data)/input_\($0).pb") }
    for (name, value) in zip(names, values) { file.stated.shapes[name] = value.shape }
    var refusal: (any Error)?
    for kept in [names.count, min(names.count, 1), 0] {
      for (name, value) in zip(names, values).dropFirst(kept) {
        file.stated.constants[name] = value
      }
      do {
        if let run = try file.model().functions["run"] { return (run, Array(values.prefix(kept))) }
      } catch {
        refusal = refusal ?? error
      }
    }
    throw refusal ?? ModelError(folder, "no function")
  }

  /// Bits of a 16-bit float, which some of ONNX's files call whole numbers.
  private func asStated(_ array: NDArray, _ type: TensorType) -> NDArray {
    guard array.dtype == .uint16, type.dtype == .bfloat16 else { return array }
    let bits = array.contiguous()
    return NDArray(
      dtype: .bfloat16, shape: bits.shape, strides: bits.strides, offset: bits.offset,
      storage: bits.storage)
  }

  private func compare(_ data: String, _ backend: any Backend) throws -> String? {
    let (function, values) = try function(data)
    let outputs = function.outputs.map(\.tensor).specialized(for: .inference)
    let compiled = try compile(
      function.inputs, to: outputs, options: CompileOptions(allowsUnusedInputs: true), on: backend)
    let results = try compiled.call(zip(values, function.inputs).map { asStated($0, $1.type) })
    for (number, tensor) in outputs.enumerated() {
      let expected = asStated(
        try ONNXFile.tensor(reading: "\(data)/output_\(number).pb"), tensor.type)
      let actual = results[tensor]
      guard expected.dtype == actual.dtype, expected.shape == actual.shape else {
        return "output \(number) is \(actual.dtype)\(actual.shape), not "
          + "\(expected.dtype)\(expected.shape)"
      }
      // ONNX's own tolerances; its tests cut bfloat16 off, where its specification rounds.
      let tolerance = actual.dtype == .bfloat16 ? 0x1p-7 : 1e-3
      for (want, got) in zip(expected.doubles, actual.doubles) where want != got {
        if want.isNaN && got.isNaN { continue }
        if abs(want - got) <= 1e-7 + tolerance * abs(want) { continue }
        return "output \(number): \(want) expected, got \(got)"
      }
    }
    return nil
  }
}
