import CAgnesi
import Testing

/// A convolution over two axes, with the obvious loops for it and its adjoints.
struct ConvolutionCase: CustomTestStringConvertible, Sendable {
  var batch = 2
  var channels = 3
  var filters = 4
  var groups = 1
  var size = [8, 8]
  var kernel = [3, 3]
  var stride = [1, 1]
  var begin = [0, 0]
  var end = [0, 0]
  var dilation = [1, 1]

  var testDescription: String {
    "\(batch)×\(channels)×\(size) \(filters)C\(kernel) s\(stride) p\(begin)\(end) d\(dilation) "
      + "g\(groups)"
  }

  var description: agnesi_convolution {
    var it = agnesi_convolution()
    it.rank = 2
    it.batch = Int64(batch)
    it.channels = Int64(channels)
    it.filters = Int64(filters)
    it.groups = Int64(groups)
    it.size = triple(size)
    it.kernel = triple(kernel)
    it.stride = triple(stride)
    it.pad_begin = triple(begin)
    it.pad_end = triple(end)
    it.dilation = triple(dilation)
    return it
  }

  var output: [Int] {
    var it = description
    return (0..<2).map { Int(agnesi_convolution_output(&it, Int32($0))) }
  }

  var sourceCount: Int { batch * channels * size[0] * size[1] }
  var weightCount: Int { filters * (channels / groups) * kernel[0] * kernel[1] }
  var destinationCount: Int { batch * filters * output[0] * output[1] }

  /// Calls `body` with the places of each product's factors in source, weights and destination.
  func forEachProduct(_ body: (Int, Int, Int) -> Void) {
    let (height, width) = (output[0], output[1])
    let (inner, outer) = (channels / groups, filters / groups)
    for n in 0..<batch {
      for f in 0..<filters {
        for (i, j) in pairs(height, width) {
          let destination = ((n * filters + f) * height + i) * width + j
          for c in 0..<inner {
            for (u, v) in pairs(kernel[0], kernel[1]) {
              let y = i * stride[0] - begin[0] + u * dilation[0]
              let x = j * stride[1] - begin[1] + v * dilation[1]
              guard y >= 0, x >= 0, y < size[0], x < size[1] else { continue }
              let channel = n * channels + f / outer * inner + c
              let source = (channel * size[0] + y) * size[1] + x
              body(source, ((f * inner + c) * kernel[0] + u) * kernel[1] + v, destination)
            }
          }
        }
      }
    }
  }

  func forward(_ source: [Float], _ weights: [Float], bias: [Float]?, relu: Bool = false)
    -> [Float]
  {
    var result = [Double](repeating: 0, count: destinationCount)
    forEachProduct { result[$2] += Double(source[$0]) * Double(weights[$1]) }
    let area = max(output[0] * output[1], 1)
    return result.enumerated().map { place, sum in
      let value = Float(sum) + (bias.map { $0[place / area % filters] } ?? 0)
      return relu ? max(value, 0) : value
    }
  }

  func backwardData(_ upstream: [Float], _ weights: [Float]) -> [Float] {
    var result = [Double](repeating: 0, count: sourceCount)
    forEachProduct { result[$0] += Double(upstream[$2]) * Double(weights[$1]) }
    return result.map { Float($0) }
  }

  func backwardWeights(_ source: [Float], _ upstream: [Float]) -> [Float] {
    var result = [Double](repeating: 0, count: weightCount)
    forEachProduct { result[$1] += Double(source[$0]) * Double(upstream[$2]) }
    return result.map { Float($0) }
  }

  func backwardBias(_ upstream: [Float]) -> [Float] {
    var result = [Double](repeating: 0, count: filters)
    let area = max(output[0] * output[1], 1)
    for (place, value) in upstream.enumerated() { result[place / area % filters] += Double(value) }
    return result.map { Float($0) }
  }

  /// A context for this convolution; plain arguments unless layouts are given.
  func context(
    _ kind: agnesi_convolution_kind, _ flags: Int = 0,
    _ algorithm: agnesi_algorithm = agnesi_algorithm_direct, layouts: [Layout?]? = nil
  ) -> Context? {
    var it = description
    var status = agnesi_ok
    return withExtendedLifetime(layouts) {
      Context(
        agnesi_convolution_create(
          kind, &it, UInt32(flags), algorithm, layouts?.map { $0?.pointer }, 2, &status))
    }
  }
}

func triple(_ values: [Int]) -> (Int64, Int64, Int64) {
  (Int64(values[0]), Int64(values[1]), 0)
}

func pairs(_ a: Int, _ b: Int) -> [(Int, Int)] {
  (0..<a).flatMap { i in (0..<b).map { (i, $0) } }
}
