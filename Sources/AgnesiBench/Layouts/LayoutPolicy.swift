import Agnesi
import ArgumentParser

/// A way to choose layouts that the search is compared with.
struct LayoutPolicy {
  var name: String
  /// Nil is the search itself.
  var choose: CPU.LayoutPolicy?

  var backend: CPU { CPU(layouts: choose) }

  static let search = LayoutPolicy(name: "search")

  static let all: [LayoutPolicy] =
    [search] + CPULayout.allCases.map { single($0) } + [greedy, earlier]

  /// One layout wherever it can be, elsewhere the quickest one.
  private static func single(_ layout: CPULayout) -> LayoutPolicy {
    LayoutPolicy(name: layout.rawValue) { _, candidates in
      candidates.firstIndex { $0.name == layout.rawValue } ?? quickest(candidates)
    }
  }

  /// Node by node, without the costs of reorders.
  private static let greedy = LayoutPolicy(name: "greedy") { quickest($1) }

  private static func quickest(_ candidates: [LayoutCandidate]) -> Int {
    candidates.indices.min { candidates[$0].cycles < candidates[$1].cycles } ?? 0
  }

  /// What version 0.3 did: limits for channels, samples and bytes, for each convolution alone.
  private static let earlier = LayoutPolicy(name: "limits") { node, candidates in
    func index(_ layout: CPULayout) -> Int? {
      candidates.firstIndex { $0.name == layout.rawValue }
    }
    guard let convolution = node.convolution else { return 0 }
    let channels = [convolution.image.shape[1], convolution.output.shape[1]].map {
      $0.known ?? 0
    }
    let isSmall = channels.allSatisfy { $0 < 64 } && channels.contains { $0 % 16 != 0 }
    let elements =
      [convolution.image, convolution.output].map {
        $0.shape.dropFirst().reduce(1) { $0 * ($1.known ?? 1) }
      }.max() ?? 0
    // The only candidate for few samples alone is that of row vectors.
    if isSmall, let rows = index(.rowVectors), isFew(candidates), elements <= 1 << 16 {
      return rows
    }
    if isSmall, let lanes = index(.batchInnermost), !isFew(candidates), elements * 64 <= 1 << 20 {
      return lanes
    }
    return index(.channelBlocked) ?? 0
  }

  /// Whether the candidates are for few samples: lanes of samples then are mostly empty.
  private static func isFew(_ candidates: [LayoutCandidate]) -> Bool {
    let times = [CPULayout.batchInnermost, .rowVectors].map { layout in
      candidates.first { $0.name == layout.rawValue }?.cycles ?? .infinity
    }
    return times[0] > 4 * times[1]
  }
}

extension LayoutPolicy: ExpressibleByArgument {
  init?(argument: String) {
    guard let known = Self.all.first(where: { $0.name == argument }) else { return nil }
    self = known
  }
}
