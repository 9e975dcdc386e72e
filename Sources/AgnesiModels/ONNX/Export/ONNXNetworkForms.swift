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
    switch node.operation {
    case is MatMul: return [export.builder.add("MatMul", operands)]
    case let operation as ConvolutionForward:
      return [export.builder.add("Conv", operands, attributes(operation.geometry))]
    case let operation as ConvolutionToInput:
      return [try transposed(&export, operation, types, operands)]
    case let operation as MaxPool:
      return [
        export.builder.add(
          "MaxPool", operands, try attributes(operation.geometry, types[0]))
      ]
    case let operation as SumPool:
      let geometry = operation.geometry
      guard !geometry.partialWindows else {
        throw ONNXRefusal("sums over windows that are not whole have no form in ONNX")
      }
      var attributes = try attributes(geometry, types[0])
      attributes["count_include_pad"] = .integer(1)
      let mean = export.builder.add("AveragePool", operands, attributes)
      let area = export.builder.number(Double(geometry.area), types[0].dtype)
      return [export.builder.add("Mul", [mean, area])]
    default: return nil
    }
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
    _ export: inout ONNXExport, _ operation: ConvolutionToInput, _ types: [TensorType],
    _ operands: [String]
  ) throws -> String {
    let geometry = operation.geometry
    var more: [Int] = []
    for axis in 0..<geometry.axisCount {
      let between = (types[0].shape[axis + 2] - 1) * Size(geometry.stride[axis])
      let span = geometry.span(of: types[1].shape[axis + 2], axis: axis)
      let usual = between + span - Size(geometry.padBegin[axis] + geometry.padEnd[axis])
      guard let rest = (operation.size[axis] - usual).known, rest >= 0 else {
        throw ONNXRefusal("a result of size \(operation.size[axis]) has no form in ONNX")
      }
      more.append(rest)
    }
    var attributes = attributes(geometry)
    attributes["output_padding"] = .integers(more)
    return export.builder.add("ConvTranspose", operands, attributes)
  }
}
