import AgnesiArrays
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The process's handler of SIGINT and SIGTERM.
///
/// This is the one place with global mutable state: a signal belongs to the process, and its
/// handler gets nothing but a number. The handler may run on any thread at any instruction, so it
/// only touches atomics, a pipe and memory that is never freed, and calls only `write` and `_exit`, which
/// POSIX allows there (*The Open Group Base Specifications*, issue 7, §2.4.3). All of it is made in
/// `begin`, before the handler is in place, so that the handler never is the first to use it.
package enum SignalHandling {
  private static let signals = [SIGINT, SIGTERM]
  private static let received = Atomic(0)
  private static let scopes = Mutex(Scopes())
  private static let message = SignalText(capacity: 1024)
  private static let farewell = SignalText(capacity: 1100)

  /// The innermost scope, and the last one that began; then what they were when a signal came.
  private static let top = Atomic(0)
  private static let last = Atomic(0)
  private static let topAtSignal = Atomic(0)
  private static let lastAtSignal = Atomic(0)

  private struct Scopes {
    var scopes = SignalScopes()
    var earlier: [(signal: Int32, action: sigaction)] = []
  }

  /// What ``end(_:)`` takes.
  package struct Token {
    let id: Int
    let mask: sigset_t
  }

  /// Whether any scope is open.
  static var isOpen: Bool { scopes.withLock { !$0.scopes.open.isEmpty } }

  /// Signals since the outermost open scope began.
  package static var count: Int { received.load(ordering: .acquiring) }

  /// - Parameters:
  ///   - text: written when a first signal comes; nothing where it is empty.
  ///   - ending: how the process then ends where the scope does not; nil where it goes on until the scope
  ///     is done.
  package static func begin(message text: String, ending: SignalEnding? = nil) -> Token {
    SignalWatch.start()
    let id = scopes.withLock { scopes in
      let id = scopes.scopes.push(text, ending)
      publish(scopes.scopes)
      if scopes.scopes.open.count == 1 {
        received.store(0, ordering: .releasing)
        scopes.earlier = signals.map { ($0, install(handler, for: $0)) }
      }
      return id
    }
    return Token(id: id, mask: unblockSignals())
  }

  package static func end(_ token: Token) {
    var mask = token.mask
    pthread_sigmask(SIG_SETMASK, &mask, nil)
    scopes.withLock { scopes in
      scopes.scopes.remove(token.id)
      publish(scopes.scopes)
      guard scopes.scopes.open.isEmpty else { return }
      for (signal, var action) in scopes.earlier { sigaction(signal, &action, nil) }
      scopes.earlier = []
    }
  }

  /// What the handler needs to know.
  private static func publish(_ scopes: SignalScopes) {
    guard let scope = scopes.open.last else { return }
    prepare(scope.message)
    top.store(scope.id, ordering: .releasing)
    last.store(scopes.lastID, ordering: .releasing)
  }

  /// Ends the process where the innermost scope asks for it.
  static func endIfDue(since signal: ContinuousClock.Instant) {
    let (top, last) = (
      topAtSignal.load(ordering: .acquiring), lastAtSignal.load(ordering: .acquiring)
    )
    // Under the lock, so that the scope cannot end meanwhile and its results be half printed.
    scopes.withLock { scopes in
      guard let ending = scopes.scopes.due(since: signal, top: top, last: last) else { return }
      fflush(nil)
      farewell.set("\(clear)\(ending.farewell)\n")
      farewell.write()
      EndingCleanup.runAll()
      _exit(130)
    }
  }

  /// Some thread has to let the signals in, and Dispatch's threads let none.
  private static func unblockSignals() -> sigset_t {
    var wanted = sigset_t()
    var earlier = sigset_t()
    sigemptyset(&wanted)
    for signal in signals { sigaddset(&wanted, signal) }
    pthread_sigmask(SIG_UNBLOCK, &wanted, &earlier)
    return earlier
  }

  private static func prepare(_ text: String) {
    let line = String(decoding: text.utf8.prefix(1000), as: UTF8.self)
    message.set(line.isEmpty ? "" : "\(clear)\(line)\n")
    farewell.set("\(clear)ended at once\n")
  }

  /// On a terminal, a half-drawn progress line (and the ^C that terminals echo) makes room first.
  private static var clear: String {
    isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[0m\u{1B}[K" : ""
  }

  private static func install(
    _ handler: @escaping @convention(c) (Int32) -> Void, for signal: Int32
  ) -> sigaction {
    var action = sigaction()
    var earlier = sigaction()
    #if canImport(Glibc)
      action.__sigaction_handler.sa_handler = handler
    #else
      action.__sigaction_u.__sa_handler = handler
    #endif
    sigemptyset(&action.sa_mask)
    // Reads and writes that the signal interrupts go on by themselves.
    action.sa_flags = SA_RESTART
    sigaction(signal, &action, &earlier)
    return earlier
  }

  private static let handler: @convention(c) (Int32) -> Void = { _ in
    let saved = errno
    if received.add(1, ordering: .acquiringAndReleasing).oldValue == 0 {
      topAtSignal.store(top.load(ordering: .acquiring), ordering: .releasing)
      lastAtSignal.store(last.load(ordering: .acquiring), ordering: .releasing)
      message.write()
      SignalWatch.wake()
    } else {
      farewell.write()
      _exit(130)
    }
    errno = saved
  }
}

/// Bytes that a signal handler can write: memory that lives as long as the process.
private struct SignalText: @unchecked Sendable {
  private let bytes: UnsafeMutableRawBufferPointer
  private let length: UnsafeMutablePointer<Int>

  init(capacity: Int) {
    bytes = .allocate(byteCount: capacity, alignment: 1)
    length = .allocate(capacity: 1)
    length.initialize(to: 0)
  }

  /// The text is short of the capacity; a handler that runs meanwhile writes nothing or part of it.
  func set(_ text: String) {
    let source = Array(text.utf8.prefix(bytes.count))
    length.pointee = 0
    bytes.copyBytes(from: source)
    length.pointee = source.count
  }

  func write() {
    #if canImport(Glibc)
      _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, length.pointee)
    #else
      _ = Darwin.write(STDERR_FILENO, bytes.baseAddress, length.pointee)
    #endif
  }
}
