import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension ONNXOperators {
  /// Values scaled by the statistics around them.
  static var normalization: [ONNXOperator] {
    [
      ONNXOperator("BatchNormalization", batchNormalization),
      ONNXOperator("InstanceNormalization") { call in
        let x = try call(0)
        for position in 1...2 { try checkChannels(call, position, x) }
        let normal = standardized(
          x, axes: Array(2..<max(x.rank, 2)), epsilon: try call.float("epsilon", 1e-5))
        return normal * perChannel(try call(1), x) + perChannel(try call(2), x)
      },
      ONNXOperator("GroupNormalization", groupNormalization),
      ONNXOperator("LayerNormalization", results: layerNormalization),
      ONNXOperator("MeanVarianceNormalization") { call in
        let x = try call(0)
        let axes = try call.axes(try call.integers("axes") ?? [0, 2, 3], of: x.rank)
        let centred = x.widened - x.widened.mean(axes: axes, keepingAxes: true)
        let deviation = sqrt(square(centred).mean(axes: axes, keepingAxes: true))
        return (centred / (deviation + 1e-9)).narrowed(as: x)
      },
      ONNXOperator("LRN") { call in
        let size = try call.integer("size", 1)
        guard (1...4096).contains(size) else { throw ONNXRefusal("a size of \(size)") }
        return localResponseNormalized(
          try call(0), alpha: try call.float("alpha", 1e-4) / Double(size),
          k: try call.float("bias", 1), beta: try call.float("beta", 0.75), size: size)
      },
      ONNXOperator("LpNormalization") { call in
        let x = try call(0)
        let axis = try call.axis(try call.integer("axis", -1), of: x.rank)
        let wide = x.widened
        let norm =
          try call.integer("p", 2) == 1
          ? abs(wide).sum(axes: [axis], keepingAxes: true)
          : sqrt(square(wide).sum(axes: [axis], keepingAxes: true))
        return (wide / norm).narrowed(as: x)
      },
      ONNXOperator("Dropout", results: dropped),
    ]
  }

  /// One value a channel, in a shape that broadcasts over `x`.
  private static func perChannel(_ values: Tensor, _ x: Tensor) -> Tensor {
    values.reshaped([values.size(0)] + Shape(repeating: 1, count: max(x.rank - 2, 0)))
  }

  /// Checks that an input has one value for each channel of `x`.
  private static func checkChannels(_ call: ONNXCall, _ position: Int, _ x: Tensor) throws {
    guard x.rank >= 2 else { throw ONNXRefusal("channels of \(x.type)") }
    try call.checkEachOf(
      x.shape[1], "channels of its input", try call(position), "input \(position)")
  }

  /// Trains on with the composite; in inference it is ONNX's formula.
  private static func batchNormalization(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    try call.refuse(try call.flag("training_mode"), "the training mode")
    try call.refuse(call.version < 7 && !(try call.flag("is_test")), "the training mode")
    try call.refuse(call.version < 9 && !(try call.flag("spatial", true)), "spatial = 0")
    for position in 1...4 { try checkChannels(call, position, x) }
    let others = try (1...4).map { try call($0).cast(to: x.dtype) }
    let epsilon = try call.float("epsilon", 1e-5)
    guard epsilon > 0 else {
      let factor = perChannel(others[0], x) / sqrt(perChannel(others[3], x) + epsilon)
      return (x - perChannel(others[2], x)) * factor + perChannel(others[1], x)
    }
    let momentum = try call.float("momentum", 0.9)
    return batchNormalized(
      x, scale: others[0], offset: others[1], runningMean: others[2], runningVariance: others[3],
      epsilon: epsilon, weightOfNew: (1 - momentum).clamped(to: 0...1)
    ).output
  }

  private static func groupNormalization(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    let groups = try call.integer("num_groups", 1)
    guard x.rank >= 2, groups >= 1, let channels = x.shape[1].known, channels % groups == 0 else {
      throw ONNXRefusal("\(groups) groups of the channels of \(x.type)")
    }
    let parts = [x.shape[0], Size(groups), Size(channels / groups)] + x.shape.dropFirst(2)
    let normal = standardized(
      x.reshaped(parts), axes: Array(2..<parts.count), epsilon: try call.float("epsilon", 1e-5))
    let (scale, offset) = (try call(1), try call(2))
    if call.version >= 21 {
      for position in 1...2 { try checkChannels(call, position, x) }
      return normal.reshaped(x.shape) * perChannel(scale, x) + perChannel(offset, x)
    }
    // Before version 21 there was one scale a group.
    let narrow = [Size(groups)] + Shape(repeating: 1, count: parts.count - 2)
    return (normal * scale.reshaped(narrow) + offset.reshaped(narrow)).reshaped(x.shape)
  }

  private static func layerNormalization(_ call: ONNXCall) throws -> [Tensor] {
    let x = try call(0)
    let axis = try call.axis(try call.integer("axis", -1), of: x.rank)
    let (axes, epsilon) = (Array(axis..<x.rank), try call.float("epsilon", 1e-5))
    let wide = x.cast(to: x.dtype.computed)
    var results = [
      (standardized(wide, axes: axes, epsilon: epsilon).cast(to: x.dtype) * (try call(1)))
    ]
    if let offset = call.optional(2)?.tensor { results[0] = results[0] + offset }
    try call.checkStays(results[0], like: x)
    if call.asks(for: 1) || call.asks(for: 2) {
      let mean = wide.mean(axes: axes, keepingAxes: true)
      let variance = square(wide - mean).mean(axes: axes, keepingAxes: true)
      results += [mean, 1 / sqrt(variance + epsilon)]
    }
    return results
  }

  private static func dropped(_ call: ONNXCall) throws -> [Tensor] {
    let x = try call(0)
    if call.version >= 12, call.has(2) {
      try call.refuse(try call.number(in: 2, "training mode") != 0, "the training mode")
    }
    let rate =
      call.version >= 12
      ? (call.has(1) ? try call.number(in: 1, "ratio") : 0.5) : try call.float("ratio", 0.5)
    let mask = Tensor.filled(1, x.shape, .bool)
    guard rate > 0, rate < 1, x.dtype.isFloating else { return [x, mask] }
    let name = call.node.name.isEmpty ? call.node.outputs[0] : call.node.name
    return [dropout(x, rate: rate, name: name), mask]
  }
}
