import Agnesi
import AgnesiCPU
import AgnesiCompiler
import AgnesiExpressions
import Synchronization
import Testing

/// A graph as the compiler hands it to a backend.
struct Rewritten: Sendable {
  var inputs: [Tensor]
  var program: GraphProgram

  /// Keeps what it is given.
  private final class Recorder: Backend {
    let name = "recorder"
    let program = Mutex<GraphProgram?>(nil)

    struct Nothing: Executable {
      func run(inputs: [NDArray], sizes: [String: Int], callNumber: Int) throws -> [NDArray] { [] }
    }

    func prepare(_ program: GraphProgram) throws -> any Executable {
      self.program.withLock { $0 = program }
      return Nothing()
    }
  }

  init(_ inputs: [Tensor], _ outputs: [Tensor]) throws {
    let recorder = Recorder()
    _ = try compile(inputs, to: outputs, on: recorder)
    self.inputs = inputs
    program = try #require(recorder.program.withLock { $0 })
  }

  func reference(_ outputs: [Tensor], _ values: [NDArray], batch: Int) throws -> [NDArray] {
    try ReferenceExecutor.run(
      outputs: outputs, inputs: Dictionary(uniqueKeysWithValues: zip(inputs, values)),
      sizes: ["batch": batch])
  }
}

// Layout passes on programs, each by itself.

extension ChannelBlockedLayout {
  static func laidOut(
    _ program: GraphProgram, expecting sizes: [String: Int] = [:], isStrict: Bool = false
  ) -> GraphProgram {
    program.mapRoots {
      laidOut(
        $0, .preferring(.channelBlocked, in: $0, expecting: sizes), expecting: sizes,
        isStrict: isStrict)
    }
  }
}

extension BatchInnermostLayout {
  static func laidOut(
    _ program: GraphProgram, expecting sizes: [String: Int], target: LanesTarget = .host
  ) -> GraphProgram {
    program.mapRoots {
      laidOut(
        $0, .preferring(.batchInnermost, in: $0, expecting: sizes, target: target),
        target: target)
    }
  }
}

extension PixelsLayout {
  static func laidOut(
    _ program: GraphProgram, expecting sizes: [String: Int]
  ) -> GraphProgram {
    program.mapRoots { laidOut($0, .preferring(.rowVectors, in: $0, expecting: sizes)) }
  }
}

extension LayoutAssignment {
  /// One layout wherever it can be, and row-major order elsewhere.
  static func preferring(
    _ layout: CPULayout, in roots: [Tensor], expecting sizes: [String: Int],
    target: LanesTarget = .host
  ) -> LayoutAssignment {
    LayoutSearch.assignment(roots, CPULayouts(for: roots, expecting: sizes, target: target)) {
      _, candidates in
      candidates.firstIndex { $0.name == layout.rawValue } ?? 0
    }
  }
}
