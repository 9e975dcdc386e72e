import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Memory of a plan that is on its way while the C compiler runs.
///
/// The system hands out pages when they are touched first, which for the gigabytes of a large network
/// takes as long as a step. The compiler works on one core, so another one can do this meanwhile:
/// first values of parameters (those of update rules above all, which nobody has asked for yet), then
/// the block in which temporaries lie. What is not ready when the compiler is, is left to the step.
final class FirstTouch: Sendable {
  /// Where temporaries lie.
  let plan: MemoryPlan
  private let block: ArrayStorage
  private let isStopped = Atomic(false)
  private let end = DispatchSemaphore(value: 0)

  /// Pages are touched in parts of so many bytes: waiting for one to end costs some milliseconds.
  private static let part = 16 << 20

  /// Begins.
  init(_ program: LoweredProgram, sizes: [String: Int]) {
    plan = MemoryPlan(program, sizes: sizes)
    block = ArrayStorage(uninitialized: plan.byteCount)
    let parameters = program.buffers.compactMap { buffer -> Parameter? in
      switch buffer.kind {
      case .parameter(let parameter), .inPlace(let parameter): parameter
      default: nil
      }
    }
    DispatchQueue.global(qos: .userInitiated).async { [self] in
      for parameter in parameters where !isStopped.load(ordering: .relaxed) {
        _ = parameter.value
      }
      touchBlock()
      end.signal()
    }
  }

  /// The block, once nobody touches it any more; to be called once.
  func finish() -> ArrayStorage {
    isStopped.store(true, ordering: .relaxed)
    end.wait()
    return block
  }

  private func touchBlock() {
    #if canImport(Glibc)
      // Whole pages of the block; the system refuses others.
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let start = Int(bitPattern: block.base)
      let last = (start + block.byteCount) / page * page
      var place = (start + page - 1) / page * page
      while place < last, !isStopped.load(ordering: .relaxed) {
        let count = min(Self.part, last - place)
        let populateWrite: Int32 = 23
        // Older systems do not know this advice; then the step touches the pages.
        let failed = madvise(UnsafeMutableRawPointer(bitPattern: place), count, populateWrite)
        if failed != 0 { return }
        place += count
      }
    #endif
  }
}
