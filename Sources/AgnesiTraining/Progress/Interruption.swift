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
  /// How the process ends in a section that loses nothing, and what is said before.
  private let sectionEnding: (message: String, ending: SignalEnding)?

  /// An interruption that only ``request()`` asks for.
  public init() { (followsSignals, sectionEnding) = (false, nil) }

  private init(sectionEnding: (message: String, ending: SignalEnding)?) {
    followsSignals = true
    self.sectionEnding = sectionEnding
  }

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
  /// Where nothing is lost by it, the process may end without waiting for `body`: some things take long
  /// and cannot be stopped, such as one step of a large network. That is what `farewell` is for.
  ///
  /// - Parameters:
  ///   - message: one line that says what will happen; cut after 1000 bytes. Empty for none.
  ///   - farewell: the last line on standard error, which says what was kept, where the process ends
  ///     with exit status 130 because `body` did not; nil for a body that is waited for.
  ///   - grace: seconds that `body` has for that.
  ///   - onlyInSections: whether the process ends in what ``losingNothing(_:)`` runs only.
  public static func whileHandling<Result>(
    message: String = standardMessage, endingWith farewell: String? = nil, after grace: Double = 1,
    onlyInSections: Bool = false, _ body: (Interruption) throws -> Result
  ) rethrows -> Result {
    let ending = farewell.map { SignalEnding(farewell: $0, grace: grace) }
    let token = SignalHandling.begin(message: message, ending: onlyInSections ? nil : ending)
    defer { SignalHandling.end(token) }
    let section = onlyInSections ? ending.map { (message: message, ending: $0) } : nil
    return try body(Interruption(sectionEnding: section))
  }

  /// Runs a part of a long work of which nothing is lost, such as what is done before the first step:
  /// there the process may end as whoever handles the signals said.
  ///
  /// - Parameter farewell: the last line on standard error in the place of theirs, where what was kept is
  ///   something else.
  public func losingNothing<Result>(
    farewell: String? = nil, _ body: () throws -> Result
  ) rethrows -> Result {
    guard let sectionEnding else { return try body() }
    var ending = sectionEnding.ending
    ending.farewell = farewell ?? ending.farewell
    let token = SignalHandling.begin(message: sectionEnding.message, ending: ending)
    defer { SignalHandling.end(token) }
    return try body()
  }
}
