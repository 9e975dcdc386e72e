import AgnesiArrays

/// Shifts and scales values to mean 0 and deviation 1, by numbers measured on training data.
///
/// The formula is `(x − mean) / deviation`. The same numbers serve validation, test and use, and
/// ``inverted(_:)`` brings predictions of standardised targets back.
public struct Standardization: Codable, Hashable, Sendable {
  /// Over what a mean is taken.
  public enum Grain: String, Codable, Hashable, Sendable, CaseIterable {
    /// Over everything: one mean.
    case global
    /// Over the samples and all axes but the first of a sample: one mean for each channel.
    case channel
    /// Over the samples: one mean for each element of a sample.
    case feature
  }

  /// Over what the means were taken.
  public let grain: Grain
  /// The shape of one sample.
  public let sampleShape: [Int]
  /// One value for each channel or feature, in the order of the sample's elements.
  public let mean: [Double]
  /// Likewise; 1 where all values are the same, so that nothing divides by zero.
  public let deviation: [Double]

  /// Measures the scaled inputs of a data set.
  ///
  /// - Throws: ``DataError`` where there is no sample, or a value is NaN or infinite.
  public init(of dataSet: DataSet, per grain: Grain) throws(DataError) {
    let action = "standardise \(dataSet.name)"
    guard dataSet.count > 0 else { throw DataError(action, "it has no samples") }
    if let found = NonFiniteSamples(dataSet.inputs) {
      throw DataError(
        action,
        "NaN or infinity in the inputs of \(found.count) of \(dataSet.count) samples, the first is "
          + "sample \(found.first)",
        hint: Hint.mendData.text(nil))
    }
    try self.init(of: dataSet.inputs, scaling: dataSet.scaling, per: grain, name: dataSet.name)
  }

  /// Measures values `[count, …]`, uint8 or floating, such as targets of a regression.
  ///
  /// The deviation is that of the values themselves: the sum of squares is divided by their number.
  ///
  /// - Parameter scaling: applied to the values first.
  /// - Throws: ``DataError`` where there is no value, or one is NaN or infinite.
  /// - Complexity: O(values): one pass over bytes, exact in integers; two passes over floats, in
  ///   float64.
  public init(
    of values: NDArray, scaling: InputScaling = .identity, per grain: Grain,
    name: String = "values"
  ) throws(DataError) {
    let action = "standardise \(name)"
    guard values.rank > 0, values.count > 0 else {
      throw DataError(action, "values of shape \(values.shape) have no mean")
    }
    self.grain = grain
    sampleShape = Array(values.shape.dropFirst())
    let groups = Self.groups(grain, sampleShape)
    let moments = Moments(of: values, groups: groups)
    if let group = moments.mean.indices.first(where: {
      !moments.mean[$0].isFinite || !moments.deviation[$0].isFinite
    }) {
      let place = grain == .global ? "the values" : "\(grain.rawValue) \(group)"
      throw DataError(action, "\(place) cannot be averaged: NaN, infinite or too large")
    }
    mean = moments.mean.map { $0 * scaling.factor + scaling.offset }
    deviation = moments.deviation.map { $0 == 0 ? 1 : $0 * abs(scaling.factor) }
  }

  static func groups(_ grain: Grain, _ sampleShape: [Int]) -> Int {
    switch grain {
    case .global: 1
    case .channel: sampleShape.first ?? 1
    case .feature: sampleShape.product
    }
  }

  /// `values` standardised, as float32.
  ///
  /// - Parameter values: `[count, …]` with samples of the shape that was measured.
  /// - Throws: ``DataError`` where they have another shape.
  public func applied(to values: NDArray) throws(DataError) -> NDArray {
    try mapped(values) { value, group in (value - mean[group]) / deviation[group] }
  }

  /// The values whose standardised form is `values`, as float32.
  ///
  /// - Throws: ``DataError`` where they have another shape.
  public func inverted(_ values: NDArray) throws(DataError) -> NDArray {
    try mapped(values) { value, group in value * deviation[group] + mean[group] }
  }

  private func mapped(
    _ values: NDArray, _ function: (Double, Int) -> Double
  ) throws(DataError) -> NDArray {
    try check(values.shape, of: "values")
    let size = sampleShape.product
    let run = size / max(mean.count, 1)
    let result = values.doubles.enumerated().map { index, value in
      function(value, index % size / run)
    }
    return NDArray(rounding: result, shape: values.shape, .float32)
  }

  func check(_ shape: [Int], of what: String) throws(DataError) {
    guard !shape.isEmpty, Array(shape.dropFirst()) == sampleShape else {
      throw DataError(
        "standardise \(what)",
        "samples of shape \(Array(shape.dropFirst())) came, those of shape \(sampleShape) were "
          + "measured")
    }
  }

  /// Standardisation after `scaling`, as `stored · scale + shift` for each element of a sample.
  func affine(after scaling: InputScaling) -> (scale: [Float], shift: [Float]) {
    let run = sampleShape.product / max(mean.count, 1)
    let scale = deviation.map { Float(scaling.factor / $0) }
    let shift = zip(mean, deviation).map { Float((scaling.offset - $0) / $1) }
    func spread(_ values: [Float]) -> [Float] {
      values.flatMap { [Float](repeating: $0, count: run) }
    }
    return (spread(scale), spread(shift))
  }
}
