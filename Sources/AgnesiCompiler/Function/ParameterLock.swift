import Foundation

/// Functions that only read parameters run side by side; one that writes runs alone.
///
/// One lock for all parameters of the process: kernels share one thread pool anyway, so finer locks
/// would buy nothing and could deadlock.
final class ParameterLock: @unchecked Sendable {
  static let shared = ParameterLock()

  // Unchecked because both are only touched while `condition` is held.
  private let condition = NSCondition()
  private var readers = 0
  private var isWriting = false

  func with<Result>(exclusive: Bool, _ body: () throws -> Result) rethrows -> Result {
    acquire(exclusive: exclusive)
    defer { release(exclusive: exclusive) }
    return try body()
  }

  private func acquire(exclusive: Bool) {
    condition.lock()
    while isWriting || (exclusive && readers > 0) { condition.wait() }
    if exclusive { isWriting = true } else { readers += 1 }
    condition.unlock()
  }

  private func release(exclusive: Bool) {
    condition.lock()
    if exclusive { isWriting = false } else { readers -= 1 }
    condition.broadcast()
    condition.unlock()
  }
}
