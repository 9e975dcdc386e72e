import AgnesiArrays

/// Why a part of a file is refused; who opened the file adds its path and format.
struct FormatProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// A name out of a file, fit for a line of text: quoted, and cut where it is long.
  static func quoted(_ name: String) -> String {
    let shown = name.count > 80 ? String(name.prefix(80)) + "…" : name
    return StrictJSON.quoted(shown)
  }

  /// Runs `body`, and makes what it refuses an error of the file at `path`.
  static func naming<Result>(
    _ path: String, _ format: String, _ action: FormatError.Action = .read,
    _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch let problem as FormatProblem {
      throw FormatError(action, path: path, format: format, reason: problem.description)
    }
  }
}

/// How many bytes may still be allocated for a file's content beside its mapping.
///
/// A few bytes of a hostile file can ask for much memory: by compression, or by naming the same data
/// again and again.
final class MemoryBudget {
  private let limit: Int
  private var used = 0

  /// - Parameter fileSize: 32 times as much may be allocated, and 64 MiB in any case. Trained weights
  ///   hardly compress; pruned ones may, some ten times.
  init(fileSize: Int) {
    let (product, overflows) = fileSize.multipliedReportingOverflow(by: 32)
    limit = overflows ? .max : max(product, 64 << 20)
  }

  /// Bytes that may still be allocated.
  var remaining: Int { limit - used }

  /// Takes `count` bytes out of the budget.
  func charge(_ count: Int, for purpose: String) throws(FormatProblem) {
    guard count >= 0, count <= limit - used else {
      throw FormatProblem(
        "\(purpose) takes \(count) bytes, which with \(used) bytes before is more than the "
          + "\(limit) bytes that are allowed for a file of this size")
    }
    if let shortage = Memory.shortage(Memory.Demand(purpose, "", bytes: count)) {
      let left = Memory.text(shortage.available ?? 0)
      throw FormatProblem("\(purpose) takes \(count) bytes, \(left) of memory are left")
    }
    used += count
  }
}
