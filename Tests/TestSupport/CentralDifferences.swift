import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Gradients compared with differences of values.
///
/// The outputs are projected to one number with random weights, and the derivative of that number
/// along random directions is compared: a wrong gradient of a single element changes all of them.
package struct CentralDifferences {
  package var inputs: [Tensor]
  package var values: [NDArray]
  package var sizes: [String: Int] = [:]
  /// The largest allowed relative difference.
  package var tolerance = 1e-6
  package var directions = 5

  package init(inputs: [Tensor], values: [NDArray]) {
    self.inputs = inputs
    self.values = values
  }

  private var floating: [Int] { inputs.indices.filter { inputs[$0].dtype.isFloating } }

  /// Compares the gradients of `outputs` with respect to all floating inputs, which are float64.
  ///
  /// - Throws: ``Unfit`` for the first difference.
  package func check(_ outputs: [Tensor]) throws {
    let cost = projected(outputs, "projection")
    let gradients = try gradients(of: cost)
    let found = try values(of: gradients, at: values)
    for (gradient, position) in zip(found, floating) where gradient.shape != values[position].shape
    {
      throw Unfit("the gradient of \(inputs[position]) has shape \(gradient.shape)")
    }
    for number in 0..<directions { try check(cost, found, direction: number) }
  }

  /// Compares second derivatives: those of the gradient.
  package func checkSecond(_ outputs: [Tensor]) throws {
    let cost = projected(outputs, "projection")
    try check(try gradients(of: cost).filter { $0.dtype.isFloating })
  }

  private func gradients(of cost: Tensor) throws -> [Tensor] {
    let variables = floating.map { inputs[$0] }
    let gradients = gradient(of: cost, withRespectTo: variables, disconnected: .zero)
    if let failure = gradients.lazy.compactMap(\.failure).first { throw failure }
    return gradients
  }

  private func check(_ cost: Tensor, _ gradients: [NDArray], direction number: Int) throws {
    let directions = floating.map { position in
      NDArray(
        rounding: Philox(seed: UInt64(number), name: "direction \(position)")
          .signed(values[position].count), shape: values[position].shape, .float64)
    }
    let products = zip(gradients, directions).flatMap { zip($0.doubles, $1.doubles).map(*) }
    let predicted = products.reduce(0, +)
    let scale = floating.flatMap { values[$0].doubles.map { abs($0) } }.max() ?? 0
    let step = 1e-5 * max(scale, 1)
    func moved(_ factor: Double) throws -> Double {
      var moved = values
      for (position, direction) in zip(floating, directions) {
        let sums = zip(values[position].doubles, direction.doubles).map { $0 + factor * $1 }
        moved[position] = NDArray(rounding: sums, shape: direction.shape, .float64)
      }
      return try self.values(of: [cost], at: moved)[0].scalar
    }
    let measured = (try moved(step) - moved(-step)) / (2 * step)
    let magnitude = products.reduce(1) { $0 + abs($1) }
    guard abs(predicted - measured) <= tolerance * magnitude else {
      throw Unfit("direction \(number): the gradient is \(predicted), differences give \(measured)")
    }
  }

  private func values(of outputs: [Tensor], at values: [NDArray]) throws -> [NDArray] {
    let pairs = zip(inputs, values).map { ($0, $1) }
    return try referenceValues(outputs, Dictionary(uniqueKeysWithValues: pairs), sizes: sizes)
  }

  /// Σ weight · element over all floating outputs, with random weights.
  private func projected(_ outputs: [Tensor], _ name: String) -> Tensor {
    let terms = outputs.filter(\.dtype.isFloating).enumerated().map { number, output in
      let shape = output.shape.map { $0.evaluated(sizes) ?? 0 }
      let weights = Philox(seed: UInt64(number), name: name).signed(shape.reduce(1, *))
      let array = NDArray(rounding: weights, shape: shape, .float64)
      return (output.cast(to: .float64) * Tensor.constant(array)).sum()
    }
    return terms.dropFirst().reduce(terms.first ?? .constant(0, .float64), +)
  }
}

extension Philox {
  /// Numbers in ±(0.5...1).
  fileprivate func signed(_ count: Int) -> [Double] {
    (0..<count).map { index in
      let word = word(UInt64(index))
      return (word & 1 == 0 ? 1 : -1) * (0.5 + Double(word >> 1) * 0x1p-32)
    }
  }
}
