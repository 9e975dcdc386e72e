import Foundation

/// Results of numbered jobs that several threads work at, taken in the jobs' order.
///
/// Threads go no further ahead than `ahead` jobs. Unchecked because everything is under the
/// condition's lock.
package final class OrderedResults<Element>: @unchecked Sendable {
  private let count: Int
  private let ahead: Int
  private let condition = NSCondition()
  private var results: [Int: Element] = [:]
  private var claimed = 0
  private var taken = 0
  private var isCancelled = false

  package init(count: Int, ahead: Int) {
    self.count = count
    self.ahead = max(ahead, 1)
  }

  /// The next job for the calling thread, which may have to wait; nil where there is none left, or
  /// nobody wants more.
  package func claim() -> Int? {
    condition.withLock {
      while claimed < count, claimed >= taken + ahead, !isCancelled { condition.wait() }
      guard claimed < count, !isCancelled else { return nil }
      claimed += 1
      return claimed - 1
    }
  }

  package func put(_ result: Element, of job: Int) {
    condition.withLock {
      if isCancelled { return }
      results[job] = result
      condition.broadcast()
    }
  }

  /// The next result in order, waiting for it; nil after the last.
  package func take() -> Element? {
    condition.withLock {
      guard taken < count else { return nil }
      while results[taken] == nil, !isCancelled { condition.wait() }
      guard let result = results.removeValue(forKey: taken) else { return nil }
      taken += 1
      condition.broadcast()
      return result
    }
  }

  /// Nothing more is wanted; what is there is dropped.
  package func cancel() {
    condition.withLock {
      isCancelled = true
      results = [:]
      condition.broadcast()
    }
  }
}
