import Agnesi
import Foundation
import Testing

/// ONNX's own tests of its operators: each passes or is refused, and none gives other numbers.
///
/// They come with the Python package `onnx` (`onnx/backend/test/data`, of 1.17.0 for all of them);
/// `make onnx-tests` fetches it. The variable AGNESI_ONNX_TESTS names the folder, AGNESI_ONNX_REPORT a
/// folder for what became of each case.
@Suite(.enabled(if: BackendCase.folder != nil, "AGNESI_ONNX_TESTS names no folder"))
struct BackendTests {
  static let backends: [any Backend] = [Reference(), CPU()]

  @Test(arguments: backends) func nothingIsWrong(_ backend: any Backend) throws {
    let cases = BackendCase.all(in: BackendCase.folder ?? "")
    #expect(cases.count > 100)
    var report = BackendReport(backend: backend.name)
    for one in cases {
      let outcome = one.run(on: backend)
      report.add(one.name, outcome)
      if case .wrong(let what) = outcome { Issue.record("\(one.name): \(what)") }
    }
    if let folder = ProcessInfo.processInfo.environment["AGNESI_ONNX_REPORT"] {
      let path = "\(folder)/\(backend.name).txt"
      try report.text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    #expect(report.counts.passed * 2 > cases.count)
  }
}

@Suite struct BackendReportTests {
  @Test func refusalsStandUnderTheirReasons() {
    var report = BackendReport(backend: "cpu")
    report.add("node/a", .passed)
    for (name, node) in [("node/c", "node 0"), ("node/b", "node \"x\"")] {
      report.add(
        name,
        .refused("model /path/to: \(node) (LSTM, operator set 22): no\n  hint: another"))
    }
    report.add("node/d", .refused("cannot read /some path/in.pb as ONNX: it holds text"))
    report.add("node/e", .refused("model /path: its graph has no outputs"))
    report.add("node/f", .wrong("1 expected, got 2"))
    #expect(
      report.text == """
        cpu: 6 cases, 1 passed, 4 refused, 1 wrong
        WRONG node/f: 1 expected, got 2
        2 × LSTM: no
            node/c
            node/b
        1 × it holds text
            node/d
        1 × its graph has no outputs
            node/e

        """)
  }
}
