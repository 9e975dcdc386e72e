import Agnesi

/// Samples of three numbers; the class is whether the first one is positive.
enum SmallData {
  /// - Parameters:
  ///   - scale: a factor of the numbers; the classes stay.
  ///   - hasRandomLabels: whether there is nothing to learn.
  static func make(
    _ count: Int, seed: UInt64 = 1, scale: Double = 1, hasRandomLabels: Bool = false
  ) throws -> DataSet {
    let stream = Philox(seed: seed, name: "values")
    let values = (0..<(3 * count)).map { Double(stream.word(UInt64($0))) / 0x1p32 - 0.5 }
    let labels = (0..<count).map { index in
      hasRandomLabels
        ? Int32(stream.word(UInt64(9_000 + index)) & 1) : (values[3 * index] > 0 ? 1 : 0)
    }
    return try DataSet(
      name: "values",
      inputs: NDArray(rounding: values.map { $0 * scale }, shape: [count, 3], .float32),
      targets: NDArray(labels), classNames: ["low", "high"])
  }
}

extension TrainingGraph {
  /// The values of all parameters, by name.
  var values: [String: [Double]] {
    let parameters = output.parameters().compactMap(\.parameter)
    return Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value.doubles) })
  }
}
