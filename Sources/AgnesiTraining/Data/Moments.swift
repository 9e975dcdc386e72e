import AgnesiArrays

/// Mean and deviation of groups of a sample's elements, over all samples.
struct Moments {
  private(set) var mean: [Double]
  private(set) var deviation: [Double]

  /// - Parameters:
  ///   - values: `[count, …]` with at least one value.
  ///   - groups: how many runs of equal length a sample is divided into.
  init(of values: NDArray, groups: Int) {
    mean = []
    deviation = []
    let values = values.contiguous()
    let run = values.shape.dropFirst().product / groups
    let shape = Shape(count: values.shape[0], groups: groups, run: run)
    switch values.dtype {
    case .uint8:
      values.withUnsafeBytes { measure(bytes: $0.bindMemory(to: UInt8.self), shape) }
    case .float32:
      values.withUnsafeBytes { measure($0.bindMemory(to: Float.self), shape) { Double($0) } }
    default: values.doubles.withUnsafeBufferPointer { measure($0, shape) { $0 } }
    }
  }

  private struct Shape {
    let count: Int
    let groups: Int
    let run: Int

    var valuesPerGroup: Int { count * run }

    /// Calls `body` with each group's runs and where they start.
    func forEachRun(_ body: (_ group: Int, _ start: Int) -> Void) {
      for row in 0..<count {
        for group in 0..<groups { body(group, (row * groups + group) * run) }
      }
    }
  }

  /// Sums of bytes and of their squares are exact in integers.
  private mutating func measure(bytes: UnsafeBufferPointer<UInt8>, _ shape: Shape) {
    var sums = [UInt64](repeating: 0, count: shape.groups)
    var squares = sums
    shape.forEachRun { group, start in
      var (sum, square): (UInt64, UInt64) = (0, 0)
      for index in start..<(start + shape.run) {
        let value = UInt64(bytes[index])
        sum &+= value
        square &+= value &* value
      }
      sums[group] += sum
      squares[group] += square
    }
    let count = UInt128(shape.valuesPerGroup)
    for (sum, square) in zip(sums, squares) {
      mean.append(Double(sum) / Double(shape.valuesPerGroup))
      // n²·variance = n·Σx² − (Σx)², without rounding.
      let scaled = count * UInt128(square) - UInt128(sum) * UInt128(sum)
      deviation.append(Double(scaled).squareRoot() / Double(shape.valuesPerGroup))
    }
  }

  /// Two passes, as differences from the first value, so that equal values have exactly no
  /// deviation.
  private mutating func measure<Value>(
    _ values: UnsafeBufferPointer<Value>, _ shape: Shape, _ double: (Value) -> Double
  ) {
    let first = (0..<shape.groups).map { double(values[$0 * shape.run]) }
    var sums = [Double](repeating: 0, count: shape.groups)
    shape.forEachRun { group, start in
      let origin = first[group]
      var sum = 0.0
      for index in start..<(start + shape.run) { sum += double(values[index]) - origin }
      sums[group] += sum
    }
    let shifts = sums.map { $0 / Double(shape.valuesPerGroup) }
    mean = zip(first, shifts).map { $0 + $1 }
    var squares = [Double](repeating: 0, count: shape.groups)
    shape.forEachRun { group, start in
      let (origin, shift) = (first[group], shifts[group])
      var square = 0.0
      for index in start..<(start + shape.run) {
        let difference = double(values[index]) - origin - shift
        square += difference * difference
      }
      squares[group] += square
    }
    deviation = squares.map { ($0 / Double(shape.valuesPerGroup)).squareRoot() }
  }
}
