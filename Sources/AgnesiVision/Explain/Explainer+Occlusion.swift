import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions

extension Explainer {
  /// Pictures that the network sees at once.
  private static let batchSize = 16

  /// - Source: Zeiler & Fergus 2014, §4.2.
  func occlusion(_ question: Question, box: Int?, stride: Int?) throws -> Answer {
    let boxes = try OcclusionBoxes(
      width: question.width, height: question.height, box: box, stride: stride)
    let function = try occludedProbability()
    let whole = NDArray(filled: 1, shape: [1, 1, question.height, question.width])
    let unmasked = try function(question.pixels, whole, question.classes()).scalar
    var falls: [Double] = []
    while falls.count < boxes.places.count {
      let places = boxes.places[falls.count..<min(falls.count + Self.batchSize, boxes.places.count)]
      let masked = try function(
        question.pixels(times: places.count), boxes.masks(places),
        question.classes(times: places.count))
      falls += masked.doubles.map { unmasked - $0 }
      try question.progress(Double(falls.count) / Double(boxes.places.count))
    }
    let lowest = unmasked - (falls.max() ?? 0)
    return Answer(
      heat: boxes.map(of: falls),
      facts: [
        ("probability of the class", Self.percent(unmasked)),
        ("lowest with a box on it", Self.percent(lowest)),
        ("boxes", "\(boxes.places.count) of \(boxes.side) × \(boxes.side), every \(boxes.stride)"),
      ])
  }

  /// From pixels, masks `[batch, 1, height, width]` and classes: the probability of the class of each
  /// picture, which is 0 after scaling where its mask is.
  private func occludedProbability() throws -> BatchedFunction {
    let place = graph.scaledPixels
    let shape = model.pixels.shape
    let mask = Tensor.input("mask", [shape[0], 1, shape[2], shape[3]])
    let classes = classInput()
    return try function("occlusion") {
      let masked = model.probabilities.replacing([place: place * mask])
      return ([model.pixels, mask, classes], [masked.picked(classes, axis: 1)])
    }
  }
}

/// The places of a box that is slid over a picture.
package struct OcclusionBoxes {
  package let width: Int
  package let height: Int
  package let side: Int
  package let stride: Int
  /// Left upper corners, row by row.
  package let places: [(x: Int, y: Int)]

  /// The last place along each axis touches the border, wherever the strides end.
  package init(width: Int, height: Int, box: Int?, stride: Int?) throws {
    let shorter = min(width, height)
    side = box ?? max(shorter * 2 / 7, 1)
    self.stride = stride ?? max(side / 4, 1)
    guard side >= 1, side <= shorter, self.stride >= 1, self.stride <= side else {
      throw ExplanationError(
        "occlusion",
        "a box of \(side) pixels that moves by \(self.stride), over \(width) × \(height)",
        hint: "the box fits into the picture, and moves by at most its own side")
    }
    self.width = width
    self.height = height
    let columns = Self.starts(width, side, self.stride)
    let rows = Self.starts(height, side, self.stride)
    places = rows.flatMap { y in columns.map { (x: $0, y: y) } }
  }

  private static func starts(_ size: Int, _ side: Int, _ stride: Int) -> [Int] {
    let last = size - side
    let regular = Array(Swift.stride(from: 0, through: last, by: stride))
    return regular.last == last ? regular : regular + [last]
  }

  /// `[places, 1, height, width]`: 0 inside of each place's box, 1 elsewhere.
  package func masks(_ places: ArraySlice<(x: Int, y: Int)>) -> NDArray {
    var values = [Float](repeating: 1, count: places.count * width * height)
    for (index, place) in places.enumerated() {
      forEachPixel(of: place) { values[index * width * height + $0] = 0 }
    }
    return NDArray(values, shape: [places.count, 1, height, width])
  }

  /// Each place's number added to the pixels under its box, divided by the number of boxes over each.
  package func map(of values: [Double]) -> NDArray {
    var sums = [Double](repeating: 0, count: width * height)
    var coverage = sums
    for (place, value) in zip(places, values) {
      forEachPixel(of: place) {
        sums[$0] += value
        coverage[$0] += 1
      }
    }
    return NDArray(
      rounding: zip(sums, coverage).map { $1 > 0 ? $0 / $1 : 0 }, shape: [height, width], .float32)
  }

  private func forEachPixel(of place: (x: Int, y: Int), _ body: (Int) -> Void) {
    for y in place.y..<(place.y + side) {
      for x in place.x..<(place.x + side) { body(y * width + x) }
    }
  }
}
