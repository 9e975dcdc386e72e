import AgnesiArrays
import CAgnesi

/// Loops that do one thing as fast as the processor can, on the threads and through the compiler that
/// all kernels use.
struct PeakKernels {
  private let unit: CompiledUnit
  private let threads: Int
  private let effort: MachineLimits.Effort

  /// Compiles the loops for `threads` threads.
  init(threads: Int, effort: MachineLimits.Effort) throws(KernelCompilationError) {
    self.threads = threads
    self.effort = effort
    unit = try KernelCompiler(math: CMath.source)
      .compile(source: Self.source, names: Kind.allCases.map(\.rawValue))
  }

  /// What a loop does.
  enum Kind: String, CaseIterable {
    /// Multiplies and adds in registers.
    case multiplyAdd = "agnesi_peak_multiply_add"
    /// Sums memory.
    case read = "agnesi_peak_read"
    /// Reads memory and writes it elsewhere.
    case copy = "agnesi_peak_copy"
    /// Reads memory and writes it back, changed.
    case update = "agnesi_peak_update"
  }

  /// Multiplications and additions of a second, each counted.
  func operationsPerSecond() throws(KernelCompilationError) -> Double {
    let rounds = effort.multiplyAdds
    let seconds = try seconds(.multiplyAdd, vectors: 1, rounds: rounds)
    let operations = 2 * Self.chains * Self.lanes * rounds * threads
    return Double(operations) / seconds
  }

  /// Bytes read or written in a second where all threads together go over `workingSet` bytes again
  /// and again.
  func bytesPerSecond(
    _ kind: Kind, workingSet: Int
  ) throws(KernelCompilationError) -> Double {
    let arrays = kind == .copy ? 2 : 1
    let vector = 4 * Self.lanes
    let unit = arrays * threads * vector * Self.streams
    let vectors = max(1, workingSet / unit) * Self.streams
    let touched = vectors * vector * threads
    // Enough passes for some milliseconds.
    let rounds = max(1, effort.bytes / (touched * arrays))
    let seconds = try seconds(kind, vectors: vectors, rounds: rounds)
    let passes = kind == .read ? 1 : 2
    return Double(touched * passes * rounds) / seconds
  }

  /// The shortest time of some runs, after one to warm up.
  private func seconds(
    _ kind: Kind, vectors: Int, rounds: Int
  ) throws(KernelCompilationError) -> Double {
    guard let function = unit[kind.rawValue] else {
      throw .loading("the compiled unit has no function \(kind.rawValue)")
    }
    let count = vectors * Self.lanes * threads
    // Only a copy has a second array.
    let arrays = [count, kind == .copy ? count : 0].map { NDArray(zeros: [$0], .float32) }
    var slots: [UnsafeMutableRawPointer?] = arrays.map(\.storage.base)
    let sizes = [Int64(rounds), Int64(vectors)]
    var best = Double.infinity
    for _ in 0...effort.repeats {
      let elapsed = [Int32(0), 1].withUnsafeBufferPointer { order in
        sizes.withUnsafeBufferPointer { sizes in
          var step = agnesi_step()
          step.kernel = function
          (step.slots, step.slot_count) = (order.baseAddress, Int32(order.count))
          (step.sizes, step.extent) = (sizes.baseAddress, Int64(threads))
          step.threads = Int32(threads)
          var elapsed = 0.0
          _ = agnesi_run_on(agnesi_shared_executor(), &step, 1, &slots, &elapsed)
          return elapsed
        }
      }
      best = min(best, elapsed)
    }
    return withExtendedLifetime(arrays) { best }
  }

  private static let lanes = Int(agnesi_vector_lanes())
  /// So many sums hide the latency of one, and leave registers for the factors everywhere.
  private static let chains = 12
  /// The hardware reads several ranges at once faster than one.
  private static let streams = 8

  private static var source: String {
    let chains = (0..<chains).map { "a\($0)" }
    let streams = (0..<streams).map { $0 }
    return """
      #include <stdint.h>
      typedef float lanes __attribute__((vector_size(\(4 * lanes))));
      #ifdef __clang__
      #define AGNESI_CONTRACTED _Pragma("clang fp contract(fast)")
      #define AGNESI_PEAK
      #else
      #define AGNESI_CONTRACTED
      #define AGNESI_PEAK __attribute__((optimize("fp-contract=fast")))
      #endif
      AGNESI_PEAK void \(Kind.multiplyAdd.rawValue)(
          void *const *args, const int64_t *sizes, int64_t begin, int64_t end) {
        AGNESI_CONTRACTED
        lanes *const out = (lanes *)args[0] + begin;
        const lanes x = out[0], y = out[0];
        lanes \(chains.map { "\($0) = x" }.joined(separator: ", "));
        for (int64_t i = 0; i < sizes[0]; ++i) {
          \(chains.map { "\($0) = \($0) * x + y;" }.joined(separator: " "))
        }
        out[0] = \(chains.joined(separator: " + "));
      }
      void \(Kind.read.rawValue)(
          void *const *args, const int64_t *sizes, int64_t begin, int64_t end) {
        lanes *const p = (lanes *)args[0] + begin * sizes[1];
        const int64_t n = sizes[1] / \(Self.streams);
        lanes \(streams.map { "s\($0) = {0}" }.joined(separator: ", "));
        for (int64_t round = 0; round < sizes[0]; ++round) {
          for (int64_t i = 0; i < n; ++i) {
            \(streams.map { "s\($0) += p[\($0) * n + i];" }.joined(separator: " "))
          }
        }
        p[0] = \(streams.map { "s\($0)" }.joined(separator: " + "));
      }
      void \(Kind.copy.rawValue)(
          void *const *args, const int64_t *sizes, int64_t begin, int64_t end) {
        const lanes *const p = (lanes *)args[0] + begin * sizes[1];
        lanes *const q = (lanes *)args[1] + begin * sizes[1];
        const int64_t n = sizes[1] / \(Self.streams);
        for (int64_t round = 0; round < sizes[0]; ++round) {
          for (int64_t i = 0; i < n; ++i) {
            \(streams.map { "q[\($0) * n + i] = p[\($0) * n + i];" }.joined(separator: " "))
          }
        }
      }
      void \(Kind.update.rawValue)(
          void *const *args, const int64_t *sizes, int64_t begin, int64_t end) {
        lanes *const p = (lanes *)args[0] + begin * sizes[1];
        const int64_t n = sizes[1] / \(Self.streams);
        for (int64_t round = 0; round < sizes[0]; ++round) {
          for (int64_t i = 0; i < n; ++i) {
            \(streams.map { "p[\($0) * n + i] += 1;" }.joined(separator: " "))
          }
        }
      }
      """
  }
}
