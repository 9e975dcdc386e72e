import AgnesiExpressions
import CAgnesi
import Synchronization

/// A library context that keeps parameters, or what hoisted steps made of them, in another form.
final class PrepackedWeights: Sendable {
  /// What is kept.
  enum Source {
    case parameter(Parameter)
    case hoistedStep
  }

  private let context: LibraryContext
  private let source: Source
  /// Where the weights are: a buffer's slot, and bytes from its beginning.
  private let slot: Int
  private let offset: Int
  private let version: Mutex<Int?>

  init(_ context: LibraryContext, _ source: Source, slot: Int, offset: Int) {
    self.context = context
    self.source = source
    self.slot = slot
    self.offset = offset
    version = Mutex(nil)
  }

  /// Lets the context convert again if its source has changed since the last call.
  ///
  /// - Parameter hoisted: the version of what hoisted steps read.
  /// - Returns: whether it has.
  func refresh(hoisted: Int) -> Bool {
    let current =
      switch source {
      case .parameter(let parameter): parameter.version
      case .hoistedStep: hoisted
      }
    let isStale = version.withLock { version in
      defer { version = current }
      return version != current
    }
    if isStale { agnesi_context_refresh(OpaquePointer(context.pointer)) }
    return isStale
  }

  /// The memory that ``convert(_:_:in:)`` works in, in bytes.
  var scratchBytes: Int { agnesi_keep_weights_bytes(OpaquePointer(context.pointer)) }

  /// Converts what `kept` hold, on the thread from which all parallel work starts.
  ///
  /// Steps would do so themselves when they first run. Here the time is not taken for theirs.
  ///
  /// - Parameter scratch: of the steps. Memory that nobody has touched yet costs more than what is
  ///   computed in it, and they touch it anyway.
  /// - Returns: false where memory was short or the library failed.
  static func convert(
    _ kept: [PrepackedWeights], _ slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
    in scratch: UnsafeMutableRawPointer
  ) -> Bool {
    var job = Job(
      contexts: kept.map { OpaquePointer($0.context.pointer) },
      weights: kept.map { weights in slots[weights.slot].map { $0 + weights.offset } },
      scratch: scratch)
    withUnsafeMutablePointer(to: &job) { job in
      agnesi_execute(
        agnesi_shared_executor(), { $0?.assumingMemoryBound(to: Job.self).pointee.run() }, job)
    }
    return job.failed < 0
  }

  private struct Job {
    var contexts: [OpaquePointer?]
    var weights: [UnsafeMutableRawPointer?]
    var scratch: UnsafeMutableRawPointer
    /// The number of the context that failed, or -1.
    var failed: Int64 = -1

    mutating func run() {
      failed = agnesi_keep_weights(contexts, weights, Int64(contexts.count), scratch)
    }
  }
}
