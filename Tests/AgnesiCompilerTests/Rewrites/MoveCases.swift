import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

private let row: [Example.Input] = [.init([7])]
private let rows: [Example.Input] = [.init([2, 3]), .init([1, 3]), .init([0, 3])]

let moveCases = cases {
  RuleCase("slice of everything") {
    $0[0].sliced([0, 0], [nil, nil])
  } becomes: {
    $0[0]
  }
  RuleCase(declining: "slice of everything") { $0[0].sliced([0, 1], [nil, nil]) }
  RuleCase(declining: "slice of everything") { $0[0].flipped([0]) }
  RuleCase("slice of a slice", row) {
    $0[0].sliced([1], [7], [2]).sliced([2], [nil], [-1])
  } becomes: {
    $0[0].sliced([5], [0], [-2])
  }
  RuleCase("slice of a slice", row) {
    $0[0].flipped([0]).flipped([0])
  } becomes: {
    $0[0].sliced([0], [nil])
  }
  RuleCase("slice of one number", row) {
    $0[0].sliced([1], [nil]) + Tensor.filled(2, [7]).sliced([1], [nil])
  } becomes: {
    $0[0].sliced([1], [nil]) + Tensor.filled(2, [6])
  }
  RuleCase("padding by nothing") {
    $0[0].padded([(0, 0), (0, 0)])
  } becomes: {
    $0[0]
  }
  RuleCase(declining: "padding by nothing") { $0[0].padded([(0, 0), (0, 1)]) }
  RuleCase("padding of padding") {
    $0[0].padded([(1, 0), (0, 2)], value: 3).padded([(1, 1), (0, 0)], value: 3)
  } becomes: {
    $0[0].padded([(2, 1), (0, 2)], value: 3)
  }
  RuleCase(declining: "padding of padding", row) {
    $0[0].padded([(1, 0)], value: 3).padded([(1, 1)])
  }
  RuleCase(declining: "padding of padding", row) { $0[0].padded([(1, 0)]).dilated(by: [2]) }
  RuleCase("slice of what was padded", row) {
    $0[0].padded([(2, 3)]).sliced([2], [-3])
  } becomes: {
    $0[0]
  }
  RuleCase("slice of what was padded", row) {
    $0[0].dilated(by: [3]).sliced([0], [nil], [3])
  } becomes: {
    $0[0]
  }
  RuleCase(declining: "slice of what was padded", row) { $0[0].padded([(2, 3)]).sliced([1], [-4]) }
  RuleCase("concatenation of one") {
    concatenated([$0[0]])
  } becomes: {
    $0[0]
  }
  RuleCase("concatenation with concatenations", rows) {
    concatenated([concatenated([$0[0], $0[1]]), $0[2], $0[1]])
  } becomes: {
    concatenated([$0[0], $0[1], $0[1]])
  }
  RuleCase("concatenation with concatenations", rows) {
    concatenated([$0[2], $0[2]])
  } becomes: {
    concatenated([$0[2]])
  }
  RuleCase(declining: "concatenation with concatenations", [.init([2, 2]), .init([2, 2])]) {
    concatenated([concatenated([$0[0], $0[1]], axis: 1), concatenated([$0[0], $0[1]], axis: 1)])
  }
}
