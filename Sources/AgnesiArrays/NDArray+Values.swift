extension NDArray {
  /// The elements in row-major order, as they are stored.
  ///
  /// - Precondition: `Scalar` is the Swift type of the dtype.
  public func scalars<Scalar: ArrayScalar>(as type: Scalar.Type = Scalar.self) -> [Scalar] {
    precondition(Scalar.dtype == dtype, "\(dtype) elements asked for as \(Scalar.dtype)")
    return contiguous().withUnsafeBytes { Array($0.bindMemory(to: Scalar.self)) }
  }

  /// The elements in row-major order, as doubles: exact but for 64-bit integers beyond 2⁵³, which
  /// ``scalars(as:)`` gives as they are.
  public var doubles: [Double] { positions().map { load($0) } }

  /// The value of an array of one element.
  ///
  /// - Precondition: `count == 1`.
  public var scalar: Double {
    precondition(count == 1, "the scalar of an array of shape \(shape)")
    return load(offset)
  }

  /// The element at `indices`, one for each axis.
  public subscript(_ indices: Int...) -> Double {
    precondition(indices.count == rank, "\(indices.count) indices for \(rank) axes")
    var position = offset
    for (axis, index) in indices.enumerated() {
      precondition(
        index >= 0 && index < shape[axis], "index \(index) of axis \(axis), size \(shape[axis])")
      position += index * strides[axis]
    }
    return load(position)
  }

  /// The values as another dtype.
  ///
  /// Floats to integers: towards zero; NaN is 0, what is outside of int64 (of uint64 for uint64) becomes its
  /// nearest value, and narrower types keep the low bits of that. Integers to narrower or to unsigned ones:
  /// the low bits. Integers to floats: rounded to nearest. To bool: whether the value is not 0.
  public func cast(to target: DType) -> NDArray {
    if target == dtype { return self }
    if dtype == .uint8, target == .float32 { return bytesAsFloats() }
    if dtype.isFloating { return NDArray(rounding: doubles, shape: shape, target) }
    return target.isFloating
      ? wholesAsFloats(target) : NDArray(wrapping: wholes, shape: shape, target)
  }

  /// The common case of images, without the detour over doubles.
  private func bytesAsFloats() -> NDArray {
    var result = NDArray(zeros: shape, .float32)
    let source = contiguous()
    result.withUnsafeMutableBytes { target in
      let floats = target.bindMemory(to: Float.self)
      source.withUnsafeBytes { bytes in
        for index in bytes.indices { floats[index] = Float(bytes[index]) }
      }
    }
    return result
  }

  /// The value at a storage position.
  package func load(_ position: Int) -> Double {
    let base = storage.base
    func read<Scalar>(_ type: Scalar.Type) -> Scalar {
      base.load(fromByteOffset: position * MemoryLayout<Scalar>.size, as: Scalar.self)
    }
    switch dtype {
    case .bool: return read(UInt8.self) == 0 ? 0 : 1
    case .int8: return Double(read(Int8.self))
    case .int16: return Double(read(Int16.self))
    case .int32: return Double(read(Int32.self))
    case .int64: return Double(read(Int64.self))
    case .uint8: return Double(read(UInt8.self))
    case .uint16: return Double(read(UInt16.self))
    case .uint32: return Double(read(UInt32.self))
    case .uint64: return Double(read(UInt64.self))
    case .float16: return Double(HalfPrecision.float(fromFloat16: read(UInt16.self)))
    case .bfloat16: return Double(Float(bitPattern: UInt32(read(UInt16.self)) << 16))
    case .float32: return Double(read(Float.self))
    case .float64: return read(Double.self)
    }
  }

  /// Stores `value`, rounded, at a storage position of memory that is the caller's alone.
  package func store(_ value: Double, at position: Int) {
    let base = storage.base
    func write<Scalar>(_ scalar: Scalar) {
      base.storeBytes(
        of: scalar, toByteOffset: position * MemoryLayout<Scalar>.size, as: Scalar.self)
    }
    switch dtype {
    case .bool: write(UInt8(value == 0 ? 0 : 1))
    case .int8: write(Int8(truncatingIfNeeded: Self.integer(value)))
    case .int16: write(Int16(truncatingIfNeeded: Self.integer(value)))
    case .int32: write(Int32(truncatingIfNeeded: Self.integer(value)))
    case .int64: write(Self.integer(value))
    case .uint8: write(UInt8(truncatingIfNeeded: Self.integer(value)))
    case .uint16: write(UInt16(truncatingIfNeeded: Self.integer(value)))
    case .uint32: write(UInt32(truncatingIfNeeded: Self.integer(value)))
    case .uint64: write(Self.unsigned(value))
    case .float16: write(HalfPrecision.float16(from: Float(value)))
    case .bfloat16: write(HalfPrecision.bfloat16(from: Float(value)))
    case .float32: write(Float(value))
    case .float64: write(value)
    }
  }

  /// Towards zero; NaN is 0 and what is too large is the nearest int64.
  private static func integer(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if value >= 0x1p63 { return .max }
    if value <= -0x1p63 { return .min }
    return Int64(value)
  }

  private static func unsigned(_ value: Double) -> UInt64 {
    if value >= 0x1p64 { return .max }
    return value >= 0x1p63 ? UInt64(value) : UInt64(bitPattern: integer(value))
  }
}

/// Conversions of the 16-bit storage floats; ties go to even.
///
/// `Float16` is missing from Swift on x86-64 macOS, so the bits are converted here.
package enum HalfPrecision {
  package static func float(fromFloat16 bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1f)
    let fraction = Float(bits & 0x3ff)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 25, significand: fraction + 1024)
    }
  }

  package static func float16(from value: Float) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    if value.isNaN { return sign | 0x7e00 }
    let magnitude = abs(value)
    if magnitude >= 65520 { return sign | 0x7c00 }
    if magnitude < 0x1p-14 { return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven)) }
    // Adding half a unit in the last kept place, less one for an even one, rounds ties to even.
    let bits = magnitude.bitPattern
    let rounded = bits + 0xfff + (bits >> 13 & 1)
    return sign | UInt16((rounded >> 13) - (112 << 10))
  }

  package static func bfloat16(from value: Float) -> UInt16 {
    if value.isNaN { return 0x7fc0 }
    let bits = value.bitPattern
    return UInt16((bits + 0x7fff + (bits >> 16 & 1)) >> 16)
  }
}

extension NDArray: Equatable {
  /// Same dtype, shape and values: of integers every digit; NaN differs from everything, as IEEE 754 says.
  public static func == (left: NDArray, right: NDArray) -> Bool {
    guard left.dtype == right.dtype, left.shape == right.shape else { return false }
    if left.dtype.isInteger { return left.isIdentical(to: right) }
    return left.dtype == .bool ? left.wholes == right.wholes : left.doubles == right.doubles
  }

  /// Same dtype, shape and bytes: what "the same bits" means.
  public func isIdentical(to other: NDArray) -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    let (left, right) = (contiguous(), other.contiguous())
    return left.withUnsafeBytes { a in right.withUnsafeBytes { b in a.elementsEqual(b) } }
  }
}

extension NDArray: CustomStringConvertible {
  /// dtype, shape and the first few values.
  public var description: String {
    let values = printed(self[rowsUpTo: 8]).joined(separator: ", ")
    return "\(dtype)\(shape) \(values)\(count > 8 ? ", …" : "")"
  }

  private subscript(rowsUpTo limit: Int) -> [Double] {
    count <= 4096 ? Array(doubles.prefix(limit)) : []
  }
}
