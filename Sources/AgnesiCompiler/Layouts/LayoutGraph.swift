import AgnesiExpressions
import AgnesiLoops

/// A graph as the search for layouts sees it: choices, and regions in which tensors pass on layouts.
///
/// Nodes with candidates are *anchors*: what they choose is what is searched for. All other nodes follow
/// their operands, so a reorder is needed only where anchors that are joined by such nodes disagree. The
/// tensors between anchors fall into regions that have nothing to do with one another; the cost of a graph
/// is the sum of those of its anchors and of its regions, and a choice changes only the regions beside it.
struct LayoutGraph {
  /// Nodes that are computed in one way.
  struct Choice {
    var problem: LayoutProblem
    var node: Node
    var candidates: [LayoutCandidate]
    /// The layout of each operand and each result of a candidate, as numbers.
    var operands: [[Int]]
    var results: [[Int]]
    var count = 1
    /// The regions that it may change.
    var regions: Set<Int> = []
  }

  /// What happens to the tensors of a region, in the order of the graph.
  enum Event {
    /// A node with a choice reads a tensor.
    case reads(tensor: Int, choice: Int, operand: Int)
    /// A node with a choice makes a tensor.
    case makes(tensor: Int, choice: Int, result: Int)
    case follows(Follower)
    /// Somebody wants it in row-major order.
    case wants(tensor: Int)
  }

  /// A node that follows the layouts of its operands.
  struct Follower {
    /// Those that may be in a layout, the largest first.
    var operands: [Int]
    /// All other ones, which are in row-major order.
    var plain: [Int]
    var results: [Int]
    /// The layouts that it can work in, and what its results are then in.
    var forms: [(layout: Int, results: [Int])]
  }

  /// What is known of a tensor.
  struct Item {
    /// Whether it is repeated, so that it comes into any layout for nothing.
    var isBroadcast: Bool
    /// Whether it may be brought into a layout, by the layout's number.
    var canBring: [Bool] = []
    /// Cycles for that, or for bringing it out.
    var reorder: [Double] = []
  }

  private(set) var choices: [Choice] = []
  private(set) var regions: [[Event]] = []
  private(set) var items: [Item] = []
  private(set) var layouts: [Layout] = []

  /// The number of row-major order.
  static let plain = -1

  private let costs: any LayoutCosts
  private let following: LayoutFollowing
  private var numbers: [Layout: Int] = [:]
  private var tensors: [Tensor: Int] = [:]
  private var originals: [Tensor] = []
  private var choiceNumbers: [LayoutProblem: Int] = [:]
  /// By tensor: a bit for each layout that it may be in.
  private var possible: [UInt64] = []
  /// By tensor: another one of its region, itself for one of each.
  private var parents: [Int] = []
  private var events: [(tensor: Int, event: Event)] = []

  init(_ roots: [Tensor], _ costs: any LayoutCosts) {
    self.costs = costs
    following = LayoutFollowing(reorders: costs.reorders)
    for node in roots.topologicalNodes() {
      let known = choiceNumbers[LayoutProblem(node)]
      let candidates = known == nil ? costs.candidates(for: node) : []
      if known != nil || !candidates.isEmpty {
        anchor(node, candidates)
      } else {
        follow(node)
      }
    }
    for root in roots {
      if let tensor = tensors[root], possible[tensor] != 0 { add(.wants(tensor: tensor), tensor) }
    }
    for index in originals.indices { describe(index) }
    distribute()
  }

  // MARK: Nodes

  private mutating func anchor(_ node: Node, _ candidates: [LayoutCandidate]) {
    let problem = LayoutProblem(node)
    let choice: Int
    if let known = choiceNumbers[problem] {
      choice = known
      choices[known].count += 1
    } else {
      choice = choices.count
      choiceNumbers[problem] = choice
      let operands = candidates.map { $0.operands.map { number($0) } }
      let results = candidates.map { $0.results.map { number($0) } }
      choices.append(
        Choice(
          problem: problem, node: node, candidates: candidates, operands: operands,
          results: results))
    }
    for (index, operand) in node.operands.enumerated() {
      let isMoved = choices[choice].operands.contains { $0[index] != Self.plain }
      guard isMoved || tensors[operand].map({ possible[$0] != 0 }) ?? false else { continue }
      let tensor = item(operand)
      add(.reads(tensor: tensor, choice: choice, operand: index), tensor)
    }
    for (index, result) in node.results.enumerated() {
      let tensor = item(result)
      for layouts in choices[choice].results where layouts[index] != Self.plain {
        possible[tensor] |= 1 << UInt64(layouts[index])
      }
      add(.makes(tensor: tensor, choice: choice, result: index), tensor)
    }
  }

  private mutating func follow(_ node: Node) {
    let moved = node.operands.filter { tensors[$0].map { possible[$0] != 0 } ?? false }
    guard !moved.isEmpty else { return }
    let sorted = moved.sorted { $0.type.isLarger(than: $1.type) }.map { item($0) }
    let all = sorted.reduce(0) { $0 | possible[$1] }
    var forms: [(layout: Int, results: [Int])] = []
    for layout in layouts.indices where all & (1 << UInt64(layout)) != 0 {
      guard let form = following.form(of: node, in: layouts[layout]) else { continue }
      let results = zip(node.results, form.layouts).map {
        following.isInOrder($0, in: $1) ? Self.plain : number($1)
      }
      forms.append((layout, results))
    }
    // Where it can work in none, it only wants its operands in order.
    guard !forms.isEmpty else {
      for tensor in sorted { add(.wants(tensor: tensor), tensor) }
      return
    }
    let plain = node.operands.filter { operand in !moved.contains(operand) }.map { item($0) }
    let results = node.results.map { item($0) }
    for form in forms {
      for (result, layout) in zip(results, form.results) where layout != Self.plain {
        possible[result] |= 1 << UInt64(layout)
      }
    }
    let follower = Follower(operands: sorted, plain: plain, results: results, forms: forms)
    for tensor in sorted.dropFirst() + plain + results { join(sorted[0], tensor) }
    add(.follows(follower), sorted[0])
  }

  private mutating func add(_ event: Event, _ tensor: Int) { events.append((tensor, event)) }

  // MARK: Tensors

  private mutating func number(_ layout: Layout?) -> Int {
    guard let layout, !layout.isPlain else { return Self.plain }
    if let known = numbers[layout] { return known }
    // A backend has a few for each number of axes.
    guard layouts.count < 64 else { return Self.plain }
    numbers[layout] = layouts.count
    layouts.append(layout)
    return layouts.count - 1
  }

  private mutating func item(_ tensor: Tensor) -> Int {
    if let known = tensors[tensor] { return known }
    tensors[tensor] = originals.count
    originals.append(tensor)
    possible.append(0)
    parents.append(parents.count)
    return originals.count - 1
  }

  private mutating func describe(_ index: Int) {
    let tensor = originals[index]
    var item = Item(isBroadcast: tensor.isBroadcast)
    for layout in layouts {
      let can = layout.rank == tensor.rank
      item.canBring.append(can && following.canBring(tensor, into: layout))
      item.reorder.append(can ? costs.reorder(tensor, layout) : 0)
    }
    items.append(item)
  }

  // MARK: Regions

  private mutating func root(_ tensor: Int) -> Int {
    var tensor = tensor
    while parents[tensor] != tensor {
      parents[tensor] = parents[parents[tensor]]
      tensor = parents[tensor]
    }
    return tensor
  }

  private mutating func join(_ one: Int, _ other: Int) {
    let (one, other) = (root(one), root(other))
    if one != other { parents[max(one, other)] = min(one, other) }
  }

  private mutating func distribute() {
    var places: [Int: Int] = [:]
    for (tensor, event) in events {
      let root = root(tensor)
      let region: Int
      if let known = places[root] {
        region = known
      } else {
        region = regions.count
        places[root] = region
        regions.append([])
      }
      regions[region].append(event)
      switch event {
      case .reads(_, let choice, _), .makes(_, let choice, _):
        choices[choice].regions.insert(region)
      default: break
      }
    }
    events = []
  }
}
