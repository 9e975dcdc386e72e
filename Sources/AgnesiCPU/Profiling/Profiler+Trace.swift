import AgnesiArrays
import AgnesiExpressions

extension Profiler {
  /// The last calls as JSON that Perfetto (ui.perfetto.dev) and Chrome (chrome://tracing) open.
  ///
  /// An array of complete events, with microseconds since the profiler was made. Three tracks: the
  /// functions' calls, their steps, which never overlap, and phases of the program, if any were recorded.
  /// Each step tells its operations (`flops`), bytes, threads, parameters, producer and source
  /// location.
  public func chromeTrace() -> String {
    let phases = phases
    var events = [
      TraceEvent.name("process_name", "Agnesi", track: nil),
      TraceEvent.name("thread_name", "functions", track: .functions),
      TraceEvent.name("thread_name", "steps", track: .steps),
    ]
    if !phases.isEmpty { events.append(TraceEvent.name("thread_name", "phases", track: .phases)) }
    for phase in phases {
      events.append(
        TraceEvent.complete(
          phase.name, track: .phases, start: phase.start, nanoseconds: phase.nanoseconds))
    }
    for plan in plans {
      let calls = recorded(plan)
      if calls.isEmpty { continue }
      let arguments = plan.entries.map(\.traceArguments)
      for call in calls {
        events.append(
          TraceEvent.complete(
            plan.entries.first?.function ?? "", track: .functions, start: call.start,
            nanoseconds: call.nanoseconds.reduce(0, +)))
        var start = call.start
        for (step, duration) in call.nanoseconds.enumerated() {
          events.append(
            TraceEvent.complete(
              plan.entries[step].label, track: .steps, start: start, nanoseconds: duration,
              arguments: arguments[step]))
          start += duration
        }
      }
    }
    return "[\n\(events.joined(separator: ",\n"))\n]\n"
  }
}

extension Profiler.Entry {
  /// A JSON object.
  fileprivate var traceArguments: String {
    let texts = [
      ("producer", producer), ("site", location?.description ?? ""),
      ("parameters", parameters.joined(separator: " ")),
    ]
    let numbers = [("flops", operations), ("bytes", bytes), ("threads", Double(threads))]
    let members =
      numbers.map { "\"\($0)\":\(Digits.fixed($1, 0))" }
      + texts.filter { !$1.isEmpty }.map { "\"\($0)\":\(StrictJSON.quoted($1))" }
    return "{\(members.joined(separator: ","))}"
  }
}

/// The texts of a trace's events.
private enum TraceEvent {
  enum Track: Int {
    case functions = 1
    case steps, phases
  }

  static func name(_ kind: String, _ name: String, track: Track?) -> String {
    let thread = track.map { ",\"tid\":\($0.rawValue)" } ?? ""
    return "{\"ph\":\"M\",\"name\":\"\(kind)\",\"pid\":1\(thread),\"args\":"
      + "{\"name\":\(StrictJSON.quoted(name))}}"
  }

  static func complete(
    _ name: String, track: Track, start: Int, nanoseconds: Int, arguments: String? = nil
  ) -> String {
    let place = "\"pid\":1,\"tid\":\(track.rawValue)"
    let time = "\"ts\":\(microseconds(start)),\"dur\":\(microseconds(nanoseconds))"
    let more = arguments.map { ",\"args\":\($0)" } ?? ""
    return "{\"ph\":\"X\",\"name\":\(StrictJSON.quoted(name)),\(place),\(time)\(more)}"
  }

  /// Exact, so that one event ends where the next begins.
  private static func microseconds(_ nanoseconds: Int) -> String {
    Digits.fixed(Double(nanoseconds) / 1e3, 3)
  }
}
