#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the system says about memory.
package enum SystemMemory {
  #if os(Linux)
    /// The bytes that this process can still take: of the machine with its swap space, of the control
    /// groups that the process is in, and of its own limit, whichever are fewest.
    package static var available: Int? {
      let reading = Reading { path in
        try? InputFile(path, unpacking: false).readPseudoFile()
      }
      return [reading.machine, reading.groups, addressSpace(reading)].compactMap { $0 }.min()
    }

    private static func addressSpace(_ reading: Reading) -> Int? {
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
        limit.rlim_cur < rlim_t(Int.max), let used = reading.virtualBytes
      else { return nil }
      return max(0, Int(limit.rlim_cur) - used)
    }
  #else
    /// The machine's memory: the system swaps into files that grow as needed, so that only what is
    /// more than all of it is surely too much.
    package static var available: Int? {
      var bytes: UInt64 = 0
      var size = MemoryLayout<UInt64>.size
      guard sysctlbyname("hw.memsize", &bytes, &size, nil, 0) == 0 else { return nil }
      return Int(clamping: bytes)
    }
  #endif

  /// Reads what Linux says in files.
  package struct Reading {
    private let file: (String) -> String?

    /// - Parameter file: the text of a file; nil where there is none.
    package init(file: @escaping (String) -> String?) { self.file = file }

    /// Of the machine: what can be had without swapping, and what can be swapped.
    package var machine: Int? {
      guard let text = file("/proc/meminfo"), let free = Self.fields(text)["MemAvailable:"]
      else { return nil }
      return free * 1024 + swapSpace
    }

    /// Of the control groups, from the process's own up to the root; nil where none has a limit.
    package var groups: Int? {
      guard let text = file("/proc/self/cgroup") else { return nil }
      var result: [Int] = []
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { continue }
        if parts[0] == "0" {
          result += Self.levels("/sys/fs/cgroup", parts[2]).compactMap { left(second: $0) }
        } else if parts[1].split(separator: ",").contains("memory") {
          result += Self.levels("/sys/fs/cgroup/memory", parts[2]).compactMap { left(first: $0) }
        }
      }
      return result.min()
    }

    /// The process's address space, in bytes.
    package var virtualBytes: Int? {
      guard let pages = file("/proc/self/statm")?.split(separator: " ").first else { return nil }
      return Int(pages).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }

    /// A group's folder and those above it. In a container the path may be that of the host, of which
    /// only the root is seen.
    private static func levels(_ root: String, _ path: Substring) -> [String] {
      var names = path.split(separator: "/")
      var result = [root]
      while !names.isEmpty {
        result.append("\(root)/\(names.joined(separator: "/"))")
        names.removeLast()
      }
      return result
    }

    /// Version 2. Cached files are given up when memory is short.
    private func left(second folder: String) -> Int? {
      guard let limit = number("\(folder)/memory.max"),
        let used = number("\(folder)/memory.current")
      else { return nil }
      let cached = ["inactive_file", "active_file"]
      return left(limit, used, "\(folder)/memory.stat", cached)
        + min(swapSpace, number("\(folder)/memory.swap.max") ?? .max)
    }

    /// Version 1, whose limit is a huge number where there is none.
    private func left(first folder: String) -> Int? {
      guard let limit = number("\(folder)/memory.limit_in_bytes"), limit < 1 << 60,
        let used = number("\(folder)/memory.usage_in_bytes")
      else { return nil }
      let cached = ["total_inactive_file", "total_active_file"]
      return left(limit, used, "\(folder)/memory.stat", cached) + swapSpace
    }

    private var swapSpace: Int {
      (file("/proc/meminfo").flatMap { Self.fields($0)["SwapFree:"] } ?? 0) * 1024
    }

    private func left(_ limit: Int, _ used: Int, _ statistics: String, _ cached: [String]) -> Int {
      let fields = file(statistics).map(Self.fields) ?? [:]
      let kept = max(0, used - cached.reduce(0) { $0 + (fields[$1] ?? 0) })
      return max(0, limit - kept)
    }

    private func number(_ path: String) -> Int? {
      file(path).flatMap { $0.split(whereSeparator: \.isWhitespace).first }.flatMap { Int($0) }
    }

    /// Lines of a name, a number and perhaps a unit.
    private static func fields(_ text: String) -> [String: Int] {
      var result: [String: Int] = [:]
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.count >= 2, let value = Int(words[1]) else { continue }
        result[String(words[0])] = value
      }
      return result
    }
  }
}

extension InputFile {
  /// The text of a file that says that its size is 0.
  fileprivate func readPseudoFile() throws -> String {
    String(decoding: try readAll(limit: 1 << 20), as: UTF8.self)
  }
}
