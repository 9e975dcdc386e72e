import Synchronization

/// What has to be undone where a signal ends the process in the middle of something: helpers are
/// stopped, temporary folders removed.
package enum EndingCleanup {
  private struct Registered {
    var next = 0
    var bodies: [Int: @Sendable () -> Void] = [:]
  }

  private static let registered = Mutex(Registered())

  /// - Returns: what ``remove(_:)`` takes when the work is done.
  package static func add(_ body: @escaping @Sendable () -> Void) -> Int {
    registered.withLock { registered in
      registered.next += 1
      registered.bodies[registered.next] = body
      return registered.next
    }
  }

  package static func remove(_ number: Int) {
    registered.withLock { _ = $0.bodies.removeValue(forKey: number) }
  }

  /// Undoes everything; called once, by who ends the process.
  package static func runAll() {
    let bodies = registered.withLock { $0.bodies.sorted { $0.key > $1.key }.map(\.value) }
    for body in bodies { body() }
  }
}
