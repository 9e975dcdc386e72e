import Foundation

/// Functions that only read parameters run side by side; one that writes runs alone. All are served in the
/// order in which they came, so that neither readers without end keep a writer out nor the reverse.
///
/// A thread must not take it twice: a writer that waits in between would wait for ever.
///
/// One lock for all parameters of the process: kernels share one thread pool anyway, so finer locks
/// would buy nothing and could deadlock.
package final class ParameterLock: @unchecked Sendable {
  static let shared = ParameterLock()

  package init() {}

  // Unchecked because all are only touched while `condition` is held.
  private let condition = NSCondition()
  private var readers = 0
  private var isWriting = false
  /// Who comes next takes this number; who is let in next has `served`.
  private var ticket = 0
  private var served = 0

  package func with<Result>(exclusive: Bool, _ body: () throws -> Result) rethrows -> Result {
    acquire(exclusive: exclusive)
    defer { release(exclusive: exclusive) }
    return try body()
  }

  private func acquire(exclusive: Bool) {
    condition.lock()
    let own = ticket
    ticket += 1
    while served != own || isWriting || (exclusive && readers > 0) { condition.wait() }
    served += 1
    if exclusive { isWriting = true } else { readers += 1 }
    // A reader behind this one may come in as well.
    if ticket != served { condition.broadcast() }
    condition.unlock()
  }

  private func release(exclusive: Bool) {
    condition.lock()
    if exclusive { isWriting = false } else { readers -= 1 }
    condition.broadcast()
    condition.unlock()
  }
}
