import AgnesiArrays
import AgnesiTraining
import Foundation
import TestSupport
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

/// Where nothing is lost, the process does not wait for what cannot be stopped.
@Suite struct SignalEndingTests {
  private func farewell(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  }

  @Test func theProcessEndsSoonAndSaysWhatWasKept() async throws {
    let start = ContinuousClock.now
    let result = try await #require(
      processExitsWith: .exitCode(130),
      observing: [\.standardErrorContent, \.standardOutputContent]
    ) {
      Interruption.whileHandling(message: "stopping", endingWith: "kept", after: 0.2) { _ in
        print("a result")
        raise(SIGINT)
        sleep(6000)
      }
      exit(1)
    }
    #expect(farewell(result) == "stopping\nkept\n")
    // What was printed is not lost in a buffer.
    #expect(String(decoding: result.standardOutputContent, as: UTF8.self).hasSuffix("a result\n"))
    // A busy machine lets the process wait, but not as long as it sleeps.
    #expect(ContinuousClock.now - start < .seconds(3000))
  }

  @Test func whoStopsInTimeIsLeftToIt() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(7), observing: [\.standardErrorContent]
    ) {
      Interruption.whileHandling(message: "", endingWith: "outer", after: 0) { _ in
        let wasAsked = Interruption.whileHandling(
          message: "stopping", endingWith: "inner", after: 300
        ) { interruption in
          raise(SIGTERM)
          return interruption.isRequested
        }
        // The signal was the inner scope's; the outer one may take its time to end.
        usleep(200_000)
        exit(wasAsked ? 7 : 1)
      }
    }
    #expect(farewell(result) == "stopping\n")
  }

  @Test func aScopeThatIsWaitedForEndsInItsSectionsOnly() async throws {
    let waited = try await #require(
      processExitsWith: .exitCode(7), observing: [\.standardErrorContent]
    ) {
      Interruption.whileHandling(
        message: "stopping", endingWith: "kept", after: 0, onlyInSections: true
      ) { interruption in
        raise(SIGINT)
        usleep(200_000)
        exit(interruption.isRequested ? 7 : 1)
      }
    }
    #expect(farewell(waited) == "stopping\n")
    let ended = try await #require(
      processExitsWith: .exitCode(130), observing: [\.standardErrorContent]
    ) {
      Interruption.whileHandling(
        message: "stopping", endingWith: "kept", after: 0, onlyInSections: true
      ) { interruption in
        raise(SIGINT)
        // One that begins after the signal ends as well.
        interruption.losingNothing { _ = sleep(600) }
      }
      exit(1)
    }
    #expect(farewell(ended) == "stopping\nkept\n")
  }

  @Test func anEarlierSignalDoesNotEndALaterScope() async {
    await #expect(processExitsWith: .exitCode(7)) {
      Interruption.whileHandling { _ in _ = raise(SIGINT) }
      Interruption.whileHandling(message: "", endingWith: "kept", after: 0) { interruption in
        usleep(200_000)
        exit(interruption.isRequested ? 1 : 7)
      }
    }
  }

  @Test func whatWasBegunIsUndone() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path("unfinished")
    setenv("AGNESI_TEST_UNFINISHED", path, 1)
    try Data().write(to: URL(fileURLWithPath: path))
    await #expect(processExitsWith: .exitCode(130)) {
      let path = String(cString: getenv("AGNESI_TEST_UNFINISHED"))
      _ = EndingCleanup.add { _ = unlink(path) }
      let done = EndingCleanup.add { _ = unlink(path + ".other") }
      EndingCleanup.remove(done)
      Interruption.whileHandling(message: "", endingWith: "kept", after: 0) { _ in
        raise(SIGINT)
        sleep(600)
      }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
