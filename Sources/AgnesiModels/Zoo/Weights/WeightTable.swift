import AgnesiArrays

/// How one kind of weight file calls and lays out the parameters of a network: a row for each.
struct WeightTable: Sendable {
  /// Whose files these are: `torchvision`.
  let origin: String
  /// In the order of the network.
  let rows: [WeightRow]
  /// Arrays that such files have and no network needs, by how their names end.
  var ignoredEndings: [String] = []

  /// The same, by how their names begin.
  var ignoredBeginnings: [String] = []

  func ignores(_ name: String) -> Bool {
    ignoredEndings.contains { name.hasSuffix($0) }
      || ignoredBeginnings.contains { name.hasPrefix($0) }
  }
}

/// A parameter, and the arrays of a file that it is made of.
struct WeightRow: Sendable {
  /// The parameter's name here.
  var parameter: String
  /// The array's name there.
  var array: String
  /// How the file's layout becomes ours.
  var conversion = WeightConversion.same

  init(_ parameter: String, _ array: String, _ conversion: WeightConversion = .same) {
    self.parameter = parameter
    self.array = array
    self.conversion = conversion
  }

  /// All arrays of the file that this row reads.
  var arrays: [String] {
    if case .indices(let table) = conversion { return [array, table] }
    if case .divided(let factor) = conversion { return [array, factor] }
    return [array]
  }
}

/// How an array of a weight file becomes a parameter.
enum WeightConversion: Hashable, Sendable {
  /// As it is.
  case same
  /// A matrix `[out, in]`, `[out, in, 1, 1]` or (in old files of Caffe) `[1, 1, out, in]`, becomes
  /// `[in, out]`.
  case transposed
  /// Kernels `[height, width, in, out]` become `[out, in, height, width]`.
  case channelsLast
  /// Axes of size 1 are added or taken away.
  case reshaped
  /// `1 / √(variance + ε)` becomes the variance.
  case inverseDeviation(epsilon: Double)
  /// Caffe's sums of statistics are divided by the array of this name.
  case divided(by: String)
  /// Bytes are places in the table of this name.
  case indices(into: String)
}

extension WeightConversion {
  /// The shape that the file's array has, for a parameter of `shape`.
  func shapeInFile(_ shape: [Int]) -> [Int] {
    switch self {
    case .transposed: shape.reversed()
    case .channelsLast where shape.count == 4: [shape[2], shape[3], shape[1], shape[0]]
    default: shape
    }
  }

  /// The parameter's value in float32.
  ///
  /// - Parameters:
  ///   - array: of the file.
  ///   - other: the second array of the row, where it has one.
  ///   - shape: that of the parameter.
  /// - Returns: nil where the shapes do not fit.
  func value(_ array: NDArray, _ other: NDArray?, shape: [Int]) -> NDArray? {
    switch self {
    case .same:
      return array.shape == shape ? array.cast(to: .float32) : nil
    case .transposed:
      guard shape.count == 2, array.count == shape[0] * shape[1] else { return nil }
      let matrix = [shape[1], shape[0]]
      let isMatrix = array.shape.starts(with: matrix) || array.shape.suffix(2) == matrix[...]
      return isMatrix ? MatrixTranspose.rows(of: array.reshaped(matrix)) : nil
    case .channelsLast:
      guard array.rank == 4, shapeInFile(shape) == array.shape else { return nil }
      return array.transposed([3, 2, 0, 1]).contiguous().cast(to: .float32)
    case .reshaped:
      let isSame = array.shape.filter { $0 != 1 } == shape.filter { $0 != 1 }
      return isSame ? array.reshaped(shape).cast(to: .float32) : nil
    case .inverseDeviation(let epsilon):
      guard array.shape == shape else { return nil }
      // Not below 0, which rounding may do to channels that never vary.
      let variances = array.doubles.map { max(1 / ($0 * $0) - epsilon, 0) }
      return NDArray(rounding: variances, shape: shape, .float32)
    case .divided:
      guard array.count == shape.product, let other, other.count == 1 else { return nil }
      let factor = other.doubles[0]
      let values = array.doubles.map { factor == 0 ? 0 : $0 / factor }
      return NDArray(rounding: values, shape: shape, .float32)
    case .indices:
      guard array.shape == shape, array.dtype == .uint8, let other, other.count == 256 else {
        return nil
      }
      let table = other.cast(to: .float32).reshaped([256]).scalars(as: Float.self)
      let places = array.scalars(as: UInt8.self)
      return NDArray(places.map { table[Int($0)] }, shape: shape)
    }
  }
}
