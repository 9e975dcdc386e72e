import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

@Suite struct SliceTests {
  private let x = Tensor.counting(2, 3, 4)

  @Test func selectors() throws {
    let line = Tensor.counting(6)
    #expect(try computed(line[1..<3]) == [1, 2])
    #expect(try computed(line[1...3]) == [1, 2, 3])
    #expect(try computed(line[(-2)...]) == [4, 5])
    #expect(try computed(line[..<(-4)]) == [0, 1])
    #expect(try computed(line[...(-1)]) == [0, 1, 2, 3, 4, 5])
    #expect(try computed(line[-3 ..< -1]) == [3, 4])
    #expect(try computed(line[-3..<0]) == [3, 4, 5])
    #expect(try computed(line[-3 ... -1]) == [3, 4, 5])
    #expect(try computed(line[.slice(by: -1)]) == [5, 4, 3, 2, 1, 0])
    #expect(try computed(line[.slice(from: -2, to: 1, by: -2)]) == [4, 2])
    #expect(try computed(line[.slice(from: 1, by: 3)]) == [1, 4])
    #expect(try computed(line[-1]) == [5])
    #expect(try computed(line[3..<3]) == [])
  }

  @Test func shapesOfSelections() {
    #expect(typeText(x[1]) == "float32[3, 4]")
    #expect(typeText(x[.all, 0]) == "float32[2, 4]")
    #expect(typeText(x[.rest, 0]) == "float32[2, 3]")
    #expect(typeText(x[0, .rest, .newAxis]) == "float32[3, 4, 1]")
    #expect(typeText(x[.newAxis, .all, .newAxis, 1..<2]) == "float32[1, 2, 1, 1, 4]")
    #expect(typeText(x[0, 1, 2]) == "float32[]")
    #expect(mistakeText(x[.rest, .rest]).hasPrefix("subscript: 2 selectors for 3 axes"))
  }

  @Test func namedSizes() {
    let rows = Tensor.input("rows", [.batch, 4])
    #expect(typeText(rows[1...]) == "float32[batch - 1, 4]")
    #expect(typeText(rows[..<(-2)]) == "float32[batch - 2, 4]")
    #expect(typeText(rows[.slice(by: 2)]) == "float32[((batch + 1) / (2)), 4]")
    #expect(typeText(rows[.slice(by: -1)]) == "float32[batch, 4]")
    let gradient = gradient(of: rows[1...].sum(), withRespectTo: [rows])[0]
    #expect(typeText(gradient) == "float32[batch, 4]")
  }

  /// Every slice of a short line, against Swift's own stride.
  @Test func everySliceIsAStride() throws {
    let line = Tensor.counting(5)
    try withEvery("step", [-3, -2, -1, 1, 2, 3]) { step in
      try withEvery("start", 0..<5) { start in
        try withEvery("end", step > 0 ? start...5 : 0...start) { end in
          let slice = line.sliced([Size(start)], [Size(end)], [step])
          let expected = stride(from: start, to: end, by: step).map(Double.init)
          let values = try computed(slice)
          try require(values == expected, "\(values)")
          let gradient = gradient(of: slice.sum(), withRespectTo: [line])[0]
          let marks = (0..<5).map { expected.contains(Double($0)) ? 1.0 : 0 }
          try require(try computed(gradient) == marks, "the gradient is wrong")
        }
      }
    }
  }

  @Test func updatesOfSlices() throws {
    let line = Tensor.counting(5)
    #expect(try computed(line.replacingSlice(1..<3, with: .floats([-1]))) == [0, -1, -1, 3, 4])
    #expect(
      try computed(line.replacingSlice(.slice(from: -1, by: -2), with: .floats([7, 8, 9])))
        == [9, 1, 8, 3, 7])
    #expect(
      try computed(line.addingToSlice(2..., value: .floats([10, 20, 30]))) == [0, 1, 12, 23, 34])
    #expect(try computed(line.addingToSlice(-1, value: .floats([0.5], []))) == [0, 1, 2, 3, 4.5])
    let infinite = Tensor.floats([.infinity, .nan, 1])
    #expect(try computed(infinite.replacingSlice(0..<2, with: .floats([5, 6]))) == [5, 6, 1])
    let matrix = Tensor.counting(2, 2).replacingSlice(.all, 1, with: .floats([8, 9]))
    #expect(try computed(matrix) == [0, 8, 2, 9])
  }

  @Test func gradientsOfUpdates() throws {
    let (line, value) = (Tensor.counting(4), Tensor.floats([5]))
    let replaced = line.replacingSlice(1..<3, with: value)
    let weights = Tensor.floats([1, 2, 3, 4])
    let gradients = gradient(of: (replaced * weights).sum(), withRespectTo: [line, value])
    #expect(try computed(gradients[0]) == [1, 0, 0, 4])
    #expect(try computed(gradients[1]) == [5])
  }
}

@Suite struct RearrangingTests {
  private let line = Tensor.counting(3)

  @Test func paddingAndDilation() throws {
    #expect(try computed(line.padded([(1, 2)], value: 9)) == [9, 0, 1, 2, 9, 9])
    #expect(try computed(line.padded([(-1, 1)])) == [1, 2, 0])
    #expect(try computed((line + 1).dilated(by: [3])) == [1, 0, 0, 2, 0, 0, 3, 0, 0])
  }

  @Test func repetition() throws {
    #expect(try computed(line.repeated(2, axis: 0)) == [0, 0, 1, 1, 2, 2])
    #expect(try computed(line.tiled([2])) == [0, 1, 2, 0, 1, 2])
    #expect(try computed(Tensor.counting(1, 2).tiled([2, 2])) == [0, 1, 0, 1, 0, 1, 0, 1])
    #expect(typeText(line.tiled([4, 1])) == "float32[4, 3]")
    #expect(typeText(Tensor.counting(2, 3).tiled([2])) == "float32[2, 6]")
    #expect(typeText(line.repeated(0, axis: 0)) == "float32[0]")
  }

  @Test func rolling() throws {
    #expect(try computed(line.rolled(by: 1)) == [2, 0, 1])
    #expect(try computed(line.rolled(by: -1)) == [1, 2, 0])
    #expect(try computed(line.rolled(by: 7)) == [2, 0, 1])
    #expect(try computed(line.rolled(by: 0)) == [0, 1, 2])
    let rows = Tensor.input("rows", [.batch])
    for (shift, expected) in [(1, [2.0, 0, 1]), (-1, [1, 2, 0])] {
      let array = NDArray(rounding: [0, 1, 2], shape: [3], .float32)
      let values = try referenceValues([rows.rolled(by: shift)], [rows: array], sizes: ["batch": 3])
      #expect(values[0].doubles == expected)
    }
  }

  @Test func movingAxes() {
    let x = Tensor.counting(2, 3, 4)
    #expect(typeText(x.movingAxis(0, to: -1)) == "float32[3, 4, 2]")
    #expect(typeText(x.movingAxis(-1, to: 0)) == "float32[4, 2, 3]")
    #expect(typeText(x.swappingAxes(0, 2)) == "float32[4, 3, 2]")
    #expect(typeText(x.expanded(axis: -1).squeezed()) == "float32[2, 3, 4]")
    #expect(mistakeText(x.movingAxis(3, to: 0)).hasPrefix("movingAxis: axes 3 and 0"))
  }

  @Test func splitting() throws {
    let parts = Tensor.counting(6).split(into: 3)
    #expect(try parts.map { try computed($0) } == [[0, 1], [2, 3], [4, 5]])
    let rows = Tensor.input("rows", [.batch, 6]).split(into: 2, axis: 1)
    #expect(rows.map(typeText) == ["float32[batch, 3]", "float32[batch, 3]"])
    #expect(try computed(stacked([line, line + 5])) == [0, 1, 2, 5, 6, 7])
    #expect(try computed(stacked([line, line + 5], axis: 1)) == [0, 5, 1, 6, 2, 7])
  }

  @Test func diagonals() throws {
    let x = Tensor.counting(2, 3)
    #expect(try computed(x.diagonal()) == [0, 4])
    #expect(try computed(x.diagonal(offset: 1)) == [1, 5])
    #expect(try computed(x.diagonal(offset: 2)) == [2])
    #expect(try computed(x.diagonal(offset: -1)) == [3])
    #expect(try computed(x.diagonal(offset: 3)) == [])
    #expect(try computed(x.diagonal(offset: -2)) == [])
    #expect(try computed(.identity(2, 3, offset: 1)) == [0, 1, 0, 0, 0, 1])
    #expect(try computed((x + 1).lowerTriangle()) == [1, 0, 0, 4, 5, 0])
    #expect(try computed((x + 1).upperTriangle(offset: 1)) == [0, 2, 3, 0, 0, 6])
    #expect(try computed(Tensor.floats([.infinity, 2]).diagonalMatrix()) == [.infinity, 0, 0, 2])
  }
}
