import Agnesi
import Foundation
import TestSupport

/// Pictures of bright shapes on dark noise, drawn by a seed, and a small network for them.
enum DrawnPictures {
  static let side = 24

  /// A picture with a rectangle in it.
  struct Drawing {
    var picture: Picture
    /// Left, top, width and height in pixels.
    var box: (x: Int, y: Int, width: Int, height: Int)
  }

  /// - Parameter isTall: whether the rectangle is higher than wide: the class.
  static func drawing(_ number: Int, isTall: Bool) -> Drawing {
    var random = PhiloxGenerator(seed: UInt64(number), name: "drawing")
    let (long, short) = (
      Int.random(in: 11...14, using: &random), Int.random(in: 4...6, using: &random)
    )
    let (width, height) = isTall ? (short, long) : (long, short)
    let x = Int.random(in: 0...(side - width), using: &random)
    let y = Int.random(in: 0...(side - height), using: &random)
    let color = (0..<3).map { _ in UInt8.random(in: 160...255, using: &random) }
    var samples = (0..<(side * side * 3)).map { _ in UInt8.random(in: 0...90, using: &random) }
    for row in y..<(y + height) {
      for column in x..<(x + width) {
        for channel in 0..<3 { samples[(row * side + column) * 3 + channel] = color[channel] }
      }
    }
    return Drawing(
      picture: Picture(width: side, height: side, channels: 3, samples: samples),
      box: (x, y, width, height))
  }

  static func drawings(_ count: Int, from first: Int) -> [Drawing] {
    (0..<count).map { drawing(first + $0, isTall: $0 % 2 == 0) }
  }

  static func planes(_ drawings: [Drawing]) -> NDArray {
    NDArray(
      drawings.flatMap { $0.picture.planes.scalars(as: UInt8.self) },
      shape: [drawings.count, 3, side, side])
  }

  /// A network with batch normalisation and drawn values, which knows nothing yet.
  static func model(seed: UInt64 = 1) throws -> Model {
    let chain = try Notation.parse("8C3p1 BN MP2 16C3p1 BN MP2 16C3p1 GAP")
    return try PictureModel(untrained: chain, size: side, seed: seed).model
  }

  /// The same after it has learned to tell tall from wide on drawings that no test uses.
  static func taughtModel() throws -> Model {
    let network = try TransferNetwork(
      PictureBody(PictureModel(model())), head: .classes(2), seed: 2)
    let drawings = drawings(160, from: 20_000)
    let data = try DataSet(
      name: "drawings", inputs: planes(drawings),
      targets: NDArray(drawings.map { $0.box.height > $0.box.width ? Int32(0) : 1 }),
      classNames: ["tall", "wide"], scaling: .identity)
    let settings = TrainingSettings(
      epochs: 8, batchSize: 20, seed: 1, optimizer: .adam(), rate: 0.01, schedule: .oneCycle())
    let trainer = try Trainer(
      try network.graph(), on: DataSplit(train: data), settings: settings, output: nil,
      backend: .cpu
    ) { _ in try network.model(classNames: data.classNames) }
    _ = try trainer.run()
    return try trainer.model()
  }

  /// Folders `tall` and `wide`, in `train` and `val` where a part for validation is asked for.
  static func write(_ training: Int, validation: Int?, to folder: TemporaryFolder) throws {
    func write(_ count: Int, _ part: String, from first: Int) throws {
      for (number, drawing) in drawings(count, from: first).enumerated() {
        let name = number % 2 == 0 ? "tall" : "wide"
        try folder.write(drawing.picture.png, to: "\(part)\(name)/\(first + number).png")
      }
    }
    try write(training, validation == nil ? "photos/" : "photos/train/", from: 0)
    if let validation { try write(validation, "photos/val/", from: 1000) }
  }
}
