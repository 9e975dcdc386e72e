import Agnesi
import Foundation
import Testing

/// ONNX's own tests of its operators: each passes or is refused, and none gives other numbers.
///
/// They come with the Python package `onnx` (`onnx/backend/test/data`, of 1.17.0 for all of them); the
/// variable AGNESI_ONNX_TESTS names the folder. AGNESI_ONNX_REPORT names a file for what became of each.
@Suite(.enabled(if: BackendCase.folder != nil, "AGNESI_ONNX_TESTS names no folder"))
struct BackendTests {
  @Test func nothingIsWrong() throws {
    let cases = BackendCase.all(in: BackendCase.folder ?? "")
    #expect(cases.count > 100)
    var lines: [String] = []
    var counts = (passed: 0, refused: 0)
    let backend: any Backend =
      ProcessInfo.processInfo.environment["AGNESI_ONNX_BACKEND"] == "cpu" ? .cpu : .reference
    for one in cases {
      switch one.run(on: backend) {
      case .passed:
        counts.passed += 1
        lines.append("passed \(one.name)")
      case .refused(let why):
        counts.refused += 1
        lines.append("refused \(one.name): \(why.split(separator: "\n").first ?? "")")
      case .wrong(let what):
        lines.append("WRONG \(one.name): \(what)")
        Issue.record("\(one.name): \(what)")
      }
    }
    lines.append("\(cases.count) cases, \(counts.passed) passed, \(counts.refused) refused")
    if let path = ProcessInfo.processInfo.environment["AGNESI_ONNX_REPORT"] {
      try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }
    #expect(counts.passed * 2 > cases.count)
  }
}
