import Foundation

/// Hands values from one thread to another, a few at a time.
///
/// Unchecked because everything is under the condition's lock.
package final class BoundedQueue<Element>: @unchecked Sendable {
  private let capacity: Int
  private let condition = NSCondition()
  private var elements: [Element] = []
  private var isFinished = false
  private var isCancelled = false

  package init(capacity: Int) { self.capacity = max(capacity, 1) }

  /// Waits for room; false where nobody wants more.
  package func push(_ element: Element) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while elements.count >= capacity, !isCancelled { condition.wait() }
    if isCancelled { return false }
    elements.append(element)
    condition.broadcast()
    return true
  }

  /// Waits for a value; nil after the last one.
  package func pop() -> Element? {
    condition.lock()
    defer { condition.unlock() }
    while elements.isEmpty, !isFinished, !isCancelled { condition.wait() }
    if elements.isEmpty { return nil }
    condition.broadcast()
    return elements.removeFirst()
  }

  /// Nothing more will be pushed.
  package func finish() {
    condition.withLock {
      isFinished = true
      condition.broadcast()
    }
  }

  /// Nothing more is wanted; what is waiting is dropped.
  package func cancel() {
    condition.withLock {
      isCancelled = true
      elements = []
      condition.broadcast()
    }
  }
}
