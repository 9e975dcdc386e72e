import AgnesiExpressions
import AgnesiFormats

/// Composites that ONNX has an operator for.
struct ONNXCompositeForms: Sendable {
  /// Whether the operator says this one.
  let fits: @Sendable (Node) -> Bool
  let write: @Sendable (inout ONNXExport, Node, [String]) throws -> [String]

  /// An operator of one operand and result.
  private init(
    _ operation: String,
    _ attributes: @escaping @Sendable (Composite) -> [String: ONNXAttribute] = { _ in [:] }
  ) {
    self.init(operation, fits: { _ in true }, attributes)
  }

  private init(
    _ operation: String, fits: @escaping @Sendable (Node) -> Bool,
    _ attributes: @escaping @Sendable (Composite) -> [String: ONNXAttribute]
  ) {
    self.init(fits: fits) { export, node, operands in
      let values = (node.operation as? Composite).map(attributes) ?? [:]
      return [export.builder.add(operation, operands, values)]
    }
  }

  private init(
    fits: @escaping @Sendable (Node) -> Bool,
    write: @escaping @Sendable (inout ONNXExport, Node, [String]) throws -> [String]
  ) {
    self.fits = fits
    self.write = write
  }

  static let all: [String: ONNXCompositeForms] = [
    "relu": .init("Relu"),
    "relu6": .init(
      fits: { _ in true },
      write: { export, node, operands in
        let limits = [0, 6].map { export.builder.number($0, node.types[0].dtype) }
        return [export.builder.add("Clip", operands + limits)]
      }),
    "selu": .init("Selu"),
    "softsign": .init("Softsign"),
    "leakyReLU": .init("LeakyRelu") { ["alpha": .float(Float($0.number("slope")))] },
    "elu": .init("Elu") { ["alpha": .float(Float($0.number("alpha")))] },
    "hardSigmoid": .init("HardSigmoid") { _ in ["alpha": .float(0.2), "beta": .float(0.5)] },
    "softmax": .init("Softmax") { ["axis": .integer($0.integers("axis")[0])] },
    "logSoftmax": .init("LogSoftmax") { ["axis": .integer($0.integers("axis")[0])] },
    "localResponseNormalized": .init("LRN", fits: { $0.operands[0].rank >= 3 }) { composite in
      let size = composite.integers("size")[0]
      return [
        "alpha": .float(Float(composite.number("alpha") * Double(size))),
        "beta": .float(Float(composite.number("beta"))),
        "bias": .float(Float(composite.number("k"))), "size": .integer(size),
      ]
    },
    "averagePool": .init(
      "AveragePool",
      fits: { node in
        let axes = node.composite?.integers("window").count ?? 0
        return node.operands[0].rank == axes + 2
      },
      { composite in
        let padding = composite.integers("padding")
        return [
          "kernel_shape": .integers(composite.integers("window")),
          "strides": .integers(composite.integers("stride")),
          "pads": .integers(padding + padding),
          "ceil_mode": .integer(composite.integers("partialWindows")[0]),
          "count_include_pad": .integer(composite.integers("countingPadding")[0]),
        ]
      }),
    "batchNormalized": .init(
      fits: { node in
        let rank = node.operands[0].rank
        let axes = (0..<rank).filter { $0 != 1 }
        return rank >= 2 && node.composite?.integers("axes") == axes
          && node.composite?.integers("affine") == [1, 1]
      },
      write: { export, node, operands in
        let epsilon = node.composite?.number("epsilon") ?? 1e-5
        let output = export.builder.add(
          "BatchNormalization",
          [operands[0], operands[3], operands[4], operands[1], operands[2]],
          ["epsilon": .float(Float(epsilon))])
        // In inference the averages stay as they are.
        return [output, operands[1], operands[2]]
      }),
  ]
}

extension Node {
  fileprivate var composite: Composite? { operation as? Composite }
}

extension Composite {
  /// An attribute that this composite has.
  fileprivate func number(_ name: String) -> Double {
    guard case .number(let value)? = attributes[name] else { return 0 }
    return value
  }

  fileprivate func integers(_ name: String) -> [Int] {
    guard case .integers(let values)? = attributes[name] else { return [0] }
    return values
  }
}
