import Foundation
import TestSupport
import Testing

/// The benchmark program, from end to end, on its smallest workloads.
@Suite struct BenchTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func bench(_ arguments: [String]) throws -> BuildProducts.Outcome {
    let program = try #require(BuildProducts.path("agnesi-bench"), "the benchmarks were not built")
    return try BuildProducts.run(
      program, arguments, environment: ["AGNESI_CACHE": folder.path("cache")])
  }

  /// The fields of the last line.
  private func reading(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try bench(arguments)
    try #require(outcome.status == 0, "\(outcome.errors)")
    let line = outcome.output.split(separator: "\n").last ?? ""
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(object as? [String: Any])
  }

  @Test func aReadingSaysWhetherCodeWasCompiled() throws {
    let arguments = ["mlp", "--steps", "3", "--batch", "10", "--threads", "1"]
    let first = try reading(arguments)
    #expect(first["framework"] as? String == "agnesi")
    #expect(first["workload"] as? String == "mlp")
    #expect(first["batch"] as? Int == 10)
    #expect(first["threads"] as? Int == 1)
    #expect(first["cache"] as? String == "cold")
    func number(_ key: String) throws -> Double { try #require(first[key] as? Double) }
    #expect(try number("min_s") > 0)
    #expect(try number("min_s") <= number("median_s"))
    #expect(try number("prepare_s") < number("first_s"))
    #expect(try reading(arguments)["cache"] as? String == "warm")
    #expect(try reading(arguments + ["--cold"])["cache"] as? String == "cold")
  }

  @Test func aProfileStandsBeforeTheReading() throws {
    let trace = folder.path("trace.json")
    let outcome = try bench(["lenet-infer", "--steps", "1", "--profile", "--trace", trace])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first?.hasPrefix("100 % for 2 threads: ") == true)
    #expect(lines.dropFirst().first?.hasPrefix("function, batch 1: 5 calls, ") == true)
    #expect(lines.contains { $0.contains(" dense1.weight") })
    #expect(
      lines.contains { $0.contains("pixelsConvolution") && $0.hasSuffix("Classifier.swift:65") })
    #expect(lines.last?.hasPrefix("{") == true)
    let events = try JSONSerialization.jsonObject(with: Data(folder.read("trace.json")))
    #expect(try #require(events as? [[String: Any]]).count > 5 * 5)
  }

  @Test func aTraceIsOfOneWorkload() throws {
    let outcome = try bench(["--trace", folder.path("trace.json")])
    #expect(outcome.errors.hasPrefix("Error: --trace is of one workload\n"))
    #expect(outcome.status == 64)
  }

  @Test func stepsAreAtLeastOne() throws {
    let outcome = try bench(["mlp", "--steps", "0"])
    #expect(outcome.errors.hasPrefix("Error: --steps must be at least 1\n"))
    #expect(outcome.status == 64)
  }

  /// A shell takes the interpreter's place, and knows one framework.
  @Test func peersTakeTurns() throws {
    let script = """
      [ "$1" = jax ] || { echo "no $1" >&2; exit 1; }
      times='"first_s": 5, "median_s": 2000, "min_s": 3, "samples_per_s": 1, "rss_mb": 7'
      echo '{"framework": "jax", "workload": "lenet-infer", "batch": 1, "threads": 2, '$times'}'
      """
    let path = try folder.write(script.utf8, to: "peer")
    let outcome = try bench([
      "peers", "lenet-infer", "--python", "/bin/sh", "--script", path, "--rounds", "2", "--json",
      folder.path("all.json"),
    ])
    try #require(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("lenet-infer torch left out: no torch\n"))
    #expect(outcome.errors.contains("lenet-infer torch-channels-last left out: no torch-chan"))
    let row = outcome.output.split(separator: "\n").last ?? ""
    #expect(row.hasPrefix("| `lenet-infer` | "))
    #expect(row.contains(" | 2000 s JAX | 0.00× | 0.5× | "))
    #expect(row.contains(", 5.00 s | "))
    let file = try JSONSerialization.jsonObject(with: Data(folder.read("all.json")))
    let comparisons = try #require(file as? [[String: Any]])
    let readings = try #require(comparisons.first?["readings"] as? [[String: Any]])
    #expect(readings.map { $0["framework"] as? String } == ["agnesi", "jax", "agnesi", "jax"])
  }

  @Test func accuracyGoesIntoAPage() throws {
    let text = "# A page\n<!-- accuracy: begin -->\nold\n<!-- accuracy: end -->\n"
    let page = try folder.write(text.utf8, to: "page.md")
    let outcome = try bench(["accuracy", "lenet", "--threads", "1", "--page", page])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let written = String(decoding: try folder.read("page.md"), as: UTF8.self)
    #expect(
      written
        == "# A page\n<!-- accuracy: begin -->\n\n\(outcome.output)\n<!-- accuracy: end -->\n")
    let rows = outcome.output.split(separator: "\n").dropFirst(2).map { $0.split(separator: "|") }
    #expect(rows.map { $0[1] } == [" loss ", " result ", " gradients "])
    for cell in rows.joined() where cell.contains("e-") {
      let number = try #require(Double(cell.trimmingCharacters(in: .whitespaces)))
      #expect(number > 0 && number < 1e-3)
    }
  }

  @Test func aPageWithoutMarksIsLeftAlone() throws {
    let page = try folder.write("# A page\n".utf8, to: "page.md")
    let outcome = try bench(["table", page])
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("page.md has no lines <!-- measured: begin --> and"))
    #expect(try folder.read("page.md") == Array("# A page\n".utf8))
  }
}
