import AgnesiArrays
import AgnesiTraining
import TestSupport

/// Small data for the tests of this folder.
enum Samples {
  /// `count` samples of `shape` with bytes that tell where they are, and labels 0 to 2 in turn.
  static func bytes(_ count: Int, shape: [Int] = [2, 3]) throws -> DataSet {
    let size = shape.reduce(1, *)
    let values = (0..<(count * size)).map { UInt8(truncatingIfNeeded: $0 * 7) }
    return try DataSet(
      name: "bytes", inputs: NDArray(values, shape: [count] + shape),
      targets: NDArray((0..<count).map { Int32($0 % 3) }), classNames: ["a", "b", "c"])
  }

  /// `count` samples whose only input and target is their number.
  static func numbers(_ count: Int) throws -> DataSet {
    let values = (0..<count).map(Float.init)
    return try DataSet(
      name: "numbers", inputs: NDArray(values, shape: [count, 1]),
      targets: NDArray(values, shape: [count, 1]))
  }

  /// Writes four IDX files as MNIST has them, gzipped where `suffix` is ".gz".
  static func writeIDX(
    to folder: String, train: Int = 6, test: Int = 4, suffix: String = "",
    shape: [Int] = [2, 2], testShape: [Int]? = nil
  ) throws {
    for (part, count, shape) in [("train", train, shape), ("t10k", test, testShape ?? shape)] {
      let size = shape.reduce(1, *)
      let pixels = (0..<(count * size)).map { UInt8(truncatingIfNeeded: $0) }
      try IDXFile.write(
        NDArray(pixels, shape: [count] + shape), to: "\(folder)/\(part)-images-idx3-ubyte\(suffix)")
      try IDXFile.write(
        NDArray((0..<count).map { UInt8($0 % 2) }),
        to: "\(folder)/\(part)-labels-idx1-ubyte\(suffix)")
    }
  }
}
