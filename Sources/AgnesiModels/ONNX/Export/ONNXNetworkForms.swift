import AgnesiArrays
import AgnesiExpressions
import AgnesiFormats
import AgnesiLoops

/// How products, convolutions and pooling are written.
enum ONNXNetworkForms {
  static func write(
    _ export: inout ONNXExport, _ node: Node, _ operands: [String]
  ) throws -> [String]? {
    let types = node.operands.map(\.type)
    if node.operation is MatMul { return [export.builder.add("MatMul", operands)] }
    if let convolution = node.convolution {
      switch convolution.kind {
      case .forward:
        return [export.builder.add("Conv", operands, attributes(convolution.geometry))]
      case .backwardData: return [try transposed(&export, convolution, operands)]
      case .backwardWeights: return nil
      }
    }
    return try node.pooling.map { [try pooled(&export, $0, types[0], operands)] }
  }

  private static func pooled(
    _ export: inout ONNXExport, _ pooling: PoolingDescription, _ operand: TensorType,
    _ operands: [String]
  ) throws -> String {
    var attributes = try attributes(pooling.geometry, operand)
    if pooling.isMaximum { return export.builder.add("MaxPool", operands, attributes) }
    guard !pooling.geometry.partialWindows else {
      throw ONNXRefusal("sums over windows that are not whole have no form in ONNX")
    }
    attributes["count_include_pad"] = .integer(1)
    let mean = export.builder.add("AveragePool", operands, attributes)
    let area = export.builder.number(Double(pooling.geometry.area), operand.dtype)
    return export.builder.add("Mul", [mean, area])
  }

  private static func attributes(_ geometry: ConvolutionGeometry) -> [String: ONNXAttribute] {
    [
      "strides": .integers(geometry.stride), "dilations": .integers(geometry.dilation),
      "pads": .integers(geometry.padBegin + geometry.padEnd), "group": .integer(geometry.groups),
    ]
  }

  static func attributes(
    _ geometry: PoolingGeometry, _ operand: TensorType
  ) throws -> [String: ONNXAttribute] {
    guard operand.rank == geometry.axisCount + 2 else {
      throw ONNXRefusal(
        "ONNX pools \(geometry.axisCount) axes of \(geometry.axisCount + 2), not of \(operand.rank)",
        hint: "reshape to [batch, channels, …] before")
    }
    return [
      "kernel_shape": .integers(geometry.window), "strides": .integers(geometry.stride),
      "pads": .integers(geometry.padBegin + geometry.padEnd),
      "ceil_mode": .integer(geometry.partialWindows ? 1 : 0),
    ]
  }

  private static func transposed(
    _ export: inout ONNXExport, _ convolution: ConvolutionDescription, _ operands: [String]
  ) throws -> String {
    let geometry = convolution.geometry
    let size = convolution.size
    var more: [Int] = []
    for axis in 0..<geometry.axisCount {
      let between = (convolution.output.shape[axis + 2] - 1) * Size(geometry.stride[axis])
      let span = geometry.span(of: convolution.kernelSize[axis], axis: axis)
      let usual = between + span - Size(geometry.padBegin[axis] + geometry.padEnd[axis])
      guard let rest = (size[axis] - usual).known, rest >= 0 else {
        throw ONNXRefusal("a result of size \(size[axis]) has no form in ONNX")
      }
      more.append(rest)
    }
    var attributes = attributes(geometry)
    attributes["output_padding"] = .integers(more)
    return export.builder.add("ConvTranspose", operands, attributes)
  }
}
