import AgnesiExpressions
import AgnesiLoops

/// Finds the layouts of a graph that take the least time by a backend's costs.
///
/// To minimise the sum over a graph that is no tree is as hard as colouring it; but the regions between
/// choices are small, and what matters is seldom more than a chain of equal layers. So the search goes down
/// from several beginnings: every node by what is quickest for it alone, and everything in one layout, for
/// each layout there is. A step changes one choice, or all choices around one region together, and is
/// taken where it makes the whole graph quicker. The result is never worse, by the costs, than any of the
/// beginnings.
///
/// Source: the problem is that of *global layout* in Liu et al., *Optimizing CNN Model Inference on CPUs*,
/// USENIX ATC 2019; the descent is iterated conditional modes (Besag, *On the statistical analysis of dirty
/// pictures*, 1986).
package struct LayoutSearch {
  private let graph: LayoutGraph
  /// By region, the choices around it.
  private let neighbours: [[Int]]

  private init(_ graph: LayoutGraph) {
    self.graph = graph
    var neighbours = [[Int]](repeating: [], count: graph.regions.count)
    for (number, choice) in graph.choices.enumerated() {
      for region in choice.regions { neighbours[region].append(number) }
    }
    self.neighbours = neighbours
  }

  /// The layouts for a graph.
  ///
  /// - Complexity: linear in the nodes of chains; a choice is weighed against all nodes of the regions
  ///   beside it.
  package static func assignment(_ roots: [Tensor], _ costs: any LayoutCosts) -> LayoutAssignment {
    let search = LayoutSearch(LayoutGraph(roots, costs))
    return search.assignment(search.best())
  }

  /// The layouts for a graph where each node is computed by the candidate that `policy` names of those that
  /// there are: what searches are compared with.
  package static func assignment(
    _ roots: [Tensor], _ costs: any LayoutCosts, by policy: (Node, [LayoutCandidate]) -> Int
  ) -> LayoutAssignment {
    let search = LayoutSearch(LayoutGraph(roots, costs))
    return search.assignment(search.graph.choices.map { policy($0.node, $0.candidates) })
  }

  private func assignment(_ chosen: [Int]) -> LayoutAssignment {
    var result = LayoutAssignment()
    for (choice, index) in zip(graph.choices, chosen) {
      let types = choice.node.operands.map { "\($0.type.shape)" }.joined(separator: " by ")
      result.set(
        .init(
          node: "\(choice.node.operation.label) \(types)", count: choice.count,
          candidates: choice.candidates, chosen: index),
        for: choice.problem)
    }
    result.cycles = total(chosen)
    return result
  }

  // MARK: Search

  /// Where a change saves less than this part of the whole, it is none.
  private static let least = 1e-9
  /// Each makes the graph quicker; few need more than three.
  private static let mostSweeps = 8

  private func best() -> [Int] {
    var best: [Int] = []
    var least = Double.infinity
    for beginning in beginnings() {
      let (chosen, cycles) = descend(beginning)
      if cycles < least * (1 - Self.least) || best.isEmpty { (best, least) = (chosen, cycles) }
    }
    return best
  }

  private func beginnings() -> [[Int]] {
    let greedy = graph.choices.map { Self.quickest($0.candidates.indices, $0) }
    var names: [String] = []
    for candidate in graph.choices.flatMap(\.candidates) where !names.contains(candidate.name) {
      names.append(candidate.name)
    }
    let uniform = names.map { name in
      zip(graph.choices, greedy).map { choice, quickest in
        choice.candidates.firstIndex { $0.name == name } ?? quickest
      }
    }
    return [greedy] + uniform
  }

  private static func quickest(
    _ indices: some Sequence<Int>, _ choice: LayoutGraph.Choice
  ) -> Int {
    indices.min { choice.candidates[$0].cycles < choice.candidates[$1].cycles } ?? 0
  }

  private func descend(_ beginning: [Int]) -> (chosen: [Int], cycles: Double) {
    var state = State(
      chosen: beginning, least: Self.least * total(beginning),
      regions: graph.regions.indices.map { cycles(of: $0, beginning) })
    for _ in 0..<Self.mostSweeps {
      var isChanged = false
      for choice in graph.choices.indices {
        for candidate in graph.choices[choice].candidates.indices
        where candidate != state.chosen[choice] {
          if change([(choice, candidate)], &state) { isChanged = true }
        }
      }
      for region in graph.regions.indices {
        for layout in graph.layouts.indices {
          let changes = neighbours[region].compactMap { choice in
            together(choice, region, layout).map { (choice, $0) }
          }.filter { state.chosen[$0.0] != $0.1 }
          if changes.count > 1, change(changes, &state) { isChanged = true }
        }
      }
      if !isChanged { break }
    }
    return (state.chosen, total(state.chosen))
  }

  private struct State {
    var chosen: [Int]
    /// What a step has to save.
    var least: Double
    /// Cycles of each region.
    var regions: [Double]
  }

  /// Makes changes where they save time.
  private func change(_ changes: [(choice: Int, candidate: Int)], _ state: inout State) -> Bool {
    var chosen = state.chosen
    var saved = 0.0
    var touched: Set<Int> = []
    for (number, candidate) in changes {
      let choice = graph.choices[number]
      let own = choice.candidates[chosen[number]].cycles - choice.candidates[candidate].cycles
      saved += own * Double(choice.count)
      chosen[number] = candidate
      touched.formUnion(choice.regions)
    }
    var regions: [(Int, Double)] = []
    for region in touched.sorted() {
      let new = cycles(of: region, chosen)
      saved += state.regions[region] - new
      regions.append((region, new))
    }
    guard saved > state.least else { return false }
    state.chosen = chosen
    for (region, cycles) in regions { state.regions[region] = cycles }
    return true
  }

  /// The quickest candidate of a choice by which it reads or makes a tensor in a layout.
  private func together(_ choice: Int, _ region: Int, _ layout: Int) -> Int? {
    let choice = graph.choices[choice]
    let fitting = choice.candidates.indices.filter {
      choice.operands[$0].contains(layout) || choice.results[$0].contains(layout)
    }
    return fitting.isEmpty ? nil : Self.quickest(fitting, choice)
  }

  // MARK: Costs

  private func total(_ chosen: [Int]) -> Double {
    let own = zip(graph.choices, chosen).map { $0.candidates[$1].cycles * Double($0.count) }
    let between = graph.regions.indices.map { cycles(of: $0, chosen) }
    return own.reduce(0, +) + between.reduce(0, +)
  }

  /// The reorders of a region, each once for a tensor and a layout.
  private func cycles(of region: Int, _ chosen: [Int]) -> Double {
    var forms = Forms(items: graph.items)
    for event in graph.regions[region] {
      switch event {
      case .reads(let tensor, let choice, let operand):
        forms.bring(tensor, into: graph.choices[choice].operands[chosen[choice]][operand])
      case .makes(let tensor, let choice, let result):
        forms.make(tensor, in: graph.choices[choice].results[chosen[choice]][result])
      case .wants(let tensor):
        forms.bring(tensor, into: LayoutGraph.plain)
      case .follows(let follower):
        forms.follow(follower)
      }
    }
    return forms.cycles
  }

  /// As ``LayoutForms``, in numbers.
  private struct Forms {
    let items: [LayoutGraph.Item]
    var cycles = 0.0
    private var natives: [Int: Int] = [:]
    /// For each tensor a bit for each layout that it was brought into, the lowest for row-major order.
    private var known: [Int: UInt64] = [:]

    init(items: [LayoutGraph.Item]) { self.items = items }

    private static func bit(_ layout: Int) -> UInt64 { 1 << UInt64(min(layout + 1, 63)) }

    mutating func make(_ tensor: Int, in layout: Int) {
      if layout != LayoutGraph.plain { natives[tensor] = layout }
      known[tensor] = Self.bit(layout)
    }

    mutating func bring(_ tensor: Int, into layout: Int) {
      let native = natives[tensor] ?? LayoutGraph.plain
      let have = known[tensor] ?? Self.bit(LayoutGraph.plain)
      if have & Self.bit(layout) != 0 { return }
      known[tensor] = have | Self.bit(layout)
      if layout == LayoutGraph.plain {
        cycles += items[tensor].reorder[native]
        return
      }
      if native == LayoutGraph.plain, items[tensor].isBroadcast { return }
      bring(tensor, into: LayoutGraph.plain)
      cycles += items[tensor].reorder[layout]
    }

    mutating func follow(_ follower: LayoutGraph.Follower) {
      for operand in follower.operands {
        guard let native = natives[operand],
          let form = follower.forms.first(where: { $0.layout == native }),
          (follower.operands + follower.plain).allSatisfy({
            natives[$0] == native || items[$0].canBring[native]
          })
        else { continue }
        for operand in follower.operands + follower.plain { bring(operand, into: native) }
        for (result, layout) in zip(follower.results, form.results) { make(result, in: layout) }
        return
      }
      for operand in follower.operands { bring(operand, into: LayoutGraph.plain) }
      for result in follower.results { make(result, in: LayoutGraph.plain) }
    }
  }
}
