#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension TrainingReport {
  /// The computer of a run.
  public struct Machine: Sendable, Equatable {
    /// The processor's name, where the system tells it.
    public var processor: String?
    /// Processors that the system offers to the process.
    public var cores: Int
    /// Threads that computed.
    public var threads: Int
    /// The operating system.
    public var system: String?

    /// A machine with the given parts.
    public init(processor: String? = nil, cores: Int, threads: Int, system: String? = nil) {
      self.processor = processor
      self.cores = cores
      self.threads = threads
      self.system = system
    }

    /// The machine that this process runs on.
    public static func current(threads: Int) -> Machine {
      let processors = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
      let release = try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)
      return Machine(
        processor: processors.flatMap { value(of: "model name", in: $0, separator: ":") },
        cores: ProcessInfo.processInfo.activeProcessorCount, threads: threads,
        system: release.flatMap { value(of: "PRETTY_NAME", in: $0, separator: "=") }
          ?? ProcessInfo.processInfo.operatingSystemVersionString)
    }

    /// The first value of a key in a text of lines `key separator value`, without quotes.
    package static func value(
      of key: String, in text: String, separator: Character
    ) -> String? {
      for line in text.split(whereSeparator: \.isNewline) {
        let parts = line.split(separator: separator, maxSplits: 1)
        guard parts.count == 2, trimmed(parts[0]) == key else { continue }
        let value = trimmed(parts[1])
        return value.isEmpty ? nil : value
      }
      return nil
    }

    private static func trimmed(_ text: Substring) -> String {
      let unwanted: (Character) -> Bool = { $0.isWhitespace || $0 == "\"" }
      let start = text.drop(while: unwanted)
      let end = start.lastIndex { !unwanted($0) }
      return end.map { String(start[...$0]) } ?? ""
    }
  }
}
