import Agnesi
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

/// Convolutions in row-major order or in blocks of eight channels, at prices that tests set.
private struct Prices: LayoutCosts {
  /// Cycles of a convolution in order and in blocks, by the number of its filters.
  var plain: [Int: Double] = [:]
  var blocked: [Int: Double] = [:]
  var reorder = 1.0

  static let layout = Layout.blocked(axis: 1, by: 8, rank: 4)

  var reorders: any LayoutReorders { ViewReorders() }

  func candidates(for node: Node) -> [LayoutCandidate] {
    guard let convolution = node.convolution,
      let filters = convolution.kernels.shape[0].known
    else { return [] }
    func isWhole(_ type: TensorType) -> Layout? {
      Self.layout.divides(type.shape) ? Self.layout : nil
    }
    let (image, output) = (isWhole(convolution.image), isWhole(convolution.output))
    return [
      LayoutCandidate(
        "plain", operands: [nil, nil], results: [nil], cycles: plain[filters] ?? 0),
      LayoutCandidate(
        "blocked", operands: [image, nil], results: [output], cycles: blocked[filters] ?? 0),
    ]
  }

  func reorder(_ tensor: Tensor, _ layout: Layout) -> Double { reorder }
}

/// Carries an assignment out as a backend does, with the convolutions as they are between reorders.
private func laidOut(_ roots: [Tensor], _ layouts: LayoutAssignment) -> [Tensor] {
  var forms = LayoutForms()
  roots.visitNodes { node in
    guard let name = layouts.layout(of: node), name == "blocked" else { return forms.follow(node) }
    let image = node.operands[0]
    let divides = (
      Prices.layout.divides(image.shape), Prices.layout.divides(node.types[0].shape)
    )
    // A stand-in of the same dependencies, whose reorders are not the pass's own.
    let source = divides.0 ? forms.form(image, in: Prices.layout) : forms.plain(image)
    let type = node.types[0].shape
    let target = divides.1 ? Prices.layout.shape(of: type) : type
    let made = source.sum().broadcast(to: target)
    forms.set(node.results[0], made, in: divides.1 ? Prices.layout : nil)
  }
  return roots.map { forms.plain($0) }
}

@Suite struct LayoutSearchTests {
  private let image = Tensor.input("image", [4, 8, 6, 6])

  private func layer(_ image: Tensor, _ filters: Int) -> Tensor {
    let kernels = Tensor.parameter(
      "kernels", [Size(filters), image.shape[1], 3, 3], .normal(mean: 0, deviation: 1))
    return convolution2D(image, kernels, padding: .same)
  }

  private func names(_ layouts: LayoutAssignment) -> [String] {
    layouts.order.map { problem in
      layouts.choices[problem].map { $0.candidates[$0.chosen].name } ?? ""
    }
  }

  /// The middle one alone is quicker in order; two reorders take more than that.
  @Test func bordersCount() {
    let result = layer(tanh(layer(tanh(layer(image, 16)), 24)), 32)
    let roots = [result]
    var prices = Prices(plain: [16: 10, 24: 10, 32: 10], blocked: [16: 2, 24: 11, 32: 2])
    #expect(names(LayoutSearch.assignment(roots, prices)) == ["blocked", "blocked", "blocked"])
    // In, and out at the end.
    #expect(LayoutSearch.assignment(roots, prices).cycles == 2 + 11 + 2 + 2)
    prices.reorder = 0.1
    #expect(names(LayoutSearch.assignment(roots, prices)) == ["blocked", "plain", "blocked"])
  }

  /// Each alone would pay two reorders; together they pay as many.
  @Test func chainsMoveTogether() {
    var result = image
    for filters in [16, 24, 32, 40] { result = tanh(layer(result, filters)) }
    let filters = [16, 24, 32, 40]
    let prices = Prices(
      plain: Dictionary(uniqueKeysWithValues: filters.map { ($0, 10) }),
      blocked: Dictionary(uniqueKeysWithValues: filters.map { ($0, 9.4) }))
    #expect(
      names(LayoutSearch.assignment([result], prices)) == Array(repeating: "blocked", count: 4))
  }

  /// A tensor is brought into a layout once, however many read it.
  @Test func readersShareAReorder() {
    let source = layer(image, 16)
    let results = [layer(source, 24), layer(source, 32)]
    let prices = Prices(plain: [16: 0, 24: 5, 32: 5], blocked: [16: 90, 24: 1, 32: 1], reorder: 2)
    let layouts = LayoutSearch.assignment(results, prices)
    #expect(names(layouts) == ["plain", "blocked", "blocked"])
    // One in, two out.
    #expect(layouts.cycles == 0 + 1 + 1 + 3 * 2)
  }

  @Test func whatItSays() {
    let result = layer(layer(image, 8), 8)
    let layouts = LayoutSearch.assignment([result], Prices(plain: [8: 5000], blocked: [8: 1500]))
    #expect(
      layouts.lines == [
        "2 × convolution [4, 8, 6, 6] by [8, 8, 3, 3]: blocked, 2 kcycles (plain 5)"
      ])
  }

  private func drawn(_ seed: UInt64) -> [Tensor] {
    let stream = Philox(key: seed)
    var position: UInt64 = 0
    func pick(_ count: Int) -> Int {
      position += 1
      return Int(stream.word(position)) % count
    }
    var tensors = [image]
    for number in 0..<9 {
      let source = tensors[max(0, tensors.count - 1 - pick(3))]
      switch pick(5) {
      case 0: tensors.append(exp(source))
      case 1:
        let other = tensors[pick(tensors.count)]
        tensors.append(other.shape == source.shape ? source + other : tanh(source))
      case 2: tensors.append(concatenated([source, tensors[pick(tensors.count)]], axis: 1))
      default:
        // Of different filters, so that each is a choice of its own; some fill no blocks.
        if tensors.count < 8 {
          tensors.append(layer(source, [8, 16, 24, 12, 32, 40, 5, 48, 56][number]))
        }
      }
    }
    return Array(tensors.suffix(2))
  }

  private func prices(_ seed: UInt64) -> Prices {
    let stream = Philox(key: seed + 1000)
    let filters = [8, 16, 24, 12, 32, 40, 5, 48, 56]
    func draw(_ offset: Int) -> [Int: Double] {
      Dictionary(
        uniqueKeysWithValues: filters.enumerated().map { index, filters in
          (filters, Double(stream.word(UInt64(index + offset)) % 80) / 10)
        })
    }
    return Prices(plain: draw(0), blocked: draw(50), reorder: 2)
  }

  /// On small graphs all assignments can be tried: none is better by more than the tenth.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func nothingIsMuchBetter(_ seed: UInt64) {
    let (roots, prices) = (drawn(seed), prices(seed))
    let found = LayoutSearch.assignment(roots, prices)
    let problems = found.order
    for pattern in 0..<(1 << problems.count) {
      let other = LayoutSearch.assignment(roots, prices) { node, _ in
        (pattern >> (problems.firstIndex(of: LayoutProblem(node)) ?? 0)) & 1
      }
      #expect(
        found.cycles <= other.cycles * 1.1 + 1e-9, "\(names(other)) instead of \(names(found))")
    }
  }

  /// What the search counts are the reorders that the walk makes.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func itCountsWhatIsBuilt(_ seed: UInt64) {
    let roots = drawn(seed)
    let prices = Prices(reorder: 1)
    let stream = Philox(key: seed + 2000)
    for round in 0..<4 {
      let layouts = LayoutSearch.assignment(roots, prices) { node, _ in
        let filters = node.convolution?.kernels.shape[0].known ?? 0
        return Int(stream.word(UInt64(round * 100 + filters)) % 2)
      }
      let built = laidOut(roots, layouts).topologicalNodes()
      let transposes = built.count { $0.operation.label == "transpose" }
      #expect(Double(transposes) == layouts.cycles)
    }
  }
}
