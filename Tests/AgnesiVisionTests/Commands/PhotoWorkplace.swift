import Agnesi
import Foundation
import TestSupport
import Testing

/// A folder with a network that tells red, green and blue apart, and photos for it.
struct PhotoWorkplace {
  static let side = 8
  let folder: TemporaryFolder
  var model: String { folder.path("colours.safetensors") }

  init() throws {
    folder = try TemporaryFolder()
    try Self.network().write(to: model)
  }

  /// Softmax of the means of the colours; over larger pictures, of each window.
  static func network(weight: Float = 0.25) throws -> Model {
    let pixels = Tensor.input("pixels", [.batch, 3, Size(side), Size(side)])
    let kernels = Tensor.parameter("conv.weight", [3, 3, 2, 2])
    // Each filter takes one colour.
    let identity = (0..<36).map { Float($0 / 12 == $0 % 12 / 4 ? weight : 0) }
    try #require(kernels.parameter).assign(NDArray(identity, shape: [3, 3, 2, 2]))
    let maps = convolution2D(pixels * (1 / 32.0), kernels, stride: [2, 2])
    let logits = maps.mean(axes: [2, 3])
    return Model(
      functions: [
        "classify": .init(
          inputs: [pixels],
          outputs: [("probabilities", softmax(logits, axis: 1)), ("logits", logits)])
      ],
      information: [
        "classes": #"["red","green","blue"]"#,
        "preprocessing": #"{"resizing":{"exact":{"width":8,"height":8}},"filter":"bilinear"}"#,
      ])
  }

  /// A picture of one colour, with a square of another in it.
  static func picture(
    _ colour: [UInt8], side: Int = 12, square: [UInt8]? = nil, x: Int = 0, y: Int = 0
  ) -> Picture {
    var samples: [UInt8] = []
    for row in 0..<side {
      for column in 0..<side {
        let isInside = (y..<(y + 8)).contains(row) && (x..<(x + 8)).contains(column)
        samples += isInside ? square ?? colour : colour
      }
    }
    return Picture(width: side, height: side, channels: 3, samples: samples)
  }

  @discardableResult
  func write(_ picture: Picture, _ name: String) throws -> String {
    try folder.write(picture.png, to: name)
  }

  func agnesi(_ arguments: String...) throws -> BuildProducts.Outcome {
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    return try BuildProducts.run(
      command, arguments, environment: ["AGNESI_THREADS": "1", "LC_ALL": "C.UTF-8"])
  }
}

extension BuildProducts.Outcome {
  /// The lines of standard output, each a JSON object.
  var objects: [[String: Any]] {
    output.split(separator: "\n").compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
    }
  }
}

extension BinomialInterval {
  /// Whether a value that was read from JSON has these ends, but for the last digits that Foundation
  /// reads otherwise.
  func isNear(_ value: Any?) -> Bool {
    guard let read = value as? [Double], read.count == 2 else { return false }
    return zip(read, ends).allSatisfy { abs($0 - $1) < 1e-12 }
  }
}
