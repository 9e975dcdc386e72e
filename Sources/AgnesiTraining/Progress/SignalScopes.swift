import AgnesiArrays
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a process ends where nothing is lost by it.
package struct SignalEnding: Sendable {
  /// One line that says what was kept.
  package var farewell: String
  /// Seconds that the work has to stop by itself.
  package var grace: Double

  package init(farewell: String, grace: Double) {
    self.farewell = farewell
    self.grace = grace
  }
}

/// The scopes in which signals are handled, innermost last.
struct SignalScopes {
  struct Scope {
    let id: Int
    let message: String
    let ending: SignalEnding?
    let begin = ContinuousClock.now
  }

  private(set) var open: [Scope] = []
  private var issued = 0

  /// The number of the last scope that began.
  var lastID: Int { issued }

  mutating func push(_ message: String, _ ending: SignalEnding?) -> Int {
    issued += 1
    open.append(Scope(id: issued, message: message, ending: ending))
    return issued
  }

  mutating func remove(_ id: Int) { open.removeAll { $0.id == id } }
}

/// Ends the process where a signal came and the work, of which nothing is lost, does not stop by itself.
///
/// A scope that began before the one in which the signal came is left to itself: who handled the signal may
/// have results to print or to write.
enum SignalWatch {
  /// Both ends of a pipe: a signal handler may write to one, and a thread sleeps at the other.
  private static let ends: (read: Int32, write: Int32) = {
    var both: [Int32] = [-1, -1]
    guard pipe(&both) == 0 else { return (-1, -1) }
    for end in both { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(both[1], F_SETFL, O_NONBLOCK)
    return (both[0], both[1])
  }()
  private nonisolated(unsafe) static let byte: UnsafeMutablePointer<UInt8> = {
    let byte = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
    byte.initialize(to: 1)
    return byte
  }()
  private static let isRunning = Mutex(false)

  /// Starts the thread, the first time; outside of the handler, which then finds everything made.
  static func start() {
    _ = (ends, byte)
    isRunning.withLock { isRunning in
      if isRunning || ends.read < 0 { return }
      isRunning = true
      let thread = Thread { watch() }
      thread.name = "agnesi-signals"
      thread.start()
    }
  }

  /// Wakes the thread; may be called by a handler.
  static func wake() { _ = write(ends.write, byte, 1) }

  private static func watch() {
    var received: UInt8 = 0
    while true {
      let count = read(ends.read, &received, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return }
      let signal = ContinuousClock.now
      while SignalHandling.isOpen, SignalHandling.count > 0 {
        SignalHandling.endIfDue(since: signal)
        usleep(20_000)
      }
    }
  }
}

extension SignalScopes {
  /// How the process is to end now; nil for not yet.
  ///
  /// - Parameters:
  ///   - top: the innermost scope when the signal came.
  ///   - last: the last one that had begun then.
  func due(since signal: ContinuousClock.Instant, top: Int, last: Int) -> SignalEnding? {
    guard let scope = open.last, let ending = scope.ending, scope.id == top || scope.id > last
    else { return nil }
    let start = max(signal, scope.begin)
    return ContinuousClock.now - start >= .seconds(ending.grace) ? ending : nil
  }
}
