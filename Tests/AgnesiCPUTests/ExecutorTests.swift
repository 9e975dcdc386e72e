import CAgnesi
import Foundation
import Testing

/// What a function saw when it ran.
private struct Sight {
  var thread: UInt64 = 0
  var count = 0
  var running = 0
  var overlapped = false
  var executor: OpaquePointer?
}

/// A number for the calling thread.
private func currentThread() -> UInt64 {
  UInt64(UInt(bitPattern: ObjectIdentifier(Thread.current)))
}

private let look: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
  guard let sight = pointer?.assumingMemoryBound(to: Sight.self) else { return }
  sight.pointee.running += 1
  if sight.pointee.running > 1 { sight.pointee.overlapped = true }
  sight.pointee.thread = currentThread()
  sight.pointee.count += 1
  sight.pointee.running -= 1
}

private let lookTwice: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
  guard let sight = pointer?.assumingMemoryBound(to: Sight.self) else { return }
  look(pointer)
  agnesi_execute(sight.pointee.executor, look, pointer)
}

/// Memory that threads of a test share.
private final class Shared: @unchecked Sendable {
  let sight = UnsafeMutablePointer<Sight>.allocate(capacity: 1)
  init() { sight.initialize(to: Sight()) }
  deinit { sight.deallocate() }
}

@Suite struct ExecutorTests {
  @Test func runsOnAThreadOfItsOwn() throws {
    let executor = try #require(agnesi_executor_create())
    let shared = Shared()
    agnesi_execute(executor, look, shared.sight)
    let first = shared.sight.pointee.thread
    agnesi_execute(executor, look, shared.sight)
    #expect(shared.sight.pointee.thread == first)
    #expect(first != currentThread())
    #expect(shared.sight.pointee.count == 2)
    agnesi_executor_destroy(executor)
  }

  @Test func mayBeCalledByWhatItRuns() throws {
    let executor = try #require(agnesi_executor_create())
    let shared = Shared()
    shared.sight.pointee.executor = executor
    agnesi_execute(executor, lookTwice, shared.sight)
    #expect(shared.sight.pointee.count == 2)
    agnesi_executor_destroy(executor)
  }

  @Test(arguments: [false, true])
  func callersWaitForOneAnother(onShared: Bool) throws {
    let executor = try #require(onShared ? agnesi_shared_executor() : agnesi_executor_create())
    nonisolated(unsafe) let unsafeExecutor = executor
    let shared = Shared()
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<500 { agnesi_execute(unsafeExecutor, look, shared.sight) }
    }
    #expect(shared.sight.pointee.count == 4000)
    #expect(!shared.sight.pointee.overlapped)
    if !onShared { agnesi_executor_destroy(executor) }
  }

  @Test func withoutAnExecutorRunsInPlace() {
    let shared = Shared()
    agnesi_execute(nil, look, shared.sight)
    #expect(shared.sight.pointee.thread == currentThread())
  }

  @Test func wakesUpAfterARest() throws {
    let executor = try #require(agnesi_executor_create())
    let shared = Shared()
    for _ in 0..<3 {
      agnesi_execute(executor, look, shared.sight)
      Thread.sleep(forTimeInterval: 0.01)
    }
    #expect(shared.sight.pointee.count == 3)
    agnesi_executor_destroy(executor)
  }

  @Test func runsSteps() {
    let fail: agnesi_call = { _, _, _, _ in 1 }
    var step = agnesi_step()
    step.call = fail
    #expect(agnesi_run_on(agnesi_shared_executor(), [step], 1, nil, nil) == 0)
    #expect(agnesi_run_on(agnesi_shared_executor(), [], 0, nil, nil) == -1)
  }
}
