import Agnesi
import AgnesiModels
import Testing

@Suite struct MatrixTransposeTests {
  /// Whole blocks, whole fours, and what is left of both.
  @Test(arguments: [
    [1, 1], [3, 7], [4, 8], [128, 128], [131, 257], [1, 300], [300, 2], [0, 5],
  ])
  func everyElementChangesItsPlace(shape: [Int]) {
    let (rows, columns) = (shape[0], shape[1])
    let values = (0..<(rows * columns)).map(Float.init)
    let result = MatrixTranspose.rows(of: NDArray(values, shape: shape))
    #expect(result.shape == [columns, rows])
    let expected = (0..<columns).flatMap { column in
      (0..<rows).map { Float($0 * columns + column) }
    }
    #expect(result.scalars(as: Float.self) == expected)
  }

  @Test func viewsAndOtherTypesBecomeFloats() {
    let matrix = NDArray([1.0, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(matrix.dtype == .float64)
    let result = MatrixTranspose.rows(of: matrix.transposed([1, 0]))
    #expect(result.shape == [2, 3])
    #expect(result.scalars(as: Float.self) == [1, 2, 3, 4, 5, 6])
  }
}
