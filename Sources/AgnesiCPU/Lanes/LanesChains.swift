import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// The convolutions of a graph that go into lanes, and what goes with them.
struct LanesChains {
  /// What a node of the old graph is.
  enum Part {
    /// Computed with a later node.
    case inside
    /// The last node of a chain.
    case forward(Chain)
    case unpool(Unpool)
    case toInput(ConvolutionGeometry)
    case toKernels(ConvolutionGeometry)
    /// The slopes of a bias, which come with those of the kernels.
    case biasSum(of: Node, ConvolutionGeometry)
  }

  /// A convolution and what follows it: bias, rectifier, pooling, each if it is there.
  struct Chain {
    var source: Tensor
    var kernels: Tensor
    var geometry: ConvolutionGeometry
    var bias: Tensor?
    var hasRectifier = false
    var pool: [Int]?
    /// The places of the maxima, where somebody asks.
    var places: Tensor?
    var result: Tensor
  }

  /// The way back through pooling, and through the rectifier if the chain has one.
  struct Unpool {
    var slopes: Tensor
    var places: Tensor
    var pool: [Int]
    var size: [Int]
  }

  /// What decides whether a convolution goes into lanes.
  struct Convolution {
    var node: Node
    var samples: Size
    var channels: Int
    var filters: Int
    /// Numbers of a sample, before or behind the convolution.
    var largestImage: Int
  }

  private(set) var parts: [Node: Part] = [:]
  /// The sums that are slopes of a bias, by the nodes that make the slopes of the kernels.
  private(set) var biasSums: [Node: Tensor] = [:]
  private var users: [Tensor: [Node]] = [:]
  private let roots: Set<Tensor>

  var isEmpty: Bool { parts.isEmpty }

  init(_ roots: [Tensor], where isWorthwhile: (Convolution) -> Bool) {
    self.roots = Set(roots)
    let order = roots.topologicalNodes()
    for node in order {
      for operand in Set(node.operands) { users[operand, default: []].append(node) }
    }
    for node in order where parts[node] == nil {
      guard let taken = Self.convolution(node), isWorthwhile(taken) else { continue }
      switch node.operation {
      case let forward as ConvolutionForward: follow(node, forward.geometry)
      case let toInput as ConvolutionToInput: parts[node] = .toInput(toInput.geometry)
      case let toKernels as ConvolutionToKernels:
        parts[node] = .toKernels(toKernels.geometry)
        findBiasSum(node, toKernels.geometry)
      default: break
      }
    }
  }

  /// Two axes, float32, no groups, sizes that are numbers; nil for everything else.
  private static func convolution(_ node: Node) -> Convolution? {
    let geometry: ConvolutionGeometry
    let (source, kernels, result): (TensorType, TensorType, TensorType)
    let types = node.operands.map(\.type) + node.types
    switch node.operation {
    case let forward as ConvolutionForward:
      geometry = forward.geometry
      (source, kernels, result) = (types[0], types[1], types[2])
    case let toInput as ConvolutionToInput:
      geometry = toInput.geometry
      (result, kernels, source) = (types[0], types[1], types[2])
    case let toKernels as ConvolutionToKernels:
      geometry = toKernels.geometry
      (source, result, kernels) = (types[0], types[1], types[2])
    default: return nil
    }
    let numbers = source.plane + result.plane + kernels.shape.map { $0.known ?? 0 }
    guard geometry.axisCount == 2, geometry.groups == 1, source.dtype == .float32,
      numbers.allSatisfy({ $0 > 0 })
    else { return nil }
    return Convolution(
      node: node, samples: source.shape[0], channels: source.plane[0], filters: result.plane[0],
      largestImage: max(source.plane.product, result.plane.product))
  }

  // MARK: Forward

  /// Finds what follows a convolution, as long as nobody else reads what lies between.
  private mutating func follow(_ node: Node, _ geometry: ConvolutionGeometry) {
    var chain = Chain(
      source: node.operands[0], kernels: node.operands[1], geometry: geometry,
      result: node.results[0])
    var last = node
    func absorb(_ inner: [Node], _ next: Node) {
      for node in inner { parts[node] = .inside }
      last = next
      chain.result = next.results[0]
    }
    if let (sum, bias) = biasSum(behind: chain.result) {
      absorb([last], sum)
      chain.bias = bias
    }
    if let (compare, choice) = rectifier(behind: chain.result) {
      absorb([last, compare], choice)
      chain.hasRectifier = true
    }
    if let pool = pooling(behind: chain) {
      absorb([last], pool.node)
      chain.pool = pool.window
      chain.places = pool.backward.isEmpty ? nil : pool.node.results[1]
      for (inner, outer, unpool) in pool.backward {
        for node in inner { parts[node] = .inside }
        parts[outer] = .unpool(unpool)
      }
    }
    parts[last] = .forward(chain)
  }

  /// The nodes that read a tensor; nil for one that is wanted beside them.
  private func readers(_ tensor: Tensor) -> [Node]? {
    roots.contains(tensor) ? nil : users[tensor] ?? []
  }

  private func biasSum(behind tensor: Tensor) -> (Node, Tensor)? {
    guard let readers = readers(tensor), readers.count == 1, readers[0].operation.label == "add",
      let other = readers[0].operands.first(where: { $0 != tensor }), other.isBroadcast
    else { return nil }
    let source = other.node.operands[0]
    guard source.rank <= 4 else { return nil }
    let aligned = Shape(repeating: 1, count: 4 - source.rank) + source.shape
    return aligned == [1, tensor.shape[1], 1, 1] ? (readers[0], source) : nil
  }

  /// `select(x <= 0, 0, x)` and its comparison.
  private func rectifier(behind tensor: Tensor) -> (compare: Node, choice: Node)? {
    guard let readers = readers(tensor), readers.count == 2,
      let choice = readers.first(where: { $0.operation.label == "select" }),
      let compare = readers.first(where: { $0.operation.label == "lessOrEqual" }),
      choice.operands[0] == compare.results[0], choice.operands[1].scalarConstant == 0,
      choice.operands[2] == tensor, compare.operands[0] == tensor,
      compare.operands[1].scalarConstant == 0, self.readers(compare.results[0])?.count == 1
    else { return nil }
    return (compare, choice)
  }

  private struct Pooling {
    var node: Node
    var window: [Int]
    /// For each way back: the nodes inside it, the last one, and what it is.
    var backward: [(inner: [Node], outer: Node, Unpool)] = []
  }

  /// Windows of a tile must fit into the registers, and their places into a byte.
  private static let mostWindow = 12

  private func pooling(behind chain: Chain) -> Pooling? {
    guard let readers = readers(chain.result),
      let node = readers.first(where: { $0.operation is MaxPool }),
      let geometry = (node.operation as? MaxPool)?.geometry,
      geometry == PoolingGeometry(disjoint: geometry.window), geometry.axisCount == 2,
      geometry.area <= Self.mostWindow, let backwards = self.readers(node.results[1])
    else { return nil }
    var result = Pooling(node: node, window: geometry.window)
    let masks = readers.filter { $0 != node }
    guard masks.count <= 1, chain.hasRectifier || masks.isEmpty,
      masks.allSatisfy({ isSign($0, of: chain.result) })
    else { return nil }
    for toInput in backwards {
      guard toInput.operation is MaxPoolToInput, toInput.operands[1] == node.results[1],
        !roots.contains(toInput.results[0])
      else { return nil }
      let unpool = Unpool(
        slopes: toInput.operands[0], places: node.results[1], pool: geometry.window,
        size: Array(toInput.types[0].plane.dropFirst()))
      guard let mask = masks.first else {
        // Without the mask, a slope passes where the rectifier's gradient would stop it.
        if chain.hasRectifier { return nil }
        result.backward.append(([], toInput, unpool))
        continue
      }
      guard let choice = users[toInput.results[0]], choice.count == 1,
        isMasked(choice[0], toInput.results[0], by: mask.results[0])
      else { return nil }
      result.backward.append(([toInput, mask], choice[0], unpool))
    }
    let choices = Set(result.backward.map(\.outer))
    let others = masks.flatMap { users[$0.results[0]] ?? [] }.filter { !choices.contains($0) }
    return others.isEmpty ? result : nil
  }

  /// `0 < x`
  private func isSign(_ node: Node, of tensor: Tensor) -> Bool {
    node.operation.label == "less" && node.operands[0].scalarConstant == 0
      && node.operands[1] == tensor && !roots.contains(node.results[0])
  }

  /// `select(mask, slopes, 0)`
  private func isMasked(_ node: Node, _ slopes: Tensor, by mask: Tensor) -> Bool {
    node.operation.label == "select" && node.operands[0] == mask && node.operands[1] == slopes
      && node.operands[2].scalarConstant == 0
  }

  // MARK: Backward

  private mutating func findBiasSum(_ node: Node, _ geometry: ConvolutionGeometry) {
    let sums = (users[node.operands[1]] ?? []).filter { user in
      guard let (combiner, axes) = user.results[0].reduction else { return false }
      return combiner == .sum && axes == [0, 2, 3] && parts[user] == nil
    }
    guard let sum = sums.first else { return }
    parts[sum] = .biasSum(of: node, geometry)
    biasSums[node] = sum.results[0]
  }
}
