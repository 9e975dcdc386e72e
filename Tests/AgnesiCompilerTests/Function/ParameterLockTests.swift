import AgnesiCompiler
import Foundation
import Synchronization
import Testing

@Suite struct ParameterLockTests {
  /// Two readers that hand over to each other without a gap, as a server that infers does.
  @Test func readersWithoutEndDoNotKeepAWriterOut() {
    let lock = ParameterLock()
    let hasWritten = Atomic<Bool>(false)
    let readers = (0..<2).map { _ in
      Thread {
        while !hasWritten.load(ordering: .relaxed) {
          lock.with(exclusive: false) { Thread.sleep(forTimeInterval: 0.002) }
        }
      }
    }
    for reader in readers { reader.start() }
    Thread.sleep(forTimeInterval: 0.01)
    let start = ContinuousClock.now
    lock.with(exclusive: true) { hasWritten.store(true, ordering: .relaxed) }
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test func readersRunSideBySideAndWritersAlone() {
    let lock = ParameterLock()
    let inside = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    let failures = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 64) { number in
      let isWriter = number % 8 == 0
      lock.with(exclusive: isWriter) {
        let now = inside.add(1, ordering: .sequentiallyConsistent).newValue
        _ = most.max(now, ordering: .relaxed)
        Thread.sleep(forTimeInterval: 0.001)
        if isWriter, inside.load(ordering: .sequentiallyConsistent) != 1 {
          failures.add(1, ordering: .relaxed)
        }
        inside.subtract(1, ordering: .sequentiallyConsistent)
      }
    }
    #expect(failures.load(ordering: .relaxed) == 0)
    #expect(most.load(ordering: .relaxed) >= 1)
  }
}
