import AgnesiArrays

/// What this machine can do at most, measured: what a profile holds the steps of a function against.
public struct MachineLimits: Sendable, Equatable {
  /// The threads that were measured together.
  public var threads: Int
  /// Additions and multiplications of a second, float32.
  public var operations: Double
  /// From the smallest working set to the largest; never empty.
  public var memory: [Memory]

  /// Bytes of a second where the program goes over `workingSet` bytes again and again.
  public struct Memory: Sendable, Equatable {
    /// Bytes.
    public var workingSet: Int
    /// Bytes read.
    public var read: Double
    /// Both the bytes read and those written count.
    public var copy: Double
    /// Both the bytes read and those written back count.
    public var update: Double

    package init(workingSet: Int, read: Double, copy: Double, update: Double) {
      self.workingSet = workingSet
      self.read = read
      self.copy = copy
      self.update = update
    }
  }

  /// How long a measurement takes.
  package struct Effort: Sendable {
    /// Bytes that memory is measured with.
    package var workingSets: [Int]
    /// Runs of each loop after one to warm up; the shortest counts.
    package var repeats: Int
    /// Bytes that a run goes over.
    package var bytes: Int
    /// Steps of the chains of multiplications.
    package var multiplyAdds: Int

    /// Some tenths of a second; the largest working set is just beyond usual caches.
    package static let quick = Effort(
      workingSets: [1 << 19, 1 << 23, 1 << 25, 1 << 27], repeats: 5, bytes: 1 << 26,
      multiplyAdds: 1_000_000)
    /// A few seconds.
    package static let thorough = Effort(
      workingSets: [1 << 19, 1 << 23, 1 << 25, 1 << 29], repeats: 5, bytes: 1 << 28,
      multiplyAdds: 4_000_000)
  }

  /// The limits of this machine for so many threads: those that the cache folder has, else measured
  /// in less than half a second and kept there.
  ///
  /// What other programs take while it measures is missing in the result; `agnesi-bench limits`
  /// measures anew, with more patience, and keeps that.
  public static func measured(
    threads: Int = CPU.threads
  ) throws(KernelCompilationError) -> MachineLimits {
    try measured(threads: threads, folder: CompileCache.standard.folder)
  }

  package static func measured(
    threads: Int, folder: String
  ) throws(KernelCompilationError) -> MachineLimits {
    if let kept = kept(threads: threads, folder: folder) { return kept }
    let limits = try MachineLimits(measuring: threads, effort: .quick)
    limits.keep(in: folder)
    return limits
  }

  /// Measures, on a machine that should do nothing else meanwhile.
  package init(measuring threads: Int, effort: Effort) throws(KernelCompilationError) {
    let kernels = try PeakKernels(threads: threads, effort: effort)
    var memory: [Memory] = []
    for size in effort.workingSets {
      memory.append(
        Memory(
          workingSet: size, read: try kernels.bytesPerSecond(.read, workingSet: size),
          copy: try kernels.bytesPerSecond(.copy, workingSet: size),
          update: try kernels.bytesPerSecond(.update, workingSet: size)))
    }
    self.init(threads: threads, operations: try kernels.operationsPerSecond(), memory: memory)
  }

  package init(threads: Int, operations: Double, memory: [Memory]) {
    self.threads = threads
    self.operations = operations
    self.memory = memory
  }

  /// The speed of memory that no program exceeds which moves `bytes`: that of the largest working set
  /// that is not larger.
  package func memory(forBytes bytes: Double) -> Memory {
    memory.last { Double($0.workingSet) <= bytes } ?? memory[0]
  }
}

extension MachineLimits {
  /// The most bytes of a second that a program reads and writes which moves so many.
  ///
  /// A smaller working set is never slower, whatever short measurements say.
  public func bytesPerSecond(moving bytes: Double) -> Double {
    let first = memory(forBytes: bytes).workingSet
    return memory.filter { $0.workingSet >= first }.map(\.fastest).max() ?? 0
  }
}

extension MachineLimits.Memory {
  /// The fastest of the three, in bytes of a second.
  public var fastest: Double { max(read, copy, update) }
}

// MARK: Kept on disk

extension MachineLimits {
  /// Lines of numbers: operations, then for each working set its bytes and the three speeds.
  private var text: String {
    let levels = memory.map { "\($0.workingSet) \($0.read) \($0.copy) \($0.update)" }
    return (["\(operations)"] + levels).joined(separator: "\n") + "\n"
  }

  /// Nil where `text` is anything else.
  private init?(threads: Int, text: String) {
    let lines = text.split(separator: "\n").map { line in
      line.split(separator: " ").compactMap { Double($0) }.filter { $0.isFinite && $0 > 0 }
    }
    guard lines.count > 1, lines[0].count == 1, lines.dropFirst().allSatisfy({ $0.count == 4 })
    else { return nil }
    self.init(
      threads: threads, operations: lines[0][0],
      memory: lines.dropFirst().map { numbers in
        Memory(
          workingSet: Int(min(numbers[0], 0x1p60)), read: numbers[1], copy: numbers[2],
          update: numbers[3])
      })
  }

  /// Where the limits of this processor with so many threads lie.
  private static func path(threads: Int, folder: String) -> String {
    let key = Array("\(Processor.identity)\u{0}\(threads)".utf8)
    let number = key.withUnsafeBytes { CheckSum.of($0, seed: 2) }
    return "\(folder)/limits/\(String(number, radix: 16)).txt"
  }

  private static func kept(threads: Int, folder: String) -> MachineLimits? {
    guard let bytes = try? FileBytes.read(path(threads: threads, folder: folder), limit: 4096)
    else { return nil }
    return MachineLimits(threads: threads, text: String(decoding: bytes, as: UTF8.self))
  }

  /// Puts them into the cache folder; where that cannot be written, the next process measures again.
  package func keep(in folder: String = CompileCache.standard.folder) {
    let path = Self.path(threads: threads, folder: folder)
    try? Folders.make("\(folder)/limits")
    try? AtomicFile.write(Array(text.utf8), to: path)
  }
}
