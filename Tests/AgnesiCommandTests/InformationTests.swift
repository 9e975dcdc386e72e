import Agnesi
import Foundation
import TestSupport
import Testing

/// The commands that only tell something, and the help.
struct InformationTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  @Test func summaryOfANotation() throws {
    let outcome = try workplace.agnesi("summary", "20C5 MP2 50C5 MP2 256FC 10FC")
    #expect(
      outcome.output == """
        layer                          output    parameters  multiply-adds  receptive field
        convolution1  20 of 5×5, relu  20×24×24         520        288,000  5×5, step 1
        maxPool1      2×2              20×12×12           0              0  6×6, step 2
        convolution2  50 of 5×5, relu  50×8×8        25,050      1,600,000  14×14, step 2
        maxPool2      2×2              50×4×4             0              0  16×16, step 4
        dense1        256 units, relu  256          205,056        204,800  28×28
        dense2        10 units         10             2,570          2,560  28×28
        total                                       233,196      2,095,360
        memory: parameters 933 kB; outputs of layers for 1 sample 77.8 kB in training, 57.6 kB in \
        inference

        """)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test func summaryOfASavedModel() throws {
    try workplace.train("bars.safetensors")
    let outcome = try workplace.agnesi("summary", workplace.path("bars.safetensors"))
    #expect(
      outcome.output == """
        layer                   output  parameters  multiply-adds  receptive field
        dense1  16 units, relu  16           2,320          2,304  12×12
        dense2  10 units        10             170            160  12×12
        total                                2,490          2,464
        memory: parameters 10.0 kB; outputs of layers for 1 sample 680 B in training, 640 B in \
        inference

        """)
    #expect(outcome.status == 0)
  }

  /// Each network's entry ends with where it is, or with commands that exist and take it.
  @Test func theListOfNetworksSaysWhatCanBeDone() throws {
    let outcome = try workplace.agnesi(["models"], environment: ["AGNESI_DATA": workplace.path("")])
    let commands = outcome.output.split(separator: "\n").compactMap { line in
      line.firstRange(of: ": agnesi ").map { String(line[$0.upperBound...]) }
    }
    for network in Zoo.all {
      let its = commands.filter { $0.components(separatedBy: " ").contains(network.name) }
      #expect(!its.isEmpty, "\(network.name)")
    }
    #expect(commands.contains("train DATASET --network lenet5"))
    #expect(commands.contains("transfer cifar-resnet20 FOLDER --from-scratch"))
    #expect(commands.contains("segment unet PHOTO --weights FILE"))
    let trained = try workplace.agnesi(
      workplace.training("lenet.safetensors", network: "lenet5", epochs: 1))
    #expect(trained.status == 0, "\(trained.errors)")
    let summary = try workplace.agnesi("summary", workplace.path("lenet.safetensors"))
    #expect(summary.output.contains("84 units, tanh"), "\(summary.output)")
  }

  /// Networks that are graphs: of the zoo, with or without weights, and of files.
  /// Pass by pass, with the layouts that were chosen for so many samples.
  @Test func summaryOfWhatWasCompiled() throws {
    let network = "20C5 MP2 50C5 MP2 10FC"
    let one = try workplace.agnesi("summary", network, "--compiled")
    let many = try workplace.agnesi("summary", network, "--compiled", "--batch", "64")
    try #require(one.status == 0 && many.status == 0, "\(one.errors)\(many.errors)")
    #expect(one.output.contains("the compiler's passes, for a forward pass of 1 sample:\nmerge: "))
    let line = "  1 × convolution [batch, 1, 28, 28] by [20, 1, 5, 5]: "
    #expect(one.output.contains("\(line)row vectors, "), "\(one.output)")
    #expect(many.output.contains("for a forward pass of 64 samples:\n"))
    #expect(many.output.contains(line), "\(many.output)")
    let json = try workplace.agnesi("summary", network, "--compiled", "--json")
    #expect(json.output.contains(#""passes":["merge: "#), "\(json.output)")
    #expect(try !workplace.agnesi("summary", network).output.contains("merge: "))
  }

  @Test func summaryOfANetworkOfTheZoo() throws {
    let outcome = try workplace.agnesi(
      ["summary", "lenet5"], environment: ["COLUMNS": "80"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\ntotal "))
    for line in outcome.output.split(separator: "\n").dropLast() { #expect(line.count <= 80) }
    let folded = try workplace.agnesi("summary", "resnet18", "--depth", "1")
    let all = try workplace.agnesi("summary", "resnet18", "--depth", "all")
    #expect(folded.output.contains("stage1_block1"))
    #expect(all.output.contains("stage1_block1.conv1"))
    #expect(folded.output.contains("11,689,512"))
    #expect(all.output.contains("11,689,512"))
    #expect(folded.output.split(separator: "\n").count < all.output.split(separator: "\n").count)
  }

  @Test func summaryOfWhatIsNotThere() throws {
    try workplace.expect(
      "summary: there is no file nofile.safetensors", from: ["summary", "nofile.safetensors"])
    try workplace.expect(
      "summary: --input is for networks in notation, resnet18 says its own",
      from: ["summary", "resnet18", "--input", "1x28x28"])
  }

  @Test func shapesOfSamples() throws {
    try workplace.expect(
      """
      summary: samples of 28x28x1 do not fit the network
        hint: the channels come first, as in --input 1x28x28
      """, from: ["summary", "20C5 MP2 10FC", "--input", "28x28x1"])
    for shape in ["1x28x28x", "28,28", "1x0x28", "1x100000x28", "x", ""] {
      let outcome = try workplace.agnesi("summary", "10FC", "--input", shape)
      #expect(
        outcome.errors.hasPrefix("summary: --input \(shape) is no shape of sizes in 1...99999\n"),
        "\(outcome.errors)")
    }
    let large = try workplace.agnesi(
      "summary", "10FC", "--input", "99999x99999x99999x99999x99999", "--batch", "1000000")
    #expect(large.status == 0, "\(large.errors)")
    #expect(try workplace.agnesi("summary", "10FC", "--input", "1X28×28").status == 0)
  }

  /// On a narrow screen what layers do takes more lines, and nothing is cut off.
  @Test func aNarrowScreen() throws {
    let networks = ["resnet18", "googlenet", "mobilenet-v2", "vgg16"]
    for arguments in networks.map({ [$0] }) + networks.map({ [$0, "--depth", "all"] }) {
      let outcome = try workplace.agnesi(
        ["summary"] + arguments, environment: ["COLUMNS": "80"])
      #expect(!outcome.output.contains("…"), "\(outcome.output)")
      for line in outcome.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
  }

  @Test(arguments: [["models"], ["data"]]) func lists(_ arguments: [String]) throws {
    let outcome = try workplace.agnesi(
      arguments, environment: ["COLUMNS": "80", "AGNESI_DATA": workplace.path("none")])
    for line in outcome.output.split(separator: "\n") {
      // An address is not broken.
      #expect(line.count <= 80 || !line.drop { $0 == " " }.contains(" "), "\(line)")
    }
  }

  @Test func summaryOfAnONNXFileIsThatOfTheModel() throws {
    let (model, onnx) = (workplace.path("bars.safetensors"), workplace.path("bars.onnx"))
    try workplace.train("bars.safetensors")
    try #require(try workplace.agnesi("export", model, onnx).status == 0)
    let record = try summary(model)
    let imported = try summary(onnx)
    // The file holds the scaling of the data as well: a factor and an offset.
    #expect(imported.parameters == 2492)
    #expect(record.parameters == 2490)
    #expect(imported.multiplyAdds == 2464)
    #expect(imported.layers.map(\.output).suffix(2) == [[16], [10]])
    #expect(record.layers.map(\.output) == [[16], [10]])
    let memory = SummaryLine.Memory(batch: 8, parameters: 9960, training: 5440, inference: 5120)
    #expect(record.memory == memory)
  }

  private struct SummaryLine: Decodable {
    struct Layer: Decodable { var output: [Int] }
    struct Memory: Decodable, Equatable {
      var batch: Int
      var parameters: Int
      var training: Int
      var inference: Int
    }
    var layers: [Layer]
    var parameters: Int
    var multiplyAdds: Int
    var memory: Memory
  }

  private func summary(_ network: String) throws -> SummaryLine {
    let outcome = try workplace.agnesi("summary", network, "--json", "--batch", "8")
    #expect(outcome.errors == "")
    return try JSONDecoder().decode(SummaryLine.self, from: Data(outcome.output.utf8))
  }

  @Test func listsDataSets() throws {
    let folder = try workplace.folder.makeFolder("library")
    // Found first in the user's folder, before the place of a distribution's package.
    let clothes = try workplace.folder.makeFolder("library/fashion-mnist")
    try Bars.write(10, "train", to: clothes)
    try Bars.write(10, "t10k", to: clothes)
    let expected = """
      mnist: handwritten digits: 60000 + 10000 grey images of 28 × 28
        not in \(folder)/mnist
        to get it: agnesi data --get mnist (12 MB from ossci-datasets.s3.amazonaws.com)
      fashion-mnist: clothes: 60000 + 10000 grey images of 28 × 28
        found in \(folder)/fashion-mnist
      cifar10: photos of ten kinds: 50000 + 10000 colour images of 32 × 32
        not in \(folder)/cifar10
        to get it: agnesi data --get cifar10 (170 MB from www.cs.toronto.edu)

      """
    let outcome = try workplace.agnesi(["data"], environment: ["AGNESI_DATA": folder])
    #expect(outcome.output == expected)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test(arguments: [
    ([], "agnesi summary \"20C5 MP2 50C5 MP2 256FC 10FC\" --input 1x28x28"),
    (["train"], "agnesi train --resume digits.checkpoint.safetensors"),
    (["evaluate"], "agnesi evaluate digits.safetensors mnist --data folder --json"),
    (["predict"], "agnesi predict model.safetensors picture.npy"),
    (["summary"], "agnesi summary model.safetensors"),
    (["data"], "agnesi data --get mnist"),
    (["tune"], "agnesi tune model.safetensors --batch 1 --dry-run"),
  ])
  func helpShowsExamples(_ command: [String], _ example: String) throws {
    let outcome = try workplace.agnesi(command + ["--help"])
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    let parts = outcome.output.components(separatedBy: "EXAMPLES\n")
    try #require(parts.count == 2)
    #expect(parts[1].contains("  \(example)\n"))
    #expect(parts[0].hasPrefix("OVERVIEW: "))
  }

  @Test func version() throws {
    #expect(try workplace.agnesi("--version").output == "0.1.0\n")
  }
}
