import Agnesi
import Foundation

extension MachineLimits {
  /// Takes a few seconds, on a machine that does nothing else; profiles use the result from now on.
  static func measuredThoroughly(threads: Int) throws -> MachineLimits {
    let limits = try MachineLimits(measuring: threads, effort: .thorough)
    limits.keep()
    return limits
  }

  /// The least time for so many multiplications with an addition.
  func arithmeticBound(_ multiplyAdds: Int) -> Double { 2 * Double(multiplyAdds) / operations }

  /// The least time for `work`, by whatever bounds it more.
  func bound(of work: Work) -> Double {
    max(arithmeticBound(work.fewestMultiplyAdds), memoryBound(of: work))
  }

  /// The bounds as cells of a table: direct arithmetic, the least arithmetic, memory.
  func cells(of work: Work) -> [String] {
    let bounds = [
      arithmeticBound(work.multiplyAdds), arithmeticBound(work.fewestMultiplyAdds),
      memoryBound(of: work),
    ]
    return bounds.map(Cell.time)
  }

  /// The least time to read and write what outlives a step.
  ///
  /// Speeds are those of a working set that is not larger, so that the bound stays one.
  func memoryBound(of work: Work) -> Double {
    let fitting = memory(forBytes: Double(work.bytes))
    let changed = 2 * Double(work.changedBytes) / max(fitting.update, fitting.copy)
    return Double(work.readBytes) / fitting.read + changed
      + Double(work.writtenBytes) / max(fitting.update, fitting.copy)
  }
}

extension MachineLimits {
  /// A table in Markdown.
  var table: String {
    func gigabytes(_ number: Double) -> String { String(format: "%.1f GB/s", number / 1e9) }
    let rows = memory.map { level in
      let size = Double(level.workingSet) / 1_048_576
      return "| memory, \(String(format: "%g", size)) MiB: read, copy, update | "
        + [level.read, level.copy, level.update].map(gigabytes).joined(separator: ", ") + " |"
    }
    return """
      | \(threads) threads | at most |
      |---|---|
      | multiply-adds, float32 | \(String(format: "%.0f", operations / 1e9)) GFLOP/s |
      \(rows.joined(separator: "\n"))
      """
  }
}
