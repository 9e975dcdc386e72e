import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

@Suite struct IndexingTests {
  private let table = Tensor.counting(3, 2)

  @Test func negativeIndicesCountFromTheEndAndOthersAreMissing() throws {
    let rows = try computed(table.gathered(.wholes([-1, 0, 3, -4]), axis: 0))
    #expect(rows[..<4] == [4, 5, 0, 1])
    #expect(rows[4...].allSatisfy { $0.isNaN })
    let whole = Tensor.wholes([10, 20]).gathered(.wholes([1, 2, -3, -2]))
    #expect(try computed(whole) == [20, 0, 0, 10])
    let bools = (Tensor.wholes([1, 1]) .> 0).gathered(.wholes([1, 2]))
    #expect(try computed(bools) == [1, 0])
  }

  @Test func scatteringDropsWhatIsOutside() throws {
    let sums = Tensor.floats([1, 1, 1]).scatterAdded(
      .wholes([-1, 0, 3, -4, 0]), .floats([10, 20, 30, 40, 50]))
    #expect(try computed(sums) == [71, 1, 11])
  }

  @Test func pickingScores() throws {
    #expect(try computed(table.picked(.wholes([1, 0, -1]))) == [1, 2, 5])
    let gradient = gradient(of: table.picked(.wholes([1, 0, 1])).sum(), withRespectTo: [table])[0]
    #expect(try computed(gradient) == [0, 1, 1, 0, 0, 1])
    #expect(typeText(table.picked(.wholes([0, 1]), axis: 0)) == "float32[2]")
  }

  @Test func oneHotLeavesOutUnknownLabels() throws {
    #expect(
      try computed(oneHot(.wholes([1, 3, -1, 0]), 3)) == [0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0])
    let labels = Tensor.input("labels", [.batch], .uint8)
    #expect(typeText(oneHot(labels, 10, .float64)) == "float64[batch, 10]")
  }

  @Test func places() throws {
    let x = Tensor.floats([3, 1, 3, 1])
    #expect(try computed(x.argMax()) == [0])
    #expect(try computed(x.argMin()) == [1])
    let strange = Tensor.floats([1, .nan, .infinity, .nan])
    #expect(try computed(strange.argMax()) == [1])
    #expect(try computed(strange.argMin()) == [0])
    #expect(typeText(table.argMax(axis: -1, keepingAxis: true)) == "int64[3, 1]")
    #expect(
      mistakeText(Tensor.counting(2, 0).argMax(axis: 1)).hasPrefix("argMax: axis 1 is empty"))
  }

  @Test func ordering() throws {
    let x = Tensor.floats([2, .nan, 1, 2, -.infinity])
    #expect(try computed(x.argSort()) == [4, 2, 0, 3, 1])
    #expect(try computed(x.argSort(descending: true)) == [1, 0, 3, 2, 4])
    #expect(try computed(x.topK(3).indices) == [1, 0, 3])
    #expect(typeText(x.topK(3).indices) == "int64[3]")
    #expect(try computed(Tensor.floats([3, 1, 2]).sorted(descending: true)) == [3, 2, 1])
  }

  /// All orders of few values, ties included: sorting by loops is sorting.
  @Test func everyShortRowIsSorted() throws {
    try withEvery("row", NDArray.words(letters: 3, length: 5)) { row in
      try withEvery("descending", [false, true]) { descending in
        let x = NDArray(rounding: row, shape: [5], .float32)
        let input = Tensor.input("x", [5])
        let sorted = input.sortedWithIndices(descending: descending)
        let node = sorted.values.node
        let values = try loweredValues(node.operation, [x], types: node.types) ?? []
        let order = row.indices.sorted {
          row[$0] == row[$1] ? $0 < $1 : (row[$0] < row[$1]) != descending
        }
        try require(values[1].doubles == order.map(Double.init), "\(values[1].doubles)")
        try require(values[0].doubles == order.map { row[$0] }, "\(values[0].doubles)")
      }
    }
  }

  @Test func largeIntegersKeepTheirDigits() throws {
    let large = Int64.max - 1
    let x = Tensor.constant(NDArray([large, 5]))
    for moved in [
      x.gathered(.wholes([1, 0])).flipped([0]), x.padded([(0, 1)])[..<2],
      concatenated([x, x])[..<2],
      x.tiled([2])[..<2], x.picked(.wholes([0], []), axis: 0).expanded(axis: 0),
    ] {
      let value = try referenceValues([moved])[0]
      #expect(value.scalars(as: Int64.self).first == large)
    }
  }
}

extension NDArray {
  /// All rows of `length` values out of `0..<letters`.
  fileprivate static func words(letters: Int, length: Int) -> [[Double]] {
    (0..<length).reduce([[]]) { words, _ in
      words.flatMap { word in (0..<letters).map { word + [Double($0)] } }
    }
  }
}
