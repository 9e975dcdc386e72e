import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

private let two: [Example.Input] = [.init([3, 4]), .init([3, 4])]
private let whole: [Example.Input] = [.init([5], .whole(-9...9), .int32)]

let arithmeticCases = cases {
  RuleCase("plus zero") {
    $0[0] + 0
  } becomes: {
    $0[0]
  }
  RuleCase("plus zero") {
    0 + $0[0]
  } becomes: {
    $0[0]
  }
  RuleCase("plus zero") {
    $0[0] + .zeros(like: $0[0])
  } becomes: {
    $0[0]
  }
  RuleCase("minus zero") {
    $0[0] - 0
  } becomes: {
    $0[0]
  }
  RuleCase("times one") {
    $0[0] * 1
  } becomes: {
    $0[0]
  }
  RuleCase("times one", whole) {
    1 * $0[0]
  } becomes: {
    $0[0]
  }
  RuleCase("over one") {
    $0[0] / 1
  } becomes: {
    $0[0]
  }
  RuleCase("times zero", whole) {
    $0[0] * 0
  } becomes: {
    .zeros(like: $0[0])
  }
  RuleCase(declining: "times zero") { $0[0] * 0 }
  RuleCase("minus itself", whole) {
    $0[0] - $0[0]
  } becomes: {
    .zeros(like: $0[0])
  }
  RuleCase(declining: "minus itself") { $0[0] - $0[0] }
  RuleCase("select the same") {
    select($0[0] .> 0, $0[0], $0[0])
  } becomes: {
    $0[0]
  }
  RuleCase("select by a known condition", two) {
    select(.filled(1, [3, 4], .bool), $0[0], $0[1])
  } becomes: {
    $0[0]
  }
  RuleCase("select by a known condition", two) {
    select(.constant(0, .bool), $0[0], $0[1])
  } becomes: {
    $0[1]
  }
}

private let cube: [Example.Input] = [.init([2, 3, 4])]
private let row: [Example.Input] = [.init([4])]

let viewCases = cases {
  RuleCase("transposed twice", cube) {
    $0[0].transposed([1, 2, 0]).transposed([2, 1, 0])
  } becomes: {
    $0[0].transposed([0, 2, 1])
  }
  RuleCase("transposed twice", cube) {
    $0[0].transposed([1, 2, 0]).transposed([2, 0, 1])
  } becomes: {
    $0[0]
  }
  RuleCase("transposed in place", [.init([3, 1, 4])]) {
    $0[0].transposed([1, 0, 2])
  } becomes: {
    $0[0].reshaped([1, 3, 4])
  }
  RuleCase(declining: "transposed in place", cube) { $0[0].transposed([1, 0, 2]) }
  RuleCase("reshaped twice", cube) {
    $0[0].reshaped([6, 4]).reshaped([3, 8])
  } becomes: {
    $0[0].reshaped([3, 8])
  }
  RuleCase("reshaped to itself", cube) {
    Tensor.make($0[0].reshaped([6, 4]).node.operation, [$0[0].reshaped([6, 4])])[0]
  } becomes: {
    $0[0].reshaped([6, 4])
  }
  RuleCase("broadcast twice", row) {
    $0[0].broadcast(to: [3, 4]).broadcast(to: [2, 3, 4])
  } becomes: {
    $0[0].broadcast(to: [2, 3, 4])
  }
  RuleCase("broadcast to itself", row) {
    let wide = $0[0].broadcast(to: [3, 4])
    return Tensor.make(wide.node.operation, [wide])[0]
  } becomes: {
    $0[0].broadcast(to: [3, 4])
  }
  RuleCase("leading axes before a broadcast", row) {
    $0[0].reshaped([1, 4]).broadcast(to: [3, 4])
  } becomes: {
    $0[0].broadcast(to: [3, 4])
  }
  RuleCase(declining: "leading axes before a broadcast", row) {
    $0[0].reshaped([4, 1]).broadcast(to: [4, 3])
  }
  RuleCase("reshape of one number", row) {
    $0[0].reshaped([2, 2]) + Tensor.filled(2, [4]).reshaped([2, 2])
  } becomes: {
    $0[0].reshaped([2, 2]) + Tensor.filled(2, [2, 2])
  }
  RuleCase("transpose of one number", cube) {
    $0[0].transposed() + Tensor.filled(2, [2, 3, 4]).transposed()
  } becomes: {
    $0[0].transposed() + 2
  }
  RuleCase("converted twice", row) {
    $0[0].cast(to: .float64).cast(to: .float32)
  } becomes: {
    $0[0]
  }
  RuleCase("converted twice", [.init([4], .whole(0...250), .uint8)]) {
    $0[0].cast(to: .int32).cast(to: .float32)
  } becomes: {
    $0[0].cast(to: .float32)
  }
  RuleCase(declining: "converted twice", row) { $0[0].cast(to: .float16).cast(to: .float32) }
  RuleCase(declining: "converted twice", row) { $0[0].cast(to: .int32).cast(to: .float32) }
  RuleCase(declining: "converted twice", whole) { $0[0].cast(to: .float32).cast(to: .int64) }
  RuleCase("function of a view", cube) {
    exp($0[0].transposed())
  } becomes: {
    exp($0[0]).transposed()
  }
  RuleCase("function of a view", row + row) {
    $0[0].broadcast(to: [3, 4]) * $0[1].broadcast(to: [3, 4]) + 2
  } becomes: {
    ($0[0] * $0[1] + 2).broadcast(to: [3, 4])
  }
  RuleCase("function of a view", [.init([4]), .init([])]) {
    $0[0].reshaped([2, 2]) / $0[1]
  } becomes: {
    ($0[0] / $0[1]).reshaped([2, 2])
  }
  RuleCase("function of a view", [.init([]), .init([])]) {
    ($0[0].broadcast(to: [5]) - $0[1].broadcast(to: [5])) - 1
  } becomes: {
    (($0[0] - $0[1]) - 1).broadcast(to: [5])
  }
  RuleCase(declining: "function of a view", [.init([2, 3]), .init([3, 2])]) {
    $0[0].transposed() + $0[1]
  }
  RuleCase(declining: "function of a view", [.init([2, 3]), .init([3, 2])]) {
    $0[0].reshaped([6]) + $0[1].reshaped([6])
  }
}

private let bools: [Example.Input] = [.init([2, 1, 3], .whole(0...1), .bool)]

private func inputs(_ combiner: Combiner) -> [Example.Input] {
  combiner == .all || combiner == .any ? bools : [.init([2, 1, 3])]
}

extension Tensor {
  fileprivate func reduced(_ combiner: Combiner, _ axes: [Int]) -> Tensor {
    switch combiner {
    case .sum: sum(axes: axes)
    case .product: product(axes: axes)
    case .maximum: max(axes: axes)
    case .minimum: min(axes: axes)
    case .all: all(axes: axes)
    case .any: any(axes: axes)
    }
  }
}

let reductionCases = cases {
  for combiner in Combiner.allCases {
    RuleCase("\(combiner.rawValue) over axes of size 1", inputs(combiner)) {
      $0[0].reduced(combiner, [1, 2])
    } becomes: {
      $0[0].reshaped([2, 3]).reduced(combiner, [1])
    }
    RuleCase("\(combiner.rawValue) over axes of size 1", inputs(combiner)) {
      $0[0].reduced(combiner, [1])
    } becomes: {
      $0[0].reshaped([2, 3])
    }
    RuleCase("\(combiner.rawValue) of a \(combiner.rawValue)", inputs(combiner)) {
      $0[0].reduced(combiner, [1]).reduced(combiner, [1])
    } becomes: {
      $0[0].reduced(combiner, [1, 2])
    }
    RuleCase("\(combiner.rawValue) of all of a reshape", inputs(combiner)) {
      $0[0].reshaped([6]).reduced(combiner, [0])
    } becomes: {
      $0[0].reshaped([2, 3]).reduced(combiner, [0, 1])
    }
    RuleCase("\(combiner.rawValue) of all of a transpose", inputs(combiner)) {
      $0[0].transposed().reduced(combiner, [0, 1, 2])
    } becomes: {
      $0[0].reduced(combiner, [0, 1, 2])
    }
  }
  for combiner in [Combiner.maximum, .minimum, .all, .any] {
    RuleCase("\(combiner.rawValue) of the same", inputs(combiner)) {
      $0[0].broadcast(to: [5, 2, 7, 3]).reduced(combiner, [0, 2])
    } becomes: {
      $0[0].reshaped([2, 3])
    }
  }
  RuleCase("sum of the same", [.init([2, 1, 3])]) {
    $0[0].broadcast(to: [5, 2, 7, 3]).sum(axes: [0, 2])
  } becomes: {
    $0[0].reshaped([2, 3]) * 35
  }
  RuleCase(declining: "sum of the same", [.init([1, 3])]) {
    $0[0].broadcast(to: [5, 3]).sum()
  }
  RuleCase(declining: "sum of the same", [.init([1, 3])]) {
    $0[0].broadcast(to: [0, 3]).sum(axes: [0])
  }
  RuleCase("sum of scaled values") {
    ($0[0] * 3).sum(axes: [0])
  } becomes: {
    $0[0].sum(axes: [0]) * 3
  }
  RuleCase(declining: "sum of scaled values", [.init([4], .whole(1...4), .float16)]) {
    ($0[0] * 0.5).sum(axes: [0])
  }
}
