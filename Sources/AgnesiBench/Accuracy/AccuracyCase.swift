import Agnesi
import ArgumentParser

/// A step whose numbers are computed in float32 and, for comparison, in float64.
struct AccuracyCase {
  var inputs: [Tensor]
  /// One value for each input.
  var values: [NDArray]
  /// Nil where there is no loss.
  var loss: Tensor?
  /// Scores of classes, or the deepest features.
  var result: Tensor
  /// What the loss is differentiated along.
  var variables: [Tensor] = []

  /// The workloads, in sizes for which float64 takes seconds.
  enum Name: String, CaseIterable, ExpressibleByArgument {
    case lenet
    case cifarBN = "cifar-bn"
    case vgg19Infer = "vgg19-infer"
    case style
    case dcgan

    var size: String {
      switch self {
      case .lenet: "batch 100"
      case .cifarBN: "batch 16"
      case .vgg19Infer, .style: "one picture of 64×64"
      case .dcgan: "batch 8, the discriminator's loss"
      }
    }

    func make() throws -> AccuracyCase {
      switch self {
      case .lenet: return try .training(.lenet, batch: 100)
      case .cifarBN: return try .training(.cifar, batch: 16)
      case .vgg19Infer:
        var network = Classifier.vgg19(classes: 1000)
        network.sampleShape = [3, 64, 64]
        let image = network.image
        let scores = try Notation.parse(network.network)(image).specialized(for: .inference)
        return AccuracyCase(inputs: [image], values: [network.images(1)], result: scores)
      case .style:
        let layers = try StyleTransfer.Layers(batch: 1, side: 64)
        return AccuracyCase(
          inputs: [layers.picture], values: [Noise.pixels([1, 3, 64, 64])], loss: layers.loss,
          result: layers.deepest, variables: [layers.picture])
      case .dcgan:
        let scores = Adversaries().scores()
        let variables = (scores.ofReal + scores.ofFake).parameters(.trainable)
        return AccuracyCase(
          inputs: [scores.real], values: [Noise.pixels([8, 3, 64, 64])], loss: scores.judgement,
          result: scores.ofFake, variables: variables)
      }
    }
  }

  private static func training(_ network: Classifier, batch: Int) throws -> AccuracyCase {
    let (image, label) = (network.image, Tensor.input("label", [.batch], .int32))
    let logits = try Notation.parse(network.network)(image)
    let loss = softmaxCrossEntropy(logits, label).mean()
    return AccuracyCase(
      inputs: [image, label],
      values: [network.images(batch), Noise.labels(batch, classes: network.classes)], loss: loss,
      result: logits, variables: loss.parameters(.trainable))
  }

  /// Errors of float32, as a user has it and in the strict mode.
  struct Errors {
    var quantity: String
    var usual: Deviation
    var strict: Deviation
  }

  /// Runs the step three times.
  func errors() throws -> [Errors] {
    let gradients = loss.map { gradient(of: $0, withRespectTo: variables) } ?? []
    // Rewritten before the dtype changes, so that all three compute the same formulas.
    let roots = try Pipeline().apply(to: [loss, result].compactMap { $0 } + gradients)
    // Estimates alone choose, so that the numbers do not depend on what was measured here before.
    let usual = try run(roots, on: CPU(table: ConvolutionTable()))
    let strict = try run(roots, on: CPU(convolutions: .direct))
    let exact = try run(Self.doubled(roots), on: CPU())
    let first = loss == nil ? 0 : 1
    var parts = loss == nil ? [] : [("loss", 0..<1)]
    parts.append(("result", first..<(first + 1)))
    if !gradients.isEmpty { parts.append(("gradients", (first + 1)..<roots.count)) }
    return parts.map { quantity, range in
      Errors(
        quantity: quantity, usual: Deviation(of: usual[range], from: exact[range]),
        strict: Deviation(of: strict[range], from: exact[range]))
    }
  }

  private func run(_ outputs: [Tensor], on backend: CPU) throws -> [[Double]] {
    let options = CompileOptions(allowsUnusedInputs: true)
    return try compile(inputs, to: outputs, options: options, on: backend)
      .call(values).arrays.map(\.doubles)
  }

  /// The same formulas in float64, of the same inputs, parameters and constants in float32.
  private static func doubled(_ outputs: [Tensor]) -> [Tensor] {
    var replacements: [Tensor: Tensor] = [:]
    for node in outputs.topologicalNodes() {
      let operands = node.operands.map { replacements[$0] ?? $0 }
      let isSingle = node.results[0].dtype == .float32
      let results =
        if node.operands.isEmpty {
          node.results.map { isSingle ? $0.cast(to: .float64) : $0 }
        } else if isSingle, node.operation.label == "cast" {
          [operands[0].cast(to: .float64)]
        } else {
          Tensor.make(node.operation, operands)
        }
      for (old, new) in zip(node.results, results) { replacements[old] = new }
    }
    return outputs.map { replacements[$0] ?? $0 }
  }
}

/// How far numbers are from the right ones, in relation to those.
struct Deviation {
  /// The largest difference over the largest number.
  var largest: Double
  /// The root mean square of the differences over that of the numbers.
  var rootMeanSquare: Double

  init(of actual: ArraySlice<[Double]>, from exact: ArraySlice<[Double]>) {
    var (difference, size, squaredDifference, squaredSize) = (0.0, 0.0, 0.0, 0.0)
    for (a, b) in zip(actual.joined(), exact.joined()) {
      // A NaN must not be passed over by a comparison.
      difference = a.isNaN ? .nan : max(difference, abs(a - b))
      size = max(size, abs(b))
      squaredDifference += (a - b) * (a - b)
      squaredSize += b * b
    }
    largest = difference / size
    rootMeanSquare = (squaredDifference / squaredSize).squareRoot()
  }
}
