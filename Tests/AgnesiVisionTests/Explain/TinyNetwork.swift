import Agnesi
import Foundation

/// A network of three classes for pictures of 12 × 12, once as an expression and once as loops that
/// say step by step what happens, forwards and backwards.
///
/// Scaled pixels → 3×3 convolution, 4 filters → rectifier → maxima of 2×2 → 3×3 convolution, 5 filters
/// → rectifier bounded at 1 ("maps") → means → dense.
struct TinyNetwork {
  static let side = 12
  let first: Kernels
  let second: Kernels
  /// `[5][3]`
  let dense: [[Double]]
  let mean = [120.0, 110, 100]
  let deviation = 60.0
  let bound = 1.0

  /// The kernels of a convolution without stride and its biases.
  struct Kernels {
    let values: [[[[Double]]]]
    let bias: [Double]

    var array: NDArray {
      NDArray(
        rounding: values.flatMap { $0.flatMap { $0.flatMap { $0 } } },
        shape: [values.count, values[0].count, 3, 3], .float32)
    }
  }

  init(seed: UInt64) {
    var random = PhiloxGenerator(seed: seed, name: "tiny network")
    func number(_ size: Double) -> Double {
      // As the float that the network will hold.
      Double(Float(Double.random(in: -size...size, using: &random)))
    }
    func kernels(_ filters: Int, _ channels: Int, _ size: Double) -> Kernels {
      Kernels(
        values: (0..<filters).map { _ in
          (0..<channels).map { _ in (0..<3).map { _ in (0..<3).map { _ in number(size) } } }
        },
        bias: (0..<filters).map { _ in number(0.3) })
    }
    first = kernels(4, 3, 0.4)
    second = kernels(5, 4, 0.4)
    dense = (0..<5).map { _ in (0..<3).map { _ in number(1.5) } }
  }

  // MARK: As an expression

  func model() throws -> PictureModel { try PictureModel(try plainModel()) }

  func plainModel(batch: Size = .batch) throws -> Model {
    let pixels = Tensor.input("pixels", [batch, 3, 12, 12])
    let means = Tensor.constant(NDArray(rounding: mean, shape: [3, 1, 1], .float32))
    let scaled = (pixels - means) / deviation
    let edges = convolution2D(
      scaled, try parameter("first.weight", first.array), padding: .symmetric(1, 1))
    let bias = try parameter(
      "first.bias", NDArray(rounding: first.bias, shape: [4, 1, 1], .float32))
    let on = relu(edges + bias)
    let pooled = maxPool2D(on)
    let inner = convolution2D(pooled, try parameter("second.weight", second.array))
    let shift = try parameter(
      "second.bias", NDArray(rounding: second.bias, shape: [5, 1, 1], .float32))
    let maps = clip(inner + shift, 0, bound)
    let weight = try parameter(
      "dense", NDArray(rounding: dense.flatMap { $0 }, shape: [5, 3], .float32))
    let logits = matmul(dropout(maps.mean(axes: [2, 3])), weight)
    let function = Model.Function(
      inputs: [pixels],
      outputs: [
        ("probabilities", softmax(logits, axis: 1)), ("logits", logits), ("edges", on),
        ("maps", maps),
      ])
    return Model(
      functions: ["classify": function],
      information: ["classes": #"["cat","dog","bird"]"#])
  }

  private func parameter(_ name: String, _ value: NDArray) throws -> Tensor {
    let tensor = Tensor.parameter(name, value.shape.map { Size($0) }, .zeros)
    try tensor.parameter?.assign(value)
    return tensor
  }

  static func photo(seed: UInt64) -> Picture {
    var random = PhiloxGenerator(seed: seed, name: "photo")
    return Picture(
      width: side, height: side, channels: 3,
      samples: (0..<432).map { _ in UInt8.random(in: 0...255, using: &random) })
  }
}

// MARK: - As loops

typealias Maps = [[[Double]]]

extension TinyNetwork {
  /// All values on the way.
  struct Pass {
    var scaled: Maps
    var edges: Maps
    var pooled: Maps
    /// For each place of `pooled`, where its maximum stood.
    var places: [[[(y: Int, x: Int)]]]
    var inner: Maps
    var logits: [Double]
    var probabilities: [Double]
  }

  enum Rule { case own, guided, deconvolution }

  static func planes(_ picture: Picture) -> Maps {
    (0..<3).map { c in
      (0..<side).map { y in (0..<side).map { x in Double(picture.pixel(x: x, y: y)[c]) } }
    }
  }

  func scaled(_ planes: Maps) -> Maps {
    planes.enumerated().map { c, plane in plane.map { $0.map { ($0 - mean[c]) / deviation } } }
  }

  func forward(_ planes: Maps) -> Pass { forward(scaled: scaled(planes)) }

  func forward(scaled: Maps) -> Pass {
    let edges = convolve(scaled, first, padding: 1)
    var pooled: Maps = []
    var places: [[[(y: Int, x: Int)]]] = []
    for map in edges {
      let on = map.map { $0.map { max($0, 0) } }
      let best = (0..<6).map { y in
        (0..<6).map { x -> (y: Int, x: Int) in
          let window = [
            (2 * y, 2 * x), (2 * y, 2 * x + 1), (2 * y + 1, 2 * x), (2 * y + 1, 2 * x + 1),
          ]
          var winner = window[0]
          for place in window where on[place.0][place.1] > on[winner.0][winner.1] { winner = place }
          return (y: winner.0, x: winner.1)
        }
      }
      places.append(best)
      pooled.append(best.map { $0.map { on[$0.y][$0.x] } })
    }
    let inner = convolve(pooled, second, padding: 0)
    let means = inner.map { map in
      map.joined().reduce(0) { $0 + min(max($1, 0), bound) } / Double(map.count * map.count)
    }
    let logits = (0..<3).map { k in (0..<5).reduce(0) { $0 + means[$1] * dense[$1][k] } }
    let total = logits.reduce(0) { $0 + exp($1) }
    return Pass(
      scaled: scaled, edges: edges, pooled: pooled, places: places, inner: inner, logits: logits,
      probabilities: logits.map { exp($0) / total })
  }

  private func convolve(_ input: Maps, _ kernels: Kernels, padding: Int) -> Maps {
    let size = input[0].count + 2 * padding - 2
    return kernels.values.enumerated().map { filter, kernel in
      (0..<size).map { y in
        (0..<size).map { x in
          var sum = kernels.bias[filter]
          for (channel, map) in input.enumerated() {
            for dy in 0..<3 {
              for dx in 0..<3 {
                let (row, column) = (y + dy - padding, x + dx - padding)
                guard map.indices.contains(row), map.indices.contains(column) else { continue }
                sum += kernel[channel][dy][dx] * map[row][column]
              }
            }
          }
          return sum
        }
      }
    }
  }

  /// The gradients of one class's logit at "maps".
  func gradientsAtMaps(_ pass: Pass, of label: Int) -> Maps {
    pass.inner.enumerated().map { filter, map in
      map.map { $0.map { _ in dense[filter][label] / Double(map.count * map.count) } }
    }
  }

  /// The gradients at the scaled pixels, where `gradients` arrive at "maps".
  func back(_ gradients: Maps, _ pass: Pass, _ rule: Rule) -> Maps {
    let edges = gradientsAtEdges(gradients, pass, rule)
    return adjoint(passed(edges, pass.edges, rule, bound: .infinity), first, padding: 1, size: 12)
  }

  /// The gradients at "edges", behind the first rectifier, where `gradients` arrive at "maps".
  func gradientsAtEdges(_ gradients: Maps, _ pass: Pass, _ rule: Rule) -> Maps {
    let inner = passed(gradients, pass.inner, rule, bound: bound)
    let pooled = adjoint(inner, second, padding: 0, size: 6)
    var edges: Maps = Array(
      repeating: Array(repeating: Array(repeating: 0, count: 12), count: 12), count: 4)
    for (channel, map) in pooled.enumerated() {
      for y in 0..<6 {
        for x in 0..<6 {
          let place = pass.places[channel][y][x]
          edges[channel][place.y][place.x] += map[y][x]
        }
      }
    }
    return edges
  }

  private func passed(_ gradients: Maps, _ values: Maps, _ rule: Rule, bound: Double) -> Maps {
    zip(gradients, values).map { map, values in
      zip(map, values).map { row, values in
        zip(row, values).map { gradient, value in
          let own = value > 0 && value < bound ? gradient : 0
          switch rule {
          case .own: return own
          case .guided: return max(own, 0)
          case .deconvolution: return max(gradient, 0)
          }
        }
      }
    }
  }

  private func adjoint(_ gradients: Maps, _ kernels: Kernels, padding: Int, size: Int) -> Maps {
    let channels = kernels.values[0].count
    var result: Maps = Array(
      repeating: Array(repeating: Array(repeating: 0, count: size), count: size), count: channels)
    for (filter, map) in gradients.enumerated() {
      for (y, row) in map.enumerated() {
        for (x, gradient) in row.enumerated() {
          for channel in 0..<channels {
            for dy in 0..<3 {
              for dx in 0..<3 {
                let (r, c) = (y + dy - padding, x + dx - padding)
                guard (0..<size).contains(r), (0..<size).contains(c) else { continue }
                result[channel][r][c] += gradient * kernels.values[filter][channel][dy][dx]
              }
            }
          }
        }
      }
    }
    return result
  }
}

/// The largest difference, as a share of the largest magnitude.
func difference(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  let largest = expected.map(abs).max() ?? 0
  let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
  return worst / max(largest, 1e-30)
}

func difference(_ found: [Double], _ expected: Maps) -> Double {
  difference(found, expected.flatMap { $0.flatMap { $0 } })
}
