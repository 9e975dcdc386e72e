import Agnesi
import Foundation

/// What this machine can do at most, measured.
struct MachineLimits {
  var threads: Int
  /// Additions and multiplications of a second, float32.
  var operations: Double
  /// From the smallest working set to the largest.
  var memory: [Memory]

  /// Bytes of a second where the program goes over `workingSet` bytes again and again.
  struct Memory {
    var workingSet: Int
    var read: Double
    /// Both the bytes read and those written count.
    var copy: Double
    var update: Double
  }

  /// Half of the second caches to well beyond the last one.
  private static let workingSets = [1 << 19, 1 << 23, 1 << 25, 1 << 29]

  /// Takes a few seconds, on a machine that does nothing else.
  static func measured(threads: Int) throws -> MachineLimits {
    let kernels = try PeakKernels(threads: threads)
    return MachineLimits(
      threads: threads, operations: try kernels.operationsPerSecond(),
      memory: try workingSets.map { size in
        Memory(
          workingSet: size, read: try kernels.bytesPerSecond(.read, workingSet: size),
          copy: try kernels.bytesPerSecond(.copy, workingSet: size),
          update: try kernels.bytesPerSecond(.update, workingSet: size))
      })
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
    let fitting = memory.last { $0.workingSet <= work.bytes } ?? memory[0]
    let changed = 2 * Double(work.changedBytes) / max(fitting.update, fitting.copy)
    return Double(work.readBytes) / fitting.read + changed
      + Double(work.writtenBytes) / max(fitting.update, fitting.copy)
  }
}

extension MachineLimits: CustomStringConvertible {
  /// A table in Markdown.
  var description: String {
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
