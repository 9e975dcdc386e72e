import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// The convolutions of a graph that change their layout, and what goes with them.
struct ConvolutionChains {
  /// What a node of the old graph is.
  enum Part {
    /// Computed with a later node.
    case inside
    /// The last node of a chain.
    case forward(Chain)
    case unpool(Unpool)
    case backwardData(ConvolutionGeometry)
    case backwardWeights(ConvolutionGeometry)
    /// The gradients of a bias, which come with those of the kernels.
    case biasSum(of: Node, ConvolutionGeometry)
  }

  /// A convolution and what follows it: bias, pooling, ReLU, each if it is there.
  struct Chain {
    var source: Tensor
    var kernels: Tensor
    var geometry: ConvolutionGeometry
    var bias: Tensor?
    var hasRectifier = false
    var pool: [Int]?
    /// The argmax of the pool, where somebody asks.
    var argmax: Tensor?
    var result: Tensor
  }

  /// The way back through pooling, and through the rectifier if the chain has one.
  struct Unpool {
    var gradients: Tensor
    var argmax: Tensor
    var pool: [Int]
    var size: [Int]
  }

  private(set) var parts: [Node: Part] = [:]
  /// The sums that are gradients of a bias, by the nodes that make the gradients of the kernels.
  private(set) var biasSums: [Node: Tensor] = [:]
  private var users: [Tensor: [Node]] = [:]
  private let roots: Set<Tensor>

  var isEmpty: Bool { parts.isEmpty }

  /// - Parameter isTaken: which convolutions change their layout, of those that can.
  init(_ roots: [Tensor], where isTaken: (Node) -> Bool) {
    self.roots = Set(roots)
    let order = roots.topologicalNodes()
    for node in order {
      for operand in Set(node.operands) { users[operand, default: []].append(node) }
    }
    for node in order where parts[node] == nil {
      guard let convolution = Self.convolution(node), isTaken(node) else { continue }
      let geometry = convolution.geometry
      switch convolution.kind {
      case .forward: follow(node, geometry)
      case .backwardData: parts[node] = .backwardData(geometry)
      case .backwardWeights:
        parts[node] = .backwardWeights(geometry)
        findBiasSum(node, geometry)
      }
    }
  }

  /// Two axes, float32, no groups, sizes that are numbers; nil for everything else.
  static func convolution(_ node: Node) -> ConvolutionDescription? {
    guard let found = node.convolution else { return nil }
    let (source, result) = (found.image, found.output)
    let numbers = source.plane + result.plane + found.kernels.shape.map { $0.known ?? 0 }
    guard found.geometry.axisCount == 2, found.geometry.groups == 1, source.dtype == .float32,
      numbers.allSatisfy({ $0 > 0 })
    else { return nil }
    return found
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
    var unpools: [Unpooling] = []
    if let pool = pooling(behind: chain.result) {
      absorb([last], pool.node)
      chain.pool = pool.window
      chain.argmax = pool.backward.isEmpty ? nil : pool.node.results[1]
      unpools = pool.backward
    }
    if let choice = rectifier(behind: chain.result, unpools) {
      absorb([last], choice)
      chain.hasRectifier = true
      let gated = choice.results[0]
      unpools = unpools.map { $0.behindRectifier(gated) ?? $0 }
    }
    for unpool in unpools {
      for node in unpool.inner { parts[node] = .inside }
      parts[unpool.outer] = .unpool(unpool.operation)
    }
    parts[last] = .forward(chain)
  }

  /// The nodes that read a tensor; nil for one that is wanted beside them.
  private func readers(_ tensor: Tensor) -> [Node]? {
    roots.contains(tensor) ? nil : users[tensor] ?? []
  }

  private func biasSum(behind tensor: Tensor) -> (Node, Tensor)? {
    guard let readers = readers(tensor), readers.count == 1, readers[0].arithmetic == .add,
      let other = readers[0].operands.first(where: { $0 != tensor }),
      let bias = other.repeatedVector(along: 1)
    else { return nil }
    return (readers[0], bias)
  }

  /// ReLU of a tensor that nobody else reads, where all ways back through the pooling before it pass its
  /// gradient: the argmax of maxima hold it.
  private func rectifier(behind tensor: Tensor, _ unpools: [Unpooling]) -> Node? {
    guard let readers = readers(tensor), readers.count == 1, readers[0].operation is Rectify,
      unpools.allSatisfy({ $0.behindRectifier(readers[0].results[0]) != nil })
    else { return nil }
    return readers[0]
  }

  /// A way back through pooling.
  private struct Unpooling {
    var inner: [Node] = []
    var outer: Node
    var operation: Unpool

    /// The same where the gradients are those that arrive at ReLU's `result`; nil where they are
    /// not.
    func behindRectifier(_ result: Tensor) -> Unpooling? {
      let gate = operation.gradients.node
      guard gate.operation is RectifyGradient, gate.operands[0] == result else { return nil }
      var unpooling = self
      unpooling.operation.gradients = gate.operands[1]
      return unpooling
    }
  }

  private struct Pooling {
    var node: Node
    var window: [Int]
    var backward: [Unpooling] = []
  }

  /// Windows of a tile must fit into the registers, and their argmax into a byte.
  private static let mostWindow = 12

  private func pooling(behind tensor: Tensor) -> Pooling? {
    guard let readers = readers(tensor), readers.count == 1, let node = readers.first,
      let found = node.pooling, found.isMaximum, case let geometry = found.geometry,
      geometry == PoolingGeometry(disjoint: geometry.window), geometry.axisCount == 2,
      geometry.area <= Self.mostWindow, let backwards = self.readers(node.results[1])
    else { return nil }
    var result = Pooling(node: node, window: geometry.window)
    for backward in backwards {
      guard let unpooling = backward.unpooling, unpooling.argmax == node.results[1],
        !roots.contains(backward.results[0])
      else { return nil }
      let unpool = Unpool(
        gradients: unpooling.values, argmax: node.results[1], pool: geometry.window,
        size: Array(backward.types[0].plane.dropFirst()))
      result.backward.append(Unpooling(outer: backward, operation: unpool))
    }
    return result
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
