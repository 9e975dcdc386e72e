// Whole numbers, exactly. A double holds those up to 2⁵³ only, so integers are compared, converted and
// computed with by the elements as they are.

extension NDArray {
  /// The elements of integers or bools in row-major order; those of uint64 by their bits.
  ///
  /// - Precondition: the dtype is not floating.
  package var wholes: [Int64] {
    let source = contiguous()
    return source.withUnsafeBytes { bytes in
      func read<Whole: FixedWidthInteger>(_ type: Whole.Type) -> [Int64] {
        bytes.bindMemory(to: type).map { Int64(truncatingIfNeeded: $0) }
      }
      switch dtype {
      case .bool: return bytes.map { $0 == 0 ? 0 : 1 }
      case .int8: return read(Int8.self)
      case .int16: return read(Int16.self)
      case .int32: return read(Int32.self)
      case .int64: return read(Int64.self)
      case .uint8: return read(UInt8.self)
      case .uint16: return read(UInt16.self)
      case .uint32: return read(UInt32.self)
      case .uint64: return read(UInt64.self)
      case .float16, .bfloat16, .float32, .float64:
        preconditionFailure("whole numbers of \(dtype)")
      }
    }
  }

  /// `values` in row-major order: their low bits, as an integer dtype reads them, or for bool whether they
  /// are not 0. Those of uint64 are given by their bits.
  ///
  /// - Precondition: `dtype` is not floating, and `values.count` is the product of `shape`.
  package init(wrapping values: [Int64], shape: [Int], _ dtype: DType) {
    precondition(
      values.count == shape.product,
      "an array of shape \(shape) holds \(shape.product) elements, got \(values.count)")
    self.init(uninitialized: shape, dtype)
    let base = storage.base
    func write<Whole: FixedWidthInteger>(_ type: Whole.Type) {
      let target = base.assumingMemoryBound(to: type)
      for (position, value) in values.enumerated() {
        target[position] = Whole(truncatingIfNeeded: value)
      }
    }
    switch dtype {
    case .bool:
      let target = base.assumingMemoryBound(to: UInt8.self)
      for (position, value) in values.enumerated() { target[position] = value == 0 ? 0 : 1 }
    case .int8, .uint8: write(UInt8.self)
    case .int16, .uint16: write(UInt16.self)
    case .int32, .uint32: write(UInt32.self)
    case .int64, .uint64: write(UInt64.self)
    case .float16, .bfloat16, .float32, .float64:
      preconditionFailure("whole numbers as \(dtype)")
    }
  }

  /// An array of one whole number, which keeps all its digits in integers of 64 bits; narrower integers
  /// keep the low bits, floats are rounded to nearest, and bool is whether it is not 0.
  ///
  /// - Precondition: no size is negative, and there is memory for as many elements.
  public init(filled value: Int, shape: [Int], _ dtype: DType = .float32) {
    Self.checkPossible(shape, .int64)
    let values = [Int64](repeating: Int64(value), count: shape.product)
    self = NDArray(wrapping: values, shape: shape, .int64).cast(to: dtype)
  }

  /// The value of an array of one element; nil for integers of which a double may not hold every digit.
  package var exactScalar: Double? {
    let value = scalar
    return !dtype.isInteger || value.magnitude < 0x1p53 ? value : nil
  }

  /// The elements of integers or bools as floats, each rounded once to float32, or to float64.
  func wholesAsFloats(_ target: DType) -> NDArray {
    let isUnsigned = dtype == .uint64
    let isDouble = target == .float64
    let values = wholes.map { value -> Double in
      let bits = UInt64(bitPattern: value)
      if isDouble { return isUnsigned ? Double(bits) : Double(value) }
      return Double(isUnsigned ? Float(bits) : Float(value))
    }
    return NDArray(rounding: values, shape: shape, target)
  }

  /// The first elements as text: integers with all their digits.
  func printed(_ values: [Double]) -> [String] {
    switch dtype {
    case .bool: values.map { $0 == 0 ? "false" : "true" }
    case .uint64: wholes.prefix(values.count).map { String(UInt64(bitPattern: $0)) }
    case let dtype where dtype.isInteger: wholes.prefix(values.count).map { String($0) }
    default: values.map { String($0) }
    }
  }
}
