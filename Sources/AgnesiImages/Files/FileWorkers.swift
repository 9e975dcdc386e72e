import CAgnesiFiles
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What decoding one file may take. Beyond that the file is an error.
public struct DecodingLimits: Sendable, Hashable {
  /// Width times height.
  public var mostPixels: Int
  /// Bytes of memory, the decoded result included, beside the file itself.
  public var memory: Int
  /// Seconds of processor time.
  public var seconds: Int

  /// The limits of these values, each at least 1.
  public init(mostPixels: Int = 100_000_000, memory: Int = 2 << 30, seconds: Int = 30) {
    self.mostPixels = max(mostPixels, 1)
    self.memory = max(memory, 1)
    self.seconds = min(max(seconds, 1), 1_000_000)
  }

  /// 100 million pixels, 2 GiB, 30 seconds.
  public static let standard = DecodingLimits()
}

/// The processes that decode files (`agnesi_files.h` says how): as many as threads ask at once, kept for
/// the next request.
package final class FileWorkers: Sendable {
  /// The program's.
  package static let shared = FileWorkers()

  /// What a worker answered. The result is read in place and released with this.
  package final class Answer: Sendable {
    package let answer: agnesi_answer
    /// Where the result begins, as an address.
    private let result: UInt

    fileprivate init(_ answer: agnesi_answer, _ result: UnsafeRawPointer?) {
      self.answer = answer
      self.result = UInt(bitPattern: result)
    }

    deinit { agnesi_result_release(UnsafeRawPointer(bitPattern: result), answer.size) }

    /// The result's bytes; none where the request failed.
    package var bytes: UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: result), count: Int(answer.size))
    }
  }

  private struct State {
    var idle: [agnesi_worker] = []
    var starts = 0
    var losses = 0
  }

  private let state = Mutex(State())
  private let executable: String?
  /// Idle workers beyond this are ended.
  private let mostIdle: Int

  /// - Parameter executable: the program whose process becomes a worker: any that links Agnesi. By
  ///   default the one that `AGNESI_WORKER` names, else this one.
  package init(executable: String? = nil) {
    self.executable = executable ?? getenv("AGNESI_WORKER").map { String(cString: $0) }
    mostIdle = max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 2)
  }

  deinit { stopIdle() }

  /// Workers started so far.
  package var starts: Int { state.withLock { $0.starts } }

  /// Workers that died or had to be stopped so far.
  package var losses: Int { state.withLock { $0.losses } }

  /// The idle workers' processes.
  package var processes: [pid_t] { state.withLock { $0.idle.map(\.process) } }

  /// Starts a worker if there is none, without waiting for it: what comes first can be done meanwhile.
  package func prepare() {
    guard state.withLock({ $0.idle.isEmpty }), var worker = try? start() else { return }
    keep(&worker)
  }

  /// Ends the workers that have nothing to do.
  package func stopIdle() {
    var idle: [agnesi_worker] = []
    state.withLock { swap(&$0.idle, &idle) }
    for index in idle.indices { agnesi_worker_stop(&idle[index]) }
  }

  /// Has a worker do what `request` says with the file that `descriptor` has open, and waits.
  ///
  /// A worker that was killed while it had nothing to do costs nobody an answer: another is asked.
  package func ask(_ request: agnesi_request, descriptor: Int32) -> Answer {
    var request = request
    while true {
      let kept = state.withLock { $0.idle.popLast() }
      var answer = agnesi_answer()
      var result: UnsafeRawPointer?
      do throws(NotStarted) {
        var worker = if let kept { kept } else { try start() }
        if agnesi_worker_is_gone(&worker) {
          agnesi_worker_stop(&worker)
          state.withLock { $0.losses += 1 }
          continue
        }
        if agnesi_worker_ask(&worker, &request, descriptor, &answer, &result) {
          keep(&worker)
        } else {
          state.withLock { $0.losses += 1 }
        }
      } catch {
        answer.status = AGNESI_STATUS_NO_WORKER
        answer.detail = error.code
      }
      return Answer(answer, result)
    }
  }

  private struct NotStarted: Error, LocalizedError {
    let code: Int32
    var errorDescription: String? { "no worker can be started: \(String(cString: strerror(code)))" }
  }

  private func start() throws(NotStarted) -> agnesi_worker {
    var worker = agnesi_worker()
    let code = agnesi_worker_start(&worker, executable)
    if code != 0 { throw NotStarted(code: code) }
    state.withLock { $0.starts += 1 }
    return worker
  }

  private func keep(_ worker: inout agnesi_worker) {
    let kept = worker
    let isKept = state.withLock { state in
      if state.idle.count >= mostIdle { return false }
      state.idle.append(kept)
      return true
    }
    if !isKept { agnesi_worker_stop(&worker) }
  }
}
