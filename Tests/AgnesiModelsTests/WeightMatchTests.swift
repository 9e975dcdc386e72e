import AgnesiArrays
import AgnesiExpressions
import AgnesiModels
import Foundation
import TestSupport
import Testing

/// Weights under names with prefixes, and in checkpoints with other things.
@Suite struct WeightMatchTests {
  private let folder: TemporaryFolder
  private let network: ZooNetwork

  init() throws {
    folder = try TemporaryFolder(inMemory: true)
    network = try Zoo.known("lenet-caffe")
  }

  private func arrays(seed: UInt64 = 3) throws -> NamedArrays {
    try network.fileArrays(of: network.model(), origin: "PyTorch").map {
      (name: $0.name, array: GeneratedWeights.array($0.name, $0.shape, seed: seed))
    }
  }

  private func values(_ arrays: NamedArrays) throws -> [NDArray] {
    let model = try network.model()
    try network.fill(model, from: arrays, of: "a file")
    return try model.parameters().map(\.value)
  }

  private func prefixed(_ arrays: NamedArrays, _ prefix: (String) -> String) -> NamedArrays {
    arrays.map { (name: prefix($0.name) + $0.name, array: $0.array) }
  }

  @Test(arguments: [
    "module.", "model.", "module.model.", "model.module.", "_orig_mod.", "backbone.", "net/",
    "module._orig_mod.model.backbone.", "a.b.c.d.e.f.",
  ]) func prefixesOfAllNames(prefix: String) throws {
    let plain = try arrays()
    let more =
      prefixed(plain) { _ in prefix } + [
        (name: "optimizer.state.0.exp_avg", array: NDArray(zeros: [20, 1, 5, 5])),
        (name: "\(prefix)optimizer.\(plain[0].name)", array: NDArray(zeros: [20, 1, 5, 5])),
      ]
    #expect(try values(more) == values(plain))
  }

  @Test func bodyAndHeadHavePrefixesOfTheirOwn() throws {
    let plain = try arrays()
    let last = try #require(plain.last?.name.prefix { $0 != "." })
    let parts = prefixed(plain) { $0.hasPrefix(last) ? "model.head." : "model.backbone." }
    #expect(try values(parts) == values(plain))
    let half = prefixed(plain) { $0.hasPrefix(last) ? "" : "backbone." }
    #expect(try values(half) == values(plain))
  }

  @Test func wrappersInTheMiddle() throws {
    let plain = try arrays()
    let wrapped = plain.map { name, array in
      let parts = name.split(separator: ".", maxSplits: 1)
      return (name: "module.\(parts[0])._orig_mod.\(parts[1])", array: array)
    }
    #expect(try values(wrapped) == values(plain))
  }

  @Test func twiceTheSameIsNotGuessed() throws {
    let (plain, average) = (try arrays(), try arrays(seed: 4))
    let both = prefixed(plain) { _ in "model." } + prefixed(average) { _ in "ema." }
    let error = #expect(throws: ZooError.self) { _ = try values(both) }
    #expect(
      error?.description == """
        cannot fill lenet-caffe from a file: its weights are there more than once, with "model." and "ema." \
        before their names
          hint: name one behind the file's name: FILE#model
        """)
    let path = folder.path("both.safetensors")
    try SafetensorsFile(tensors: both).write(to: path)
    let filled = try network.model(weights: path + "#ema").parameters().map(\.value)
    #expect(try filled == values(average))
  }

  /// What `torch.save` of a small network with Adam's state and an average of the weights gives.
  @Test func checkpointsOfSmallNetworks() throws {
    let plain = try arrays()
    let adam = TorchCheckpoint.adam(plain.map(\.array.shape))
    func filled(_ entries: [(key: String, value: TorchCheckpoint)], _ end: String = "") throws
      -> [NDArray]
    {
      let bytes = TorchCheckpoint.dictionary(entries).bytes
      let path = try folder.write(bytes, to: "checkpoint.pth")
      return try network.model(weights: path + end).parameters().map(\.value)
    }
    let expected = try values(plain)
    let wrapped = TorchCheckpoint.tensors(prefixed(plain) { _ in "module.model." })
    let average = TorchCheckpoint.tensors(try arrays(seed: 4))
    #expect(try filled([("optimizer", adam), ("whatever", wrapped)]) == expected)
    #expect(try filled([("exp_avg", average), ("state_dict", wrapped)]) == expected)
    let discriminator = TorchCheckpoint.tensors([("conv9.weight", NDArray(zeros: [8, 8]))])
    #expect(
      try filled([("discriminator", discriminator), ("optim", adam), ("generator", wrapped)])
        == expected)
    let both: [(key: String, value: TorchCheckpoint)] = [
      ("model", wrapped), ("model_ema", average), ("optimizer", adam),
    ]
    #expect(errorText { _ = try filled(both) }.contains("\n  \"model_ema\": 8 tensors, "))
    #expect(try filled(both, "#model") == expected)
    #expect(try filled(both, "#model_ema") == values(arrays(seed: 4)))
  }
}
