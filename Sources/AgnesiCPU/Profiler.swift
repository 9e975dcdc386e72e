import AgnesiCompiler
import AgnesiExpressions
import Synchronization

/// Where the time of compiled functions goes: hand one to ``CPU`` and print it after some calls.
public final class Profiler: Sendable {
  /// One step of a function: a kernel or a library call.
  public struct Entry: Sendable {
    /// The operations that the step computes.
    public let label: String
    /// Where the user wrote the first of them.
    public let site: Site?
    /// What the library calls its kernel for it, such as `jit:avx512_core`; nil for other steps.
    public let implementation: String?
    public var calls: Int
    /// Over all calls.
    public var seconds: Double
  }

  private struct Key: Hashable {
    let program: ObjectIdentifier
    let step: Int
  }

  private let entries = Mutex<[Key: Entry]>([:])

  public init() {}

  func add(
    _ lowered: LoweredProgram, _ implementations: [Int: String], _ plan: AnyObject,
    _ seconds: UnsafePointer<Double>
  ) {
    entries.withLock { entries in
      for (index, step) in lowered.steps.enumerated() {
        let key = Key(program: ObjectIdentifier(plan), step: index)
        var entry =
          entries[key]
          ?? Entry(
            label: step.label, site: step.site, implementation: implementations[index], calls: 0,
            seconds: 0)
        entry.calls += 1
        entry.seconds += seconds[index]
        entries[key] = entry
      }
    }
  }

  /// All steps that ran, the most expensive first.
  public var steps: [Entry] {
    entries.withLock { $0.values.sorted { $0.seconds > $1.seconds } }
  }
}

extension Profiler: CustomStringConvertible {
  /// A table: milliseconds for each call, share of the whole, calls, what, and where it was written.
  public var description: String {
    let steps = steps
    let total = steps.reduce(0) { $0 + $1.seconds }
    let rows = steps.map { entry in
      let each = entry.seconds / Double(max(1, entry.calls)) * 1000
      let share = total > 0 ? entry.seconds / total * 100 : 0
      let numbers = [each, share].map { number -> String in
        let text = String((number * 1000).rounded() / 1000)
        return String(repeating: " ", count: max(0, 9 - text.count)) + text
      }
      let words = [entry.label, entry.implementation, entry.site?.description].compactMap { $0 }
      return
        "\(numbers[0]) ms \(numbers[1]) %  \(entry.calls) × \(words.joined(separator: " "))"
    }
    return rows.joined(separator: "\n")
  }
}
