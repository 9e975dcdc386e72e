import AgnesiArrays
import AgnesiFormats
import TestSupport
import Testing

/// Files as others wrote them; the numbers are what NumPy reads.
@Suite(.enabled(if: TestData.folder != nil)) struct RealWeightsTests {
  @Test func recipesResidualNetwork() throws {
    let file = try WeightFile(reading: TestData.path("models/cifar_model_n5.npz"))
    #expect(file.format == .npz)
    #expect(file.arrays.map(\.name) == (0...156).map { "arr_\($0)" })
    #expect(file.arrays.reduce(0) { $0 + $1.array.count } == 466_426)
    #expect(file["arr_0"]?.shape == [16, 3, 3, 3])
    #expect(file["arr_155"]?.shape == [64, 10])
    #expect(file["arr_157"] == nil)
  }
}
