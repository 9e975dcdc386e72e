import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension ONNXOperators {
  /// Images of other sizes.
  static var resizing: [ONNXOperator] {
    [
      ONNXOperator("Resize", resized),
      ONNXOperator("Upsample") { call in
        let scales: [Double]
        if call.version < 9 {
          guard case .floats(let values)? = call.node.attributes["scales"] else {
            throw ONNXRefusal("it has no scales")
          }
          scales = values.map { Double($0) }
        } else {
          scales = try call.contents(1, "scales").doubles
        }
        let sampler = AxisSampler(
          mode: try call.text("mode", "nearest"), coordinates: "asymmetric", rounding: "floor")
        let x = try call(0)
        return try sampler.applied(to: x, Array(x.shape.indices), scales: scales, sizes: nil)
      },
    ]
  }

  private static func resized(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    let isFirst = call.version < 11
    var sampler = AxisSampler(
      mode: try call.text("mode", "nearest"),
      coordinates: isFirst
        ? "asymmetric" : try call.text("coordinate_transformation_mode", "half_pixel"),
      rounding: isFirst ? "floor" : try call.text("nearest_mode", "round_prefer_floor"))
    sampler.cubicCoefficient = try call.float("cubic_coeff_a", -0.75)
    sampler.excludesOutside = try call.flag("exclude_outside")
    sampler.hasAntialiasing = try call.flag("antialias")
    let axes = try call.axes(try call.integers("axes") ?? Array(0..<x.rank), of: x.rank)
    let hasSizes = try !isFirst && call.has(3) && !call.sizes(3, "sizes").isEmpty
    guard hasSizes else {
      let scales = try call.contents(isFirst ? 1 : 2, "scales").doubles
      return try sampler.applied(to: x, axes, scales: scales, sizes: nil)
    }
    let policy = try call.text("keep_aspect_ratio_policy", "stretch")
    try call.refuse(policy != "stretch", "the policy \"\(policy)\"")
    let sizes = try call.integers(in: 3, "sizes")
    return try sampler.applied(to: x, axes, scales: nil, sizes: sizes)
  }
}

/// Resizes one axis after the other: each new element is a weighted sum of a few old ones.
///
/// Source: ONNX, *Operators*, Resize.
private struct AxisSampler {
  let mode: String
  let coordinates: String
  let rounding: String
  var cubicCoefficient = -0.75
  var excludesOutside = false
  var hasAntialiasing = false

  init(mode: String, coordinates: String, rounding: String) {
    self.mode = mode == "bilinear" ? "linear" : mode
    self.coordinates = coordinates
    self.rounding = rounding
  }

  /// An axis that is to be resized.
  private struct Axis {
    let size: Int
    let target: Int
    let scale: Double
  }

  /// Either scales or sizes are given, one for each of `axes`.
  func applied(
    to x: Tensor, _ axes: [Int], scales: [Double]?, sizes: [Int]?
  ) throws -> Tensor {
    guard ["nearest", "linear", "cubic"].contains(mode) else {
      throw ONNXRefusal("the mode \"\(mode)\" is not supported")
    }
    guard (scales?.count ?? sizes?.count) == axes.count else {
      throw ONNXRefusal("it has not one size for each of \(axes.count) axes")
    }
    var result = x
    for (number, axis) in axes.enumerated() {
      if scales?[number] == 1 || sizes.map({ Size($0[number]) }) == x.shape[axis] { continue }
      guard let size = x.shape[axis].known, size > 0 else {
        throw ONNXRefusal("axis \(axis) has a size that is known only when the graph runs")
      }
      let scale = scales?[number] ?? Double(sizes?[number] ?? 0) / Double(size)
      let target = sizes?[number] ?? Int((Double(size) * scale).clamped(to: -1...0x1p20))
      guard scale > 0, (1...(1 << 16)).contains(target), size <= 1 << 16 else {
        throw ONNXRefusal("axis \(axis) of size \(size) scaled by \(scale)")
      }
      result = try sampled(result, axis, Axis(size: size, target: target, scale: scale))
    }
    return result
  }

  private func sampled(_ x: Tensor, _ axis: Int, _ geometry: Axis) throws -> Tensor {
    let taps = try (0..<geometry.target).map { try self.taps(at: $0, geometry) }
    let count = taps.map(\.count).max() ?? 0
    guard count <= 64 else { throw ONNXRefusal("each new element depends on \(count) old ones") }
    func column(_ number: Int) -> Tensor {
      let places = taps.map { Int64($0.indices.contains(number) ? $0[number].place : 0) }
      return x.gathered(.constant(NDArray(places)), axis: axis)
    }
    if mode == "nearest" { return column(0) }
    guard x.dtype.isFloating else { throw ONNXRefusal("\(mode) resizing of \(x.dtype)") }
    let narrow = Shape(repeating: 1, count: x.rank - 1 - axis)
    let terms = (0..<count).map { number in
      let weights = taps.map { $0.indices.contains(number) ? $0[number].weight : 0 }
      let factor = NDArray(rounding: weights, shape: [weights.count], x.dtype)
      return column(number) * Tensor.constant(factor).reshaped([Size(weights.count)] + narrow)
    }
    return terms.dropFirst().reduce(terms[0]) { $0 + $1 }
  }

  private struct Tap {
    var place: Int
    var weight: Double
  }

  /// Where a new element lies among the old ones.
  private func origin(_ position: Int, _ axis: Axis) throws -> Double {
    let place = Double(position)
    switch coordinates {
    case "half_pixel": return (place + 0.5) / axis.scale - 0.5
    case "asymmetric": return place / axis.scale
    case "pytorch_half_pixel":
      return axis.target > 1 ? (place + 0.5) / axis.scale - 0.5 : 0
    case "align_corners":
      // The scaled size counts, of which the target is the whole part.
      let last = Double(axis.size) * axis.scale - 1
      return last != 0 ? place * Double(axis.size - 1) / last : 0
    case "half_pixel_symmetric":
      // The middle stays where it is, though the new size is not exactly the scaled one.
      let adjustment = Double(axis.target) / (axis.scale * Double(axis.size))
      let offset = Double(axis.size) / 2 * (1 - adjustment)
      return offset + (place + 0.5) / axis.scale - 0.5
    default: throw ONNXRefusal("the coordinates \"\(coordinates)\" are not supported")
    }
  }

  private func taps(at position: Int, _ axis: Axis) throws -> [Tap] {
    let origin = try origin(position, axis)
    if mode == "nearest" {
      return [Tap(place: clamp(try nearest(origin), axis), weight: 1)]
    }
    let stretch = hasAntialiasing ? Swift.max(1, 1 / axis.scale) : 1
    let reach = (mode == "linear" ? 1.0 : 2.0) * stretch
    let first = Int((origin - reach).rounded(.down)) + 1
    let last = Swift.max(Int((origin + reach).rounded(.up)) - 1, first)
    guard last - first < 128 else { throw ONNXRefusal("each new element depends on too many old") }
    var taps = (first...last).map { place in
      Tap(place: place, weight: weight((Double(place) - origin) / stretch))
    }
    if excludesOutside {
      for number in taps.indices where !(0..<axis.size).contains(taps[number].place) {
        taps[number].weight = 0
      }
    }
    let total = taps.reduce(0) { $0 + $1.weight }
    if (excludesOutside || hasAntialiasing) && total != 0 {
      for number in taps.indices { taps[number].weight /= total }
    }
    return taps.map { Tap(place: clamp($0.place, axis), weight: $0.weight) }
  }

  private func clamp(_ place: Int, _ axis: Axis) -> Int {
    Swift.min(Swift.max(place, 0), axis.size - 1)
  }

  private func nearest(_ origin: Double) throws -> Int {
    switch rounding {
    case "floor": return Int(origin.rounded(.down))
    case "ceil": return Int(origin.rounded(.up))
    case "round_prefer_floor": return Int((origin - 0.5).rounded(.up))
    case "round_prefer_ceil": return Int((origin + 0.5).rounded(.down))
    default: throw ONNXRefusal("the rounding \"\(rounding)\" is not supported")
    }
  }

  /// The kernel at a distance: a triangle, or Keys's cubic.
  private func weight(_ distance: Double) -> Double {
    let t = Swift.abs(distance)
    if mode == "linear" { return Swift.max(0, 1 - t) }
    let a = cubicCoefficient
    if t < 1 { return ((a + 2) * t - (a + 3)) * t * t + 1 }
    if t < 2 { return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a }
    return 0
  }
}
