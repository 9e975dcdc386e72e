import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

/// Operations on operands that lie in another layout mean the same.
@Suite struct LayoutTests {
  /// Every node of every example, in every layout that blocks one of its axes evenly.
  @Test(arguments: ConformanceCase.all) func followingALayoutKeepsTheNumbers(
    _ item: ConformanceCase
  ) throws {
    let built = item.built(.float32)
    var walk = built.walk
    let outputs = expandComposites(built.outputs)
    _ = try walk.values(of: outputs)
    for node in outputs.topologicalNodes() {
      guard let operation = node.operation as? any FollowsLayout,
        let first = node.operands.first, node.operands.allSatisfy({ $0.rank == first.rank })
      else { continue }
      let values = try walk.operands(of: node)
      for axis in 0..<first.rank {
        for width in [2, 3] {
          let layout = Layout.blocked(axis: axis, by: width, rank: first.rank)
          guard node.operands.allSatisfy({ layout.divides($0.shape) }),
            let form = operation.laidOut(layout, node.operands.map(\.type))
          else { continue }
          try check(form, layout, node, values, try walk.values(of: node.results))
        }
      }
    }
  }

  private func check(
    _ form: LaidOutOperation, _ layout: Layout, _ node: Node, _ values: [NDArray],
    _ expected: [NDArray]
  ) throws {
    let operands = values.map { layout.packed($0) }
    let laidOutTypes = operands.map { TensorType($0.dtype, $0.shape.map { Size($0) }) }
    let types = try form.operation.types(of: laidOutTypes)
    #expect(form.results.count == expected.count)
    let results = try form.operation.reference(operands, types: types)
    for ((result, value), own) in zip(zip(results, expected), form.results) {
      #expect(own.rank == value.rank)
      #expect(own.shape(of: value.shape.map { Size($0) }).map(\.known) == result.shape.map { $0 })
      let plain = own.unpacked(result, value.shape)
      let problem = difference(plain, value, ulps: 8)
      #expect(problem == nil, "\(node.operation.label) in \(layout): \(problem ?? "")")
    }
  }

  /// The walk above has something to do for each of them.
  @Test func theseFollow() {
    let names = Operations.all.filter { $0 is any FollowsLayout.Type }.map { $0.name }
    #expect(
      Set(names) == [
        "broadcast", "concatenate", "pad", "slice", "transpose", "reshape", "reduce", "maxPool",
        "maxPoolBackward",
        "maxPoolTaken", "sumPool", "sumPoolBackward",
      ])
  }

  // MARK: The value

  @Test func layoutsAreShapes() {
    let image: Shape = [.batch, 32, 5, 7]
    let blocks = Layout.blocked(axis: 1, by: 16, rank: 4)
    #expect(blocks.shape(of: image) == [.batch, 2, 5, 7, 16])
    #expect(blocks.description == "abcd16b")
    #expect(blocks.block?.axis == 1 && blocks.block?.width == 16)
    #expect(blocks.divides(image) && !blocks.divides([.batch, 24, 5, 7]))
    let samples = Layout.blocked(axis: 0, by: 16, rank: 4)
    #expect(samples.shape(of: [20, 3, 5, 7]) == [2, 3, 5, 7, 16])
    #expect(!samples.divides([20, 3, 5, 7]) && !samples.divides(image))
    let channelsLast = Layout(parts: [0, 2, 3, 1].map { Layout.Part(axis: $0) })
    #expect(channelsLast.shape(of: image) == [.batch, 5, 7, 32])
    #expect(channelsLast.block == nil && !channelsLast.isPlain)
    #expect(Layout.plain(rank: 3).isPlain)
  }

  /// Axes that are split twice, and parts in any order.
  @Test func packingIsUndoneByUnpacking() throws {
    let values = NDArray((0..<240).map { Float($0) }, shape: [4, 12, 5])
    typealias Part = Layout.Part
    let layouts = [
      Layout.plain(rank: 3), .blocked(axis: 0, by: 2, rank: 3), .blocked(axis: 1, by: 4, rank: 3),
      Layout(parts: [Part(axis: 2), Part(axis: 0), Part(axis: 1)]),
      Layout(
        parts: [
          Part(axis: 1), Part(axis: 0), Part(axis: 1, width: 3), Part(axis: 2),
          Part(axis: 0, width: 2), Part(axis: 1, width: 2),
        ]),
    ]
    let x = Tensor.input("x", [4, 12, 5])
    for layout in layouts {
      let packed = layout.packed(values)
      #expect(layout.unpacked(packed, [4, 12, 5]) == values, "\(layout)")
      var walk = ReferenceWalk([x: values])
      let tensor = layout.packed(x)
      #expect(try walk.values(of: [tensor])[0] == packed, "\(layout)")
      #expect(try walk.values(of: [layout.unpacked(tensor, x.shape)])[0] == values, "\(layout)")
    }
    // Element [i, j, k] of the last one, by hand.
    let packed = layouts[4].packed(values)
    #expect(packed.shape == [2, 2, 3, 5, 2, 2])
    let (i, j, k) = (3, 10, 4)
    #expect(packed[j / 6, i / 2, j / 2 % 3, k, i % 2, j % 2] == values[i, j, k])
  }

  // MARK: Following

  private let blocks = Layout.blocked(axis: 1, by: 4, rank: 4)

  /// A graph whose first tensor is put into blocks, and the forms of all others.
  private func followed(_ outputs: [Tensor], from start: Tensor) -> LayoutForms {
    var forms = LayoutForms()
    outputs.visitNodes { node in
      forms.follow(node)
      if node == start.node { forms.set(start, blocks.packed(start), in: blocks) }
    }
    return forms
  }

  /// An encoder and decoder: pooling, enlarging, concatenation, cutting, a border.
  @Test func nothingLeavesTheBlocksOfAnEncoderAndDecoder() throws {
    let x = Tensor.input("x", [.batch, 8, 6, 6])
    let small = maxPool2D(relu(x))
    let large = expandComposites([upsampled2D(small)])[0]
    let joined = concatenated([x, large], axis: 1)
    let cut = joined.sliced([0, 4, 1, 0], [nil, 12, 5, nil]).padded([
      (0, 0), (0, 0), (1, 1), (0, 0),
    ])
    let result = tanh(cut + joined.sliced([0, 8, 0, 0], [nil, nil, nil, nil]))
    let roots = expandComposites([result])
    var forms = followed(roots, from: x)
    #expect(forms.layout(of: roots[0]) == blocks)
    let plain = forms.plain(roots[0])
    let transposes = [plain].topologicalNodes().filter { $0.operation.label == "transpose" }
    // Into the blocks and out of them.
    #expect(transposes.count == 2, "\(plain.listing())")
    let values = NDArray((0..<864).map { Float($0 % 37) / 16 - 1 }, shape: [3, 8, 6, 6])
    var walk = ReferenceWalk([x: values], sizes: ["batch": 3])
    let (expected, actual) = (try walk.values(of: roots)[0], try walk.values(of: [plain])[0])
    #expect(difference(actual, expected, ulps: 8) == nil)
  }

  @Test func halfABlockIsNotCutOff() {
    let x = Tensor.input("x", [.batch, 8, 6, 6])
    let y = x.sliced([0, 2, 0, 0], [nil, nil, nil, nil])
    #expect(followed([y], from: x).layout(of: y) == nil)
  }
}
