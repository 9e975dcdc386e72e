/// The composites of this library, made again from what a file records of them.
///
/// A recorded composite has a name, attributes and a body. Only where the body is the one that this
/// library builds under that name does the name mean what rules and other formats take it for; its
/// gradient, which no file holds, is then the library's too.
package enum BuiltInComposite {
  private typealias Builder = @Sendable (_ operands: [Tensor], _ attributes: Attributes) -> Tensor?

  /// Attributes with the kinds that are expected; hostile files have others.
  private struct Attributes {
    let all: [String: Attribute]

    func number(_ name: String) -> Double? {
      guard case .number(let value)? = all[name] else { return nil }
      return value
    }

    func integers(_ name: String, count: Int? = nil) -> [Int]? {
      guard case .integers(let values)? = all[name] else { return nil }
      return count == nil || values.count == count ? values : nil
    }
  }

  /// The results of the library's composite of that name, attributes and operands; nil where it has none
  /// or does not compute what `recorded` does.
  package static func results(like recorded: Composite, of operands: [Tensor]) -> [Tensor]? {
    guard let builder = builders[recorded.compositeName], !operands.isEmpty,
      let built = builder(operands, Attributes(all: recorded.attributes)),
      let composite = built.node.operation as? Composite, composite.isBuiltIn,
      composite.compositeName == recorded.compositeName,
      composite.attributes == recorded.attributes, built.node.operands == operands,
      composite.computesTheSame(as: recorded)
    else { return nil }
    return built.node.results
  }

  private static let builders: [String: Builder] = [
    "relu": { operands, _ in relu(operands[0]) },
    "relu6": { operands, _ in relu6(operands[0]) },
    "leakyReLU": { operands, attributes in
      attributes.number("slope").map { leakyReLU(operands[0], slope: $0) }
    },
    "elu": { operands, attributes in
      attributes.number("alpha").map { elu(operands[0], alpha: $0) }
    },
    "selu": { operands, _ in selu(operands[0]) },
    "gelu": { operands, _ in gelu(operands[0]) },
    "softsign": { operands, _ in softsign(operands[0]) },
    "hardSigmoid": { operands, _ in hardSigmoid(operands[0]) },
    "softmax": { operands, attributes in
      attributes.integers("axis", count: 1).map { softmax(operands[0], axis: $0[0]) }
    },
    "logSoftmax": { operands, attributes in
      attributes.integers("axis", count: 1).map { logSoftmax(operands[0], axis: $0[0]) }
    },
    "softmaxCrossEntropy": { operands, _ in pair(operands).map { softmaxCrossEntropy($0, $1) } },
    "crossEntropy": { operands, _ in pair(operands).map { crossEntropy($0, $1) } },
    "sigmoidCrossEntropy": { operands, _ in pair(operands).map { sigmoidCrossEntropy($0, $1) } },
    "binaryCrossEntropy": { operands, _ in pair(operands).map { binaryCrossEntropy($0, $1) } },
    "standardized": { operands, attributes in
      guard let axes = attributes.integers("axes"), let epsilon = attributes.number("epsilon")
      else { return nil }
      return standardized(operands[0], axes: axes, epsilon: epsilon)
    },
    "localResponseNormalized": { operands, attributes in
      guard let alpha = attributes.number("alpha"), let k = attributes.number("k"),
        let beta = attributes.number("beta"), let size = attributes.integers("size", count: 1)
      else { return nil }
      return localResponseNormalized(operands[0], alpha: alpha, k: k, beta: beta, size: size[0])
    },
    "averagePool": averagePool,
    "batchNormalized": normalization,
  ]

  private static func pair(_ operands: [Tensor]) -> (Tensor, Tensor)? {
    operands.count == 2 ? (operands[0], operands[1]) : nil
  }

  @Sendable private static func averagePool(
    _ operands: [Tensor], _ attributes: Attributes
  ) -> Tensor? {
    guard let window = attributes.integers("window"), let stride = attributes.integers("stride"),
      let padding = attributes.integers("padding"),
      window.count == stride.count, window.count == padding.count,
      let isPartial = attributes.integers("partialWindows", count: 1),
      let isCounting = attributes.integers("countingPadding", count: 1)
    else { return nil }
    let (partial, counting) = (isPartial[0] == 1, isCounting[0] == 1)
    switch window.count {
    case 1:
      return averagePool1D(
        operands[0], window: window[0], stride: stride[0], padding: padding[0],
        partialWindows: partial, countingPadding: counting)
    case 2:
      return averagePool2D(
        operands[0], window: window, stride: stride, padding: padding, partialWindows: partial,
        countingPadding: counting)
    case 3:
      return averagePool3D(
        operands[0], window: window, stride: stride, padding: padding, partialWindows: partial,
        countingPadding: counting)
    default: return nil
    }
  }

  @Sendable private static func normalization(
    _ operands: [Tensor], _ attributes: Attributes
  ) -> Tensor? {
    guard let axes = attributes.integers("axes"), let epsilon = attributes.number("epsilon"),
      let weight = attributes.number("weightOfNew"),
      let affine = attributes.integers("affine", count: 2),
      operands.count == 3 + affine.count(where: { $0 == 1 })
    else { return nil }
    return batchNormalized(
      operands[0], scale: affine[0] == 1 ? operands[3] : nil,
      offset: affine[1] == 1 ? operands.last : nil, runningMean: operands[1],
      runningVariance: operands[2], epsilon: epsilon, weightOfNew: weight, axes: axes
    ).output
  }
}

extension Composite {
  /// Whether bodies and carried updates are the same, whatever the names are.
  fileprivate func computesTheSame(as other: Composite) -> Bool {
    updates == other.updates && GraphForm(body) == GraphForm(other.body)
      && inferenceBody.map { GraphForm($0) } == other.inferenceBody.map { GraphForm($0) }
  }
}
