import Agnesi
import Foundation
import TestSupport
import Testing

#if os(Linux)
  import Glibc

  /// What a step of training allocates: counted in a process of its own, whose allocator is ours.
  @Suite struct AllocationTests {
    private static let reportKey = "AGNESI_ALLOCATION_REPORT"

    private struct Report: Codable {
      /// Per step, with two and with six layers.
      var shallow: Double
      var deep: Double
      /// Of the resident set over the last thousand steps, in bytes.
      var growth: Int
    }

    /// Counts the allocations of each thread and passes them on.
    private static let counter = """
      #include <errno.h>
      #include <stddef.h>
      extern void *__libc_malloc(size_t);
      extern void *__libc_calloc(size_t, size_t);
      extern void *__libc_realloc(void *, size_t);
      extern void *__libc_memalign(size_t, size_t);
      static __thread long count __attribute__((tls_model("initial-exec")));
      long agnesi_test_allocations(void) { return count; }
      void *malloc(size_t n) { count++; return __libc_malloc(n); }
      void *calloc(size_t n, size_t m) { count++; return __libc_calloc(n, m); }
      void *realloc(void *p, size_t n) { count++; return __libc_realloc(p, n); }
      void *memalign(size_t a, size_t n) { count++; return __libc_memalign(a, n); }
      void *aligned_alloc(size_t a, size_t n) { count++; return __libc_memalign(a, n); }
      int posix_memalign(void **p, size_t a, size_t n) {
        count++;
        *p = __libc_memalign(a, n);
        return *p || !n ? 0 : ENOMEM;
      }
      """

    private static var isChild: Bool { ProcessInfo.processInfo.environment[reportKey] != nil }

    @Test(.enabled(if: !isChild)) func aStepAllocatesWhatItHandsOut() throws {
      let folder = try TemporaryFolder()
      let source = try folder.write(Self.counter.utf8, to: "counter.c")
      let library = folder.path("counter.so")
      try Self.run("/usr/bin/env", ["cc", "-O1", "-shared", "-fPIC", "-o", library, source])
      try Self.run(
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
        ["--testing-library", "swift-testing", "--filter", "theStepsOfTheChild"],
        [
          "LD_PRELOAD": library, Self.reportKey: folder.path("report"), "AGNESI_THREADS": "1",
        ])
      let report = try JSONDecoder().decode(Report.self, from: Data(folder.read("report")))
      // Four more layers, the same outputs: what the steps themselves need is there already.
      #expect(report.deep == report.shallow, "\(report)")
      // Two outputs: each an array with its memory, shape and strides; lists of them.
      #expect(report.shallow <= 24, "\(report)")
      #expect(report.shallow > 0, "\(report)")
      #expect(report.growth < 1 << 20, "\(report)")
    }

    /// Runs in the process that the test above starts.
    @Test(.enabled(if: isChild, "only in a process of its own"))
    func theStepsOfTheChild() throws {
      let path = try #require(ProcessInfo.processInfo.environment[Self.reportKey])
      let shallow = try Self.step(layers: 2)
      let deep = try Self.step(layers: 6)
      let counts = (try Self.allocations(shallow), try Self.allocations(deep))
      let before = Self.residentBytes()
      for _ in 0..<1000 { _ = try Self.call(deep) }
      let report = Report(
        shallow: Double(counts.0) / 1000, deep: Double(counts.1) / 1000,
        growth: Self.residentBytes() - before)
      try JSONEncoder().encode(report).write(to: URL(fileURLWithPath: path))
    }

    private static func step(layers: Int) throws -> Function {
      let image = Tensor.input("image", [.batch, 20])
      let label = Tensor.input("label", [.batch], .int32)
      let hidden = (1..<layers).map { _ in Dense(units: 16, activation: .relu) }
      let logits = Chain(hidden + [Dense(units: 4)])(image)
      let loss = softmaxCrossEntropy(logits, label).mean()
      let mistakes = (logits.argMax(axis: 1).cast(to: .int32) .!= label).sum()
      let updates = Optimizer.nesterov().updates(
        of: loss, parameters: logits.parameters(.trainable), rate: 0.01)
      return try compile([image, label], to: [loss, mistakes], updates: updates)
    }

    private static let image = NDArray(
      rounding: (0..<640).map { Double($0 % 13) / 13 }, shape: [32, 20], .float32)
    private static let label = NDArray((0..<32).map { Int32($0 % 4) })

    private static func call(_ step: Function) throws -> Double {
      try step(image, label)[0].scalar
    }

    /// Of this thread in a thousand steps, after a hundred.
    private static func allocations(_ step: Function) throws -> Int {
      typealias Count = @convention(c) () -> Int
      let symbol = try #require(dlsym(nil, "agnesi_test_allocations"))
      let count = unsafeBitCast(symbol, to: Count.self)
      for _ in 0..<100 { _ = try call(step) }
      let before = count()
      for _ in 0..<1000 { _ = try step(image, label) }
      return count() - before
    }

    private static func residentBytes() -> Int {
      let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
      let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func run(
      _ program: String, _ arguments: [String], _ environment: [String: String] = [:]
    ) throws {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = pipe
      try process.run()
      let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      try require(process.terminationStatus == 0, "\(program) failed:\n\(text)")
    }
  }
#endif
