import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Testing

/// The values of tensors of known sizes by the operations' own meanings.
func evaluated(_ outputs: [Tensor], _ inputs: [Tensor: NDArray]) throws -> [NDArray] {
  if let failure = outputs.lazy.compactMap(\.failure).first { throw failure }
  var values = inputs
  for node in outputs.topologicalNodes() where values[node.results[0]] == nil {
    let operands = try node.operands.map { try #require(values[$0]) }
    let results: [NDArray]
    if let composite = node.operation as? Composite {
      let pairs = Dictionary(uniqueKeysWithValues: zip(composite.body.inputs, operands))
      results = try evaluated(composite.body.outputs, pairs)
    } else if node.operation is CallNumber {
      results = [NDArray(scalar: Int64(7))]
    } else {
      results = try node.operation.reference(operands, types: node.types)
    }
    for (result, value) in zip(node.results, results) { values[result] = value }
  }
  return try outputs.map { try #require(values[$0]) }
}

/// The value of a function of constants.
func evaluated(_ tensor: Tensor) throws -> NDArray { try evaluated([tensor], [:])[0] }

extension Tensor {
  /// A float64 constant.
  static func doubles(_ values: [Double], _ shape: [Int]) -> Tensor {
    .constant(NDArray(rounding: values, shape: shape, .float64))
  }

  /// An int32 constant.
  static func labels(_ values: [Int32]) -> Tensor { .constant(NDArray(values)) }

  /// The error's words, without the places in the code.
  var failureText: String { failure?.text(withSites: false) ?? "no failure" }
}

/// An example with its inputs in float64.
struct PreparedExample {
  let inputs: [Tensor]
  let values: [NDArray]
  let outputs: [Tensor]

  init(_ example: Example) {
    values = example.inputs.enumerated().map { position, input in
      input.array(
        stream: Philox(seed: UInt64(position), name: example.title), floating: .float64)
    }
    inputs = values.enumerated().map { position, array in
      .input("x\(position)", array.shape.map { Size($0) }, array.dtype)
    }
    outputs = example.build(inputs)
  }

  /// Neither even nor linear in the results, so that a wrong slope shows.
  var cost: Tensor? {
    let parts = outputs.filter(\.dtype.isFloating).map { ($0 * $0 + $0 * 0.3).sum() }
    guard let first = parts.first else { return nil }
    return parts.dropFirst().reduce(first) { $0 + $1 }
  }

  /// Compares the gradient of `cost` with central differences along a few directions; and with
  /// `second` the gradient of the gradient along a direction.
  func checkGradient(second: Bool) throws {
    let variables = inputs.filter(\.dtype.isFloating)
    guard let cost, !variables.isEmpty else { return }
    let slopes = gradient(of: cost, withRespectTo: variables, disconnected: .zero)
    try checkDirections(of: cost, slopes: slopes, variables, "first derivative")
    guard second else { return }
    let directional = zip(variables, slopes).enumerated().map { position, pair in
      (pair.1 * .constant(direction(of: pair.0, 10 + position))).sum()
    }
    let sum = directional.dropFirst().reduce(directional[0]) { $0 + $1 }
    let seconds = gradient(of: sum, withRespectTo: variables, disconnected: .zero)
    try checkDirections(of: sum, slopes: seconds, variables, "second derivative")
  }

  private func direction(of variable: Tensor, _ seed: Int) -> NDArray {
    let count = variable.type.count.known ?? 0
    let stream = Philox(seed: UInt64(seed), name: "direction")
    let shape = variable.shape.map { $0.known ?? 0 }
    return NDArray(
      rounding: stream.uniforms(count).map { 2 * $0 - 1 }, shape: shape, variable.dtype)
  }

  private func checkDirections(
    of cost: Tensor, slopes: [Tensor], _ variables: [Tensor], _ what: String
  ) throws {
    let base = Dictionary(uniqueKeysWithValues: zip(inputs, values))
    let analytic = try evaluated(slopes, base)
    for (slope, variable) in zip(analytic, variables) {
      #expect(slope.shape == base[variable]?.shape)
      #expect(slope.dtype == variable.dtype)
    }
    for trial in 0..<2 {
      let directions = variables.indices.map { direction(of: variables[$0], 100 * trial + $0) }
      func moved(by step: Double) throws -> Double {
        var shifted = base
        for (variable, direction) in zip(variables, directions) {
          let start = try #require(base[variable])
          let sum = zip(start.doubles, direction.doubles).map { $0 + step * $1 }
          shifted[variable] = NDArray(rounding: sum, shape: start.shape, start.dtype)
        }
        return try evaluated([cost], shifted)[0].scalar
      }
      let step = 1e-5
      let numeric = (try moved(by: step) - moved(by: -step)) / (2 * step)
      let expected = zip(analytic, directions).reduce(0.0) { sum, pair in
        sum + zip(pair.0.doubles, pair.1.doubles).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let scale = max(1, abs(numeric))
      #expect(
        abs(numeric - expected) < 1e-5 * scale, "\(what): \(expected), differences \(numeric)")
    }
  }
}
