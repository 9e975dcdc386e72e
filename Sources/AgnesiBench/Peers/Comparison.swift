import Agnesi
import Foundation

/// The readings of one workload, taken in turns.
struct Comparison: Codable {
  var workload: Workload
  /// One for each framework and round.
  var readings: [Reading]

  /// A framework's readings as one.
  struct Standing {
    var framework: String
    /// The median of the rounds' medians, so that one bad minute does not count.
    var median: Double
    var first: Double
    var megabytes: Double

    fileprivate init(framework: String, _ readings: [Reading]) {
      self.framework = framework
      median = Self.middle(readings.map(\.median))
      first = Self.middle(readings.map(\.first))
      megabytes = Self.middle(readings.map(\.megabytes))
    }

    private static func middle(_ values: [Double]) -> Double {
      let sorted = values.sorted()
      return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
  }

  /// All frameworks, the fastest first.
  var standings: [Standing] {
    Dictionary(grouping: readings, by: \.framework)
      .map { Standing(framework: $0, $1) }.sorted { $0.median < $1.median }
  }

  /// Ours.
  var own: Standing? { standings.first { $0.framework == "agnesi" } }
  /// The fastest of the others.
  var best: Standing? { standings.first { $0.framework != "agnesi" } }

  /// Our time as a part of the best other one's.
  var ratio: Double? {
    guard let own, let best else { return nil }
    return own.median / best.median
  }

  /// `0.45× PyTorch`
  var summary: String {
    guard let ratio, let best else { return "" }
    return "\(Cell.number(ratio))× \(Peer.titles[best.framework] ?? best.framework)"
  }
}

extension Comparison {
  /// The table of ratios in Markdown.
  static func table(_ comparisons: [Comparison]) -> String {
    let header = [
      "workload", "Agnesi", "best peer", "ratio", "asked for", "first step, peer's",
      "memory, peer's", "others",
    ]
    let rule = header.map { _ in "---" }
    return ([header, rule] + comparisons.map(\.cells)).map(Cell.row).joined(separator: "\n")
  }

  private var cells: [String] {
    guard let own, let best, let ratio else { return ["`\(workload.rawValue)`"] }
    let others = standings.filter { ![own.framework, best.framework].contains($0.framework) }
    func pair(_ text: (Standing) -> String) -> String { "\(text(own)), \(text(best))" }
    return [
      "`\(workload.rawValue)`", Cell.time(own.median),
      "\(Cell.time(best.median)) \(best.title)", "\(Cell.number(ratio))×",
      "\(workload.traits.reach)×", pair { Cell.time($0.first) },
      pair { "\(Int($0.megabytes)) MB" },
      others.map { "\($0.title) \(Cell.time($0.median))" }.joined(separator: ", "),
    ]
  }

  /// Comparisons in a file.
  static func read(from path: String) throws -> [Comparison] {
    let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    return try JSONText.decoded(from: text)
  }

  /// Writes a file of comparisons.
  static func write(_ comparisons: [Comparison], to path: String) throws {
    let text = try JSONText.encoded(comparisons, isPretty: true)
    try AtomicFile.write(Array(text.utf8), to: path)
  }
}

extension Comparison.Standing {
  fileprivate var title: String { Peer.titles[framework] ?? framework }
}
