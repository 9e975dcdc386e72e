import AgnesiTraining
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Signals belong to the process, so each of these runs in a process of its own.
@Suite struct InterruptionTests {
  @Test func theFirstSignalIsAnsweredAtOnceAndOnlyAsksToStop() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(7), observing: [\.standardErrorContent]
    ) {
      let steps = Interruption.whileHandling(message: "stopping after this step") { interruption in
        var steps = 0
        while !interruption.isRequested {
          steps += 1
          if steps == 3 { raise(SIGINT) }
        }
        return steps
      }
      exit(steps == 3 ? 7 : 1)
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text == "stopping after this step\n")
  }

  @Test func terminationIsAskedForTheSameWay() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let wasRequested = Interruption.whileHandling { interruption in
        if interruption.isRequested { return false }
        kill(getpid(), SIGTERM)
        for _ in 0..<1000 where !interruption.isRequested { usleep(1000) }
        return interruption.isRequested
      }
      exit(wasRequested ? 7 : 1)
    }
  }

  @Test func theSecondSignalEndsTheProcessAtOnce() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(130), observing: [\.standardErrorContent]
    ) {
      Interruption.whileHandling { _ in
        raise(SIGINT)
        raise(SIGTERM)
        exit(1)
      }
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text == "\(Interruption.standardMessage)\nended at once\n")
  }

  @Test func afterTheScopeSignalsMeanWhatTheyDidBefore() async {
    await #expect(processExitsWith: .signal(SIGINT)) {
      signal(SIGINT, SIG_DFL)
      Interruption.whileHandling { _ in _ = raise(SIGINT) }
      kill(getpid(), SIGINT)
      sleep(5)
    }
    await #expect(processExitsWith: .exitCode(5)) {
      signal(SIGTERM) { _ in _exit(5) }
      struct Failure: Error {}
      try? Interruption.whileHandling { _ in throw Failure() }
      kill(getpid(), SIGTERM)
      sleep(5)
    }
  }

  @Test func nestedScopesShareTheRequestAndALaterScopeStartsAnew() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let outer = Interruption.whileHandling { outer in
        Interruption.whileHandling { _ in _ = raise(SIGINT) }
        return outer.isRequested
      }
      let later = Interruption.whileHandling { $0.isRequested }
      exit(outer && !later ? 7 : 1)
    }
  }

  @Test func aLongMessageIsCut() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(0), observing: [\.standardErrorContent]
    ) {
      Interruption.whileHandling(message: String(repeating: "m", count: 5000)) { _ in
        _ = raise(SIGINT)
      }
      exit(0)
    }
    #expect(result.standardErrorContent.count == 1001)
  }

  @Test func aRequestNeedsNoSignal() {
    let interruption = Interruption()
    #expect(!interruption.isRequested)
    let copy = interruption
    copy.request()
    #expect(interruption.isRequested)
    #expect(!Interruption().isRequested)
  }
}
