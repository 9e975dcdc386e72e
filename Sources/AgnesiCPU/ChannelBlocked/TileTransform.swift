import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// One side of a convolution's products by ``PolyphaseConvolution``: from numbers to the
/// *Winograd domain*, or the adjoint of that.
///
/// Along an axis, the values at the points 0, 1, −1, 2 and ∞ of a product of polynomials stand for
/// the four results of a tile. Values have the shape `[25, rows, columns]`, so that matrix products
/// combine them:
/// - of an image: `[25, tiles, 4 · channels]`, its pixels in phases of two rows and two columns;
/// - of a convolution's result: `[25, tiles, filters]`;
/// - of kernels: `[25, 4 · channels, filters]`.
///
/// Images and results lie in channel blocks. The four phases of a block's channels follow one
/// another, then comes the next block.
struct TileTransform: Operation {
  static let name = "tileTransform"

  /// What has values in the Winograd domain.
  enum Form: String, Hashable, Sendable, Codable {
    case image, result, kernels
  }

  enum Direction: String, Hashable, Sendable, Codable {
    case toWinogradDomain, fromWinogradDomain
  }

  let form: Form
  let direction: Direction
  let blocks: ChannelBlocks
  /// The shape of the image, the result or the kernels, in order.
  let shape: Shape
  /// Whether values of kernels are `[25, filters, 4 · channels]`.
  var isTransposed = false

  var label: String { "tileTransform.\(form.rawValue).\(direction.rawValue)" }

  /// Results of a tile along an axis.
  static let side = 4
  /// Points along an axis: as many as results and taps of a phase, less one.
  static let points = 5
  /// Pairs of a phase of rows and one of columns.
  static let phases = 4

  static func tiles(_ results: Size) -> Size { (results + Size(side - 1)) / Size(side) }

  // MARK: Types

  private var winogradShape: Shape {
    let all = Size(Self.points * Self.points)
    let phases = Size(Self.phases)
    switch form {
    case .image:
      let tiles = Self.tiles(shape[2] / 2) * Self.tiles(shape[3] / 2)
      return [all, shape[0] * tiles, shape[1] * phases]
    case .result:
      return [all, shape[0] * (Self.tiles(shape[2]) * Self.tiles(shape[3])), shape[1]]
    case .kernels:
      let (rows, columns) = (shape[1] * phases, shape[0])
      return isTransposed ? [all, columns, rows] : [all, rows, columns]
    }
  }

  private var numbersShape: Shape { form == .kernels ? shape : blocks.packed(shape) }

  func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let isForward = direction == .toWinogradDomain
    let expected = isForward ? numbersShape : winogradShape
    let operand = operands[0]
    guard operand.dtype == .float32, operand.rank == expected.count,
      zip(operand.shape, expected).allSatisfy({ $0.mayEqual($1) })
    else { throw TypeError("needs \(TensorType(.float32, expected)), got \(operand)") }
    return [TensorType(.float32, isForward ? winogradShape : numbersShape)]
  }

  func substituting(_ sizes: [String: Size]) -> TileTransform {
    TileTransform(
      form: form, direction: direction, blocks: blocks,
      shape: shape.map { $0.substituting(sizes) }, isTransposed: isTransposed)
  }
}

// MARK: - Meaning

extension TileTransform {
  /// How much of a number a value at a point holds, along one axis.
  private struct Link {
    var number: Int
    var tile: Int
    var phase: Int
    var point: Int
    var weight: Double
  }

  /// Rows are points, columns the numbers of a tile (of a phase) along an axis.
  ///
  /// With these, four results of two taps are `Σ result[p][i] · (kernels · taps)[p] · (image · x)[p]`.
  private var matrix: [[Double]] {
    switch form {
    case .image:
      [
        [2, -1, -2, 1, 0], [0, -2, -1, 1, 0], [0, 2, -3, 1, 0], [0, -1, 0, 1, 0],
        [0, 2, -1, -2, 1],
      ]
    case .result: [[1, 0, 0, 0], [1, 1, 1, 1], [1, -1, 1, -1], [1, 2, 4, 8], [0, 0, 0, 1]]
    case .kernels: [[1 / 2, 0], [-1 / 2, -1 / 2], [-1 / 6, 1 / 6], [1 / 6, 1 / 3], [0, 1]]
    }
  }

  private func links(_ size: Int) -> [Link] {
    let results = form == .image ? size / 2 : size
    let tiles = form == .kernels ? 1 : (results + Self.side - 1) / Self.side
    var links: [Link] = []
    for tile in 0..<tiles {
      for phase in 0..<(form == .result ? 1 : 2) {
        for (point, row) in matrix.enumerated() {
          for (index, weight) in row.enumerated() where weight != 0 {
            let place = tile * Self.side + index
            let number =
              switch form {
              case .image: 2 * place + phase - 1
              case .result: place
              case .kernels: 2 * index + phase
              }
            guard 0..<size ~= number else { continue }
            links.append(
              Link(number: number, tile: tile, phase: phase, point: point, weight: weight))
          }
        }
      }
    }
    return links
  }

  /// Visits each pair of a number and a value at a point that depend on one another, as positions in
  /// plain row-major order.
  private func forEachPair(_ body: (_ number: Int, _ value: Int, _ weight: Double) -> Void) {
    let sizes = shape.map { $0.known ?? 0 }
    let values = winogradShape.map { $0.known ?? 0 }
    let (down, across) = (links(sizes[2]), links(sizes[3]))
    let tilesAcross = (across.map(\.tile).max() ?? 0) + 1
    let tilesDown = (down.map(\.tile).max() ?? 0) + 1
    for outer in 0..<sizes[0] {
      for inner in 0..<sizes[1] {
        for y in down {
          for x in across {
            let number = ((outer * sizes[1] + inner) * sizes[2] + y.number) * sizes[3] + x.number
            let tile = (outer * tilesDown + y.tile) * tilesAcross + x.tile
            let phase = 2 * y.phase + x.phase
            let channel =
              (inner / blocks.width * Self.phases + phase) * blocks.width + inner % blocks.width
            let (row, column) =
              switch form {
              case .image: (tile, channel)
              case .result: (tile, inner)
              case .kernels: isTransposed ? (outer, channel) : (channel, outer)
              }
            let point = y.point * Self.points + x.point
            body(number, (point * values[1] + row) * values[2] + column, y.weight * x.weight)
          }
        }
      }
    }
  }

  func reference(_ operands: [NDArray], types: [TensorType]) -> [NDArray] {
    let isForward = direction == .toWinogradDomain
    let isInBlocks = form != .kernels
    let target = (isForward ? winogradShape : shape).map { $0.known ?? 0 }
    var sums = [Double](repeating: 0, count: target.product)
    let operand = isForward && isInBlocks ? blocks.unpacked(operands[0]) : operands[0]
    let source = operand.doubles
    forEachPair { number, value, weight in
      if isForward {
        sums[value] += weight * source[number]
      } else {
        sums[number] += weight * source[value]
      }
    }
    let result = NDArray(rounding: sums, shape: target, .float32)
    return [!isForward && isInBlocks ? blocks.packed(result) : result]
  }
}
