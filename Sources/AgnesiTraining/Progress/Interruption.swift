import Synchronization

/// Whether somebody wants a long computation to stop, which it does where that is safe.
///
/// ```swift
/// try Interruption.whileHandling { interruption in
///   while !interruption.isRequested { try step() }
/// }
/// ```
public struct Interruption: Sendable {
  private final class Flag: Sendable {
    let isSet = Atomic(false)
  }

  private let flag = Flag()
  private let followsSignals: Bool

  /// An interruption that only ``request()`` asks for.
  public init() { followsSignals = false }

  private init(followsSignals: Bool) { self.followsSignals = followsSignals }

  /// Whether to stop. Costs two loads, so it may be asked after each step.
  public var isRequested: Bool {
    flag.isSet.load(ordering: .acquiring) || (followsSignals && SignalHandling.count > 0)
  }

  /// Asks to stop; from any thread.
  public func request() { flag.isSet.store(true, ordering: .releasing) }

  /// What is written when a first signal arrives, unless the caller says something better.
  public static let standardMessage =
    "stopping after this step; press Ctrl-C once more to end at once"

  /// Runs `body` while SIGINT (Ctrl-C) and SIGTERM ask for a stop instead of ending the process.
  ///
  /// The first signal writes `message` to standard error at once and makes
  /// ``isRequested`` true. The second ends the process at once with exit status 130. When `body`
  /// is done, the signals mean again what they did before. Scopes may be nested, and used by several
  /// threads: a signal then asks all of them to stop.
  ///
  /// Signals that the process was started to ignore, as a shell does for background jobs, are
  /// handled too, so that `kill -INT` works there.
  ///
  /// - Parameter message: one line that says what will happen; cut after 1000 bytes.
  public static func whileHandling<Result>(
    message: String = standardMessage, _ body: (Interruption) throws -> Result
  ) rethrows -> Result {
    let mask = SignalHandling.begin(message: message)
    defer { SignalHandling.end(restoring: mask) }
    return try body(Interruption(followsSignals: true))
  }
}
