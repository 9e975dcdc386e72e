import AgnesiArrays
import TestSupport
import Testing

/// Shapes, indices and dtypes from outside: errors where the plain functions stop the program.
@Suite struct CheckedArrayTests {
  private let a = NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])

  @Test func shapes() throws {
    #expect(
      errorText { _ = try NDArray(checking: [1, 2] as [Float], shape: [3]) }
        == "array: shape [3] holds 3 elements, got 2")
    #expect(
      errorText { _ = try NDArray(checking: [1, 2] as [Float], shape: [-1, -2]) }
        == "array: a size of -1 in shape [-1, -2]")
    #expect(
      errorText { _ = try NDArray(checkingRounded: [1, 2], shape: [], .int8) }
        == "array: shape [] holds 1 elements, got 2")
    for shape in [[1 << 40, 1 << 40], [0, 1 << 40, 1 << 40]] {
      #expect(
        errorText { _ = try NDArray(checking: [Float](), shape: shape) }
          == "array: shape \(shape) holds more elements than there can be")
    }
    #expect(try NDArray(checking: [Float](), shape: [0, 3]).shape == [0, 3])
    for make in [
      { _ = try NDArray(checkingZeros: $0) }, { _ = try NDArray(checkingFilled: 1, shape: $0) },
    ] as [([Int]) throws -> Void] {
      #expect(errorText { try make([2, -3]) } == "array: a size of -3 in shape [2, -3]")
      #expect(
        errorText { try make([1 << 40, 1 << 40]) }
          == "array: shape [1099511627776, 1099511627776] holds more elements than there can be")
      #expect(
        errorText { try make([1 << 31, 1 << 29]) }.hasPrefix(
          "array: float32[2147483648, 536870912] would take 4.61 EB"))
    }
    #expect(try NDArray(checkingFilled: -0.5, shape: [2, 1]).doubles == [-0.5, -0.5])
    #expect(try NDArray(checkingZeros: [0, 4], .int8).shape == [0, 4])
    #expect(
      errorText { _ = try a.reshaped(checking: [4]) }
        == "reshape: shape [4] holds 4 elements, got 6")
    #expect(try a.reshaped(checking: [3, 2])[2, 1] == 6)
  }

  @Test func axes() throws {
    #expect(
      errorText { _ = try a.transposed(checking: [0, 0]) }
        == "transpose: [0, 0] is no permutation of the axes of shape [2, 3]")
    #expect(try a.transposed(checking: [1, 0]).doubles == [1, 4, 2, 5, 3, 6])
    for target in [[3], [3, 3], [2, -3], [2, 3, 1]] {
      #expect(
        errorText { _ = try a.broadcast(checking: target) }
          == "broadcast: shape [2, 3] does not broadcast to \(target)")
    }
    #expect(try a.broadcast(checking: [2, 2, 3]).shape == [2, 2, 3])
  }

  @Test func rows() throws {
    #expect(
      errorText { _ = try a.rows(checking: 1..<3) }
        == "rows: 1..<3 is outside of an array of shape [2, 3]")
    #expect(try a.rows(checking: 1..<2).doubles == [4, 5, 6])
    for index in [-1, 2] {
      #expect(
        errorText { _ = try a.gathered(checking: [0, index]) }
          == "gather: there is no row \(index) in an array of shape [2, 3]")
    }
    #expect(
      errorText { _ = try NDArray(scalar: 1 as Float).gathered(checking: []) }
        == "gather: an array of no axes has no rows")
    #expect(try a.gathered(checking: [1, 0]).doubles == [4, 5, 6, 1, 2, 3])
  }

  @Test func elements() throws {
    #expect(
      errorText { _ = try a.scalars(checking: Double.self) }
        == "scalars: float32 elements asked for as float64")
    #expect(try a.scalars(checking: Float.self) == [1, 2, 3, 4, 5, 6])
    #expect(
      errorText { _ = try a.singleValue() } == "scalar: an array of shape [2, 3] has 6 elements")
    #expect(try NDArray(scalar: 7 as Float).singleValue() == 7)
    for indices in [[2, 0], [0, -1], [0], []] {
      #expect(
        errorText { _ = try a.value(at: indices) }
          == "element: there is no element \(indices) in an array of shape [2, 3]")
    }
    #expect(try a.transposed().value(at: [2, 1]) == 6)
  }
}
