import Foundation

/// What became of ONNX's own tests on a backend: counts, and each refusal under its reason.
struct BackendReport {
  let backend: String
  private(set) var counts = (passed: 0, refused: 0, wrong: 0)
  private var refused: [String: [String]] = [:]
  private var wrong: [String] = []

  init(backend: String) { self.backend = backend }

  mutating func add(_ name: String, _ outcome: BackendCase.Outcome) {
    switch outcome {
    case .passed: counts.passed += 1
    case .refused(let text):
      counts.refused += 1
      refused[Self.reason(text), default: []].append(name)
    case .wrong(let text):
      counts.wrong += 1
      wrong.append("\(name): \(text)")
    }
  }

  /// The words that many refusals share: the operator, without its version, the node and the file.
  static func reason(_ text: String) -> String {
    let line = String(text.prefix { $0 != "\n" })
    if let match = line.firstMatch(of: #/ \(([\w.]+), operator set \d+\): (.*)/#) {
      return "\(match.1): \(match.2)"
    }
    if let match = line.wholeMatch(of: #/cannot read .* as ONNX: (.*)/#) { return String(match.1) }
    return line.replacing(#/^model \S+: /#, with: "")
  }

  /// The commonest reasons first.
  var text: String {
    let all = counts.passed + counts.refused + counts.wrong
    var lines = [
      "\(backend): \(all) cases, \(counts.passed) passed, \(counts.refused) refused, "
        + "\(counts.wrong) wrong"
    ]
    lines += wrong.map { "WRONG \($0)" }
    let reasons = refused.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
    for (reason, names) in reasons {
      lines.append("\(names.count) × \(reason)")
      lines += names.map { "    \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
