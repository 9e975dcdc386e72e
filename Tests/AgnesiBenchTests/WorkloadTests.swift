import Foundation
import TestSupport
import Testing

/// The workloads for networks that nobody tuned for: what they compute, and that they learn.
@Suite struct WorkloadTests {
  /// A workload, with the weights and multiply-adds that PyTorch counts in `Scripts/peers.py`, and
  /// samples that take seconds at most.
  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var weights: Int
    var multiplyAdds: Int
    var batch = 2
    var trains = true

    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "lenet-1998", weights: 61_706, multiplyAdds: 113_196_000, batch: 20),
    Case(name: "lenet-padded", weights: 215_370, multiplyAdds: 875_955_200, batch: 20),
    Case(name: "resnet20", weights: 269_722, multiplyAdds: 15_514_976_256, batch: 8),
    Case(name: "unet", weights: 31_037_698, multiplyAdds: 288_802_996_224, batch: 1),
    Case(
      name: "inception-v3", weights: 23_834_568, multiplyAdds: 5_713_216_096, batch: 1,
      trains: false),
    Case(
      name: "squeezenet", weights: 1_235_496, multiplyAdds: 349_151_936, batch: 1, trains: false),
    Case(
      name: "resnet50", weights: 25_557_032, multiplyAdds: 4_089_184_256, batch: 1, trains: false),
    Case(name: "autoencoder", weights: 1_100_112, multiplyAdds: 370_147_328, batch: 8),
    Case(name: "transformer", weights: 789_760, multiplyAdds: 2_617_245_696),
    Case(name: "dilated", weights: 47_202, multiplyAdds: 9_185_525_760, batch: 1),
    Case(name: "densenet", weights: 1_019_722, multiplyAdds: 50_815_770_624),
    Case(name: "mixer", weights: 165_312, multiplyAdds: 1_207_959_552),
  ]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func output(_ arguments: [String]) throws -> String {
    let program = try #require(BuildProducts.path("agnesi-bench"), "the benchmarks were not built")
    let outcome = try BuildProducts.run(
      program, arguments, environment: ["AGNESI_CACHE": folder.path("cache"), "COLUMNS": "100"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }

  private func object(_ line: some StringProtocol) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(object as? [String: Any])
  }

  @Test func theWorkIsThatOfPyTorch() throws {
    let lines = try output(["work"] + Self.cases.map(\.name)).split(separator: "\n")
    try #require(lines.count == Self.cases.count)
    for (line, expected) in zip(lines, Self.cases) {
      let work = try object(line)
      #expect(work["workload"] as? String == expected.name)
      #expect(work["weights"] as? Int == expected.weights, "\(expected.name)")
      #expect(work["multiply_adds"] as? Int == expected.multiplyAdds, "\(expected.name)")
    }
  }

  /// All steps have the same batch, so that even few of them (warming up counts) make the loss smaller.
  @Test(arguments: cases) func aStepRuns(_ workload: Case) throws {
    let arguments = ["--batch", "\(workload.batch)", "--steps", "1"]
    let text = try output([workload.name, "--threads", "1"] + arguments)
    let reading = try object(text.split(separator: "\n").last ?? "")
    #expect(reading["batch"] as? Int == workload.batch)
    let first = try #require(reading["first_result"] as? Double)
    let last = try #require(reading["last_result"] as? Double)
    if workload.trains { #expect(last < first) } else { #expect(last == first) }
  }

  @Test func helpNamesThem() throws {
    let (short, long) = (try output(["--help"]), try output(["run", "--help"]))
    let words = Set(short.split { $0.isWhitespace || $0 == "," || $0 == ";" }.map(String.init))
    for name in Self.cases.map(\.name) {
      #expect(words.contains(name))
      #expect(long.contains("\(name): "))
    }
  }

  private static let python = "/usr/bin/python3"
  private static var hasPython: Bool { FileManager.default.isExecutableFile(atPath: python) }
  private static let script = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../../Scripts/peers.py").path

  @Test(.enabled(if: hasPython)) func thePeersScriptKnowsThem() throws {
    let outcome = try BuildProducts.run(Self.python, [Self.script, "--list"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let words = outcome.output.split { $0 == " " || $0 == "\n" }.map(String.init)
    let help = try output(["run", "--help"])
    for name in Self.cases.map(\.name) { #expect(words.contains(name)) }
    let named = words[((words.firstIndex(of: "workloads:") ?? 0) + 1)...]
    for name in named { #expect(help.contains("\(name): "), "\(name)") }
  }

  /// One line, since `agnesi-bench peers` shows the last one.
  @Test(.enabled(if: hasPython)) func whatThePeersScriptLacksIsSaid() throws {
    // Isolated (-I) and without source location packages (-S), Python finds nothing that was
    // installed.
    let lacking = try BuildProducts.run(
      Self.python, ["-IS", Self.script, "torch", "mixer", "--steps", "1"])
    #expect(lacking.status == 1)
    #expect(lacking.errors.hasPrefix("peers.py: torch needs the Python package torch: "))
    #expect(lacking.errors.hasSuffix(" -m pip install torch\n"))
    let imageless = try BuildProducts.run(
      Self.python, ["-IS", Self.script, "torch-channels-last", "mixer"])
    #expect(
      imageless.errors
        == "peers.py: torch-channels-last does not run mixer: its network has no images\n")
  }
}
