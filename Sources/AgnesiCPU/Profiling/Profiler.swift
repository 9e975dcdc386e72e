import AgnesiExpressions
import Synchronization

/// Where the time of compiled functions goes.
///
/// Hand one to ``CPU``, call the functions that were compiled on it, and print it:
///
/// ```swift
/// let profiler = Profiler()
/// let function = try compile([x], to: [y], on: CPU(profiler: profiler))
/// _ = try function(values)
/// print(profiler.report(against: try MachineLimits.measured()))
/// ```
///
/// It keeps sums over all calls, and the last calls one by one: for medians, and ``chromeTrace()``.
public final class Profiler: Sendable {
  /// One step of a function: a kernel or a library call.
  public struct Entry: Sendable {
    /// The function's name, with what the names of its sizes stand for.
    public let function: String
    /// The operations that the step computes.
    public let label: String
    /// The parameters that it reads or writes.
    public let parameters: [String]
    /// Where the user wrote the first of the operations, or which part of a file it is.
    public internal(set) var location: SourceLocation?
    /// The library and its implementation, or what kind of loops of our own; and what layout
    /// asked for it.
    public let producer: String
    /// Threads that work on it.
    public let threads: Int
    /// Functions of floats, or of a product twice its multiplications, in one call. Those of a
    /// convolution are counted as done directly, whatever the library does.
    public let operations: Double
    /// Bytes read and written in one call where caches hold everything that is used again.
    public let bytes: Double
    /// How often it ran.
    public internal(set) var calls = 0
    /// Over all calls.
    public internal(set) var seconds = 0.0
    /// The median of the last calls (99 or more), without the first one, which touches new memory.
    public internal(set) var medianSeconds = 0.0

    package init(
      function: String, label: String, parameters: [String] = [], location: SourceLocation?,
      producer: String, threads: Int, operations: Double, bytes: Double
    ) {
      self.function = function
      self.label = label
      self.parameters = parameters
      self.location = location
      self.producer = producer
      self.threads = threads
      self.operations = operations
      self.bytes = bytes
    }
  }

  /// Something besides the steps that takes time, such as the wait for data.
  struct Phase {
    var name: String
    var start: Int
    var nanoseconds: Int
  }

  /// One call of a plan, in nanoseconds since the profiler was made.
  struct Call {
    var start: Int
    /// Of each step.
    var nanoseconds: [Int]
  }

  /// The steps of a function for given sizes.
  package struct Plan {
    package fileprivate(set) var entries: [Entry]
    fileprivate(set) var latest = Latest<Call>()
    /// Seconds in which parameters were brought into the form that the steps read.
    package fileprivate(set) var preparation = 0.0

    /// With the medians of the latest calls.
    fileprivate var complete: Plan {
      var result = self
      var calls = latest.ordered
      let all = entries.first?.calls ?? 0
      if all > 1, all == calls.count { calls.removeFirst() }
      for step in entries.indices where !calls.isEmpty {
        let times = calls.map { $0.nanoseconds[step] }.sorted()
        result.entries[step].medianSeconds = Double(times[times.count / 2]) / 1e9
      }
      return result
    }
  }

  /// The last ones of many.
  struct Latest<Element> {
    private var elements: [Element] = []
    private var next = 0

    mutating func add(_ element: Element, limit: Int) {
      if elements.count < limit {
        elements.append(element)
      } else if limit > 0 {
        elements[next] = element
        next = (next + 1) % limit
      }
    }

    /// The oldest first.
    var ordered: [Element] { Array(elements[next...] + elements[..<next]) }
  }

  private struct State {
    var plans: [Plan] = []
    var phases = Latest<Phase>()
    /// When the last recorded step ended; steps never overlap, they run one after the other.
    var end = 0
  }

  private let state = Mutex(State())
  private let recordedCalls: Int
  private let namesCode: Bool
  private let origin = ContinuousClock.now

  /// - Parameters:
  ///   - recordedCalls: how many of the last calls of each function, for each set of sizes, a trace shows.
  ///   - namesCode: whether steps say where in the code they were written, which takes seconds to look up and
  ///     means nothing to somebody who did not write it. Parts of files are named all the same.
  public init(recordedCalls: Int = 50, namesCode: Bool = true) {
    self.recordedCalls = max(0, recordedCalls)
    self.namesCode = namesCode
  }

  /// All steps that ran, the most expensive first.
  public var steps: [Entry] {
    plans.flatMap(\.entries).sorted { $0.expense > $1.expense }
  }

  /// The plans that ran.
  package var plans: [Plan] {
    let plans = state.withLock { $0.plans }
    return plans.filter { ($0.entries.first?.calls ?? 0) > 0 }.map(\.complete)
  }

  /// The calls of a plan that a trace shows, the oldest first.
  func recorded(_ plan: Plan) -> [Call] { plan.latest.ordered.suffix(recordedCalls) }

  /// The phases that a trace shows, the oldest first.
  var phases: [Phase] { state.withLock { $0.phases.ordered } }

  /// Shows a phase of the program in traces, beside the steps.
  public func record(
    phase name: String, from start: ContinuousClock.Instant, to end: ContinuousClock.Instant
  ) {
    let (start, end) = (nanoseconds(at: start), nanoseconds(at: end))
    let phase = Phase(name: name, start: start, nanoseconds: max(0, end - start))
    state.withLock { $0.phases.add(phase, limit: 4 * recordedCalls) }
  }

  // MARK: From plans

  /// A number for the steps of a plan. It is never given again, unlike the plan's address.
  package func add(_ entries: [Entry]) -> Int {
    var entries = entries
    if !namesCode {
      for step in entries.indices where entries[step].location?.isInFile == false {
        entries[step].location = nil
      }
    }
    return state.withLock { [entries] state in
      state.plans.append(Plan(entries: entries))
      return state.plans.count - 1
    }
  }

  /// One call of a plan.
  ///
  /// - Parameters:
  ///   - start: before its first step.
  ///   - seconds: how long each step took.
  package func add(
    _ plan: Int, from start: ContinuousClock.Instant, _ seconds: UnsafePointer<Double>
  ) {
    let start = nanoseconds(at: start)
    state.withLock { state in
      let count = state.plans[plan].entries.count
      var call = Call(start: max(start, state.end), nanoseconds: [])
      call.nanoseconds.reserveCapacity(count)
      for step in 0..<count {
        state.plans[plan].entries[step].add(seconds[step])
        call.nanoseconds.append(Int(max(0, seconds[step]) * 1e9))
      }
      state.end = call.nanoseconds.reduce(call.start, +)
      state.plans[plan].latest.add(call, limit: max(99, recordedCalls))
    }
  }

  /// Parameters of a plan were brought into the form that its steps read, before the next call.
  package func add(
    preparing plan: Int, from start: ContinuousClock.Instant, to end: ContinuousClock.Instant
  ) {
    state.withLock { $0.plans[plan].preparation += (end - start) / .seconds(1) }
    record(phase: "weights", from: start, to: end)
  }

  private func nanoseconds(at instant: ContinuousClock.Instant) -> Int {
    Int((instant - origin) / .nanoseconds(1))
  }
}

extension Profiler.Entry {
  /// The time of all calls as if they had been like the median.
  var expense: Double { medianSeconds * Double(calls) }

  fileprivate mutating func add(_ seconds: Double) {
    calls += 1
    self.seconds += seconds
  }
}
