import AgnesiArrays
import AgnesiLoops

/// One draw of a program: random numbers under a name.
///
/// The numbers of a call are a function of seed, name and the number of the call, so that they are
/// the same on every device, and again after a program was stopped and resumed. Two draws of one
/// name are told apart by an identity until ``renamedStreams(_:)`` gives each a name of its own.
package struct RandomStream: Hashable, Sendable, Codable {
  package var name: String
  package let seed: UInt64
  /// Nil for what was read from a file, where names are unique.
  private let identity: Identity?

  private enum CodingKeys: String, CodingKey { case name, seed }

  /// A new draw under the names of the enclosing scopes.
  package init(_ name: String) {
    self.name = Scope.qualified(name)
    seed = Scope.seed
    identity = Identity()
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    seed = try container.decode(UInt64.self, forKey: .seed)
    identity = nil
  }

  fileprivate var philox: Philox { Philox(seed: seed, name: name) }
}

extension Tensor {
  /// Uniform random 32-bit words; those of other numbers (0...3) are independent.
  package static func randomWord(_ stream: RandomStream, _ number: Int, _ shape: Shape) -> Tensor {
    Tensor(RandomWord(stream: stream, number: number, shape: shape), .callNumber)
  }
}

/// Element `i` is a word of the Philox block at counter (`i`, number of the call).
struct RandomWord: Operation {
  static let name = "randomWord"
  var isRandom: Bool { true }
  var stream: RandomStream
  /// 0...3: which of the words of each block.
  let number: Int
  let shape: Shape

  var roles: [String] { ["call number"] }
  var elementCost: Int { 40 }
  var instanceName: String? { stream.name }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard operands[0] == TensorType(.int64, []) else {
      throw TypeError("needs the number of the call, int64 of no axes, got \(operands[0])")
    }
    for (axis, size) in shape.enumerated() where (size.known ?? 0) < 0 {
      throw TypeError("axis \(axis) of size \(size)")
    }
    return [TensorType(.uint32, shape)]
  }

  func gradient(_ upstream: [Tensor?], operands: [Tensor], results: [Tensor]) -> [Tensor?] { [nil] }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let (philox, call) = (stream.philox, UInt64(bitPattern: operands[0].wholes[0]))
    let known = types[0].knownShape ?? []
    let words = (0..<known.product).map { index -> UInt32 in
      let block = philox.block(low: UInt64(index), high: call)
      return [block.0, block.1, block.2, block.3][number]
    }
    return [NDArray(words, shape: known)]
  }

  func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? {
    let (key, number, shape) = (stream.philox.key, number, shape)
    return .pull { index, operands in
      .random(
        key: key, low: Reshape.position(index, in: shape), high: operands[0]([]), word: number)
    }
  }

  func substituting(_ sizes: [String: Size]) -> RandomWord {
    RandomWord(stream: stream, number: number, shape: shape.map { $0.substituting(sizes) })
  }

  static let examples = [
    Example(
      "words", [], differentiable: false,
      results: { _ in
        let stream = RandomStream("words")
        return (0..<4).map { .randomWord(stream, $0, [3, 5]) }
      }),
    Example(
      "two draws of one name", [], differentiable: false,
      results: { _ in
        (0..<2).map { _ in .randomWord(RandomStream("words"), 0, [7]) }
      }),
    Example("one word", [], differentiable: false) { _ in
      .randomWord(RandomStream("word"), 0, [])
    },
    Example("none", [], differentiable: false) { _ in .randomWord(RandomStream("word"), 0, [0]) },
    Example("uniform", [], differentiable: false) { _ in randomUniform([100]) },
    Example("uniform doubles", [], differentiable: false) { _ in
      randomUniform([100], dtype: .float64)
    },
    Example("a range", [], differentiable: false) { _ in randomUniform([100], in: -3...5) },
    Example("normal", [], differentiable: false, tolerance: 64) { _ in randomNormal([50]) },
    Example("Bernoulli", [], differentiable: false) { _ in
      randomBernoulli([50], probability: 0.3)
    },
    Example("whole numbers", [], differentiable: false) { _ in randomInteger([50], in: -3..<9) },
  ]
}

/// The same tensors with a name of its own for each draw.
///
/// Draws that were given the same name in a function would be equal. In topological order the first
/// keeps the name and the others get `name.2`, `name.3` and so on; the order depends only on how the
/// graph was written, so the numbers are the same in each process.
package func renamedStreams(_ outputs: [Tensor]) -> [Tensor] {
  var names = StreamNames()
  let draws = outputs.topologicalNodes().filter { $0.operation is RandomWord }
  for node in draws {
    if let word = node.operation as? RandomWord { names.add(word.stream) }
  }
  return outputs.rebuilt { node, new in
    guard var word = node.operation as? RandomWord else { return nil }
    let name = names.name(of: word.stream)
    if name == word.stream.name { return nil }
    word.stream.name = name
    return Tensor.make(word, new.operands(of: node))
  }
}

/// Which draw is called what.
private struct StreamNames {
  private var names: [RandomStream: String] = [:]
  private var taken: Set<String> = []

  mutating func add(_ stream: RandomStream) {
    guard names[stream] == nil else { return }
    var (name, number) = (stream.name, 1)
    while !taken.insert(key(name, stream)).inserted {
      number += 1
      name = "\(stream.name).\(number)"
    }
    names[stream] = name
  }

  func name(of stream: RandomStream) -> String { names[stream] ?? stream.name }

  /// Under other seeds the same name is another stream.
  private func key(_ name: String, _ stream: RandomStream) -> String { "\(stream.seed) \(name)" }
}
