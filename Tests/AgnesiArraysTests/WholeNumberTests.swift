import AgnesiArrays
import Foundation
import TestSupport
import Testing

/// Integers keep all their digits, where doubles would round them.
@Suite struct WholeNumberTests {
  private let big = 1 << 53

  @Test func equalityOfEveryDigit() {
    #expect(NDArray([big + 1]) != NDArray([big]))
    #expect(NDArray([big + 1]) == NDArray([big + 1]))
    #expect(NDArray([UInt64.max]) != NDArray([UInt64.max - 1]))
    #expect(NDArray([Int64.max, 0])[rows: 0..<1] == NDArray([Int64.max]))
    #expect(NDArray([Int64.min]) != NDArray([Int64.min + 1]))
  }

  @Test func equalityLooksThroughStrides() {
    let matrix = NDArray([big, 1, big + 1, 2], shape: [2, 2])
    #expect(matrix.transposed() == NDArray([big, big + 1, 1, 2], shape: [2, 2]))
    #expect(matrix.transposed() != NDArray([big, big, 1, 2], shape: [2, 2]))
  }

  @Test func castsBetweenIntegersKeepTheLowBits() {
    let edges: [Int64] = [.min, -1, 0, 1, (1 << 53) + 1, .max, 0x1_2345_6789]
    let array = NDArray(edges)
    #expect(array.cast(to: .uint64) == NDArray(edges.map { UInt64(bitPattern: $0) }))
    #expect(array.cast(to: .uint64).cast(to: .int64) == array)
    #expect(array.cast(to: .int32) == NDArray(edges.map { Int32(truncatingIfNeeded: $0) }))
    #expect(array.cast(to: .uint8) == NDArray(edges.map { UInt8(truncatingIfNeeded: $0) }))
    #expect(array.cast(to: .bool) == NDArray(edges.map { $0 != 0 }))
    #expect(NDArray([true, false]).cast(to: .uint64) == NDArray([1, 0] as [UInt64]))
  }

  /// Once, not by way of a double, which would round twice.
  @Test func integersAreRoundedToFloatsOnce() {
    let tie = (1 << 60) + (1 << 36) + 1
    #expect(NDArray([tie]).cast(to: .float32) == NDArray([Float(tie)]))
    #expect(Float(tie) != Float(Double(tie)))
    #expect(NDArray([UInt64.max]).cast(to: .float32) == NDArray([0x1p64 as Float]))
    #expect(NDArray([UInt64.max]).cast(to: .float64) == NDArray([0x1p64]))
  }

  @Test func floatsToIntegers() {
    let floats: [Double] = [.nan, .infinity, -.infinity, 1e300, -1.9, 1.9, 300, -129, 0x1p63]
    let array = NDArray(floats)
    #expect(
      array.cast(to: .int64)
        == NDArray([0, .max, .min, .max, -1, 1, 300, -129, .max] as [Int64]))
    #expect(
      array.cast(to: .uint64)
        == NDArray(
          [0, .max, 1 << 63, .max, .max, 1, 300, UInt64(bitPattern: -129), 1 << 63] as [UInt64]))
    #expect(array.cast(to: .int8) == NDArray([0, -1, 0, -1, -1, 1, 44, 127, -1] as [Int8]))
  }

  @Test func oneNumberEverywhere() {
    #expect(NDArray(filled: big + 1, shape: [2], .int64) == NDArray([big + 1, big + 1]))
    #expect(NDArray(filled: -1, shape: [1], .uint64) == NDArray([UInt64.max]))
    #expect(NDArray(filled: 300, shape: [1], .uint8) == NDArray([44 as UInt8]))
    #expect(NDArray(filled: 3, shape: [1]) == NDArray([3 as Float]))
    #expect(NDArray(filled: 2, shape: [1], .bool) == NDArray([true]))
  }

  @Test func integersArePrintedWithAllDigits() {
    #expect(NDArray([big + 1, -3]).description == "int64[2] 9007199254740993, -3")
    #expect(NDArray([UInt64.max]).description == "uint64[1] 18446744073709551615")
    #expect(NDArray([true, false]).description == "bool[2] true, false")
    #expect(NDArray([1.5 as Float, 2]).description == "float32[2] 1.5, 2.0")
  }

  @Test func filesKeepEveryDigit() throws {
    let folder = try TemporaryFolder()
    let arrays = [
      NDArray([Int64.min, -1, Int64(big) + 1, .max]),
      NDArray([0, UInt64(big) + 1, .max] as [UInt64]),
    ]
    for (number, array) in arrays.enumerated() {
      let path = folder.path("\(number).npy")
      try NPYFile.write(array, to: path)
      #expect(try NPYFile.read(path) == array)
      let tensors = folder.path("\(number).safetensors")
      try SafetensorsFile(tensors: [("x", array)]).write(to: tensors)
      #expect(try SafetensorsFile(reading: tensors)["x"] == array)
    }
  }
}
