import Agnesi
import TestSupport
import Testing

@Suite struct BoxesTests {
  private func overlap(_ a: [Float], _ b: [Float]) throws -> [Double] {
    let shape = [a.count / 4, 4]
    let (x, y) = (Tensor.input("a", [.batch, 4]), Tensor.input("b", [.batch, 4]))
    let function = try compile([x, y], to: [intersectionOverUnion(x, y)], on: .cpu)
    return try function(NDArray(a, shape: shape), NDArray(b, shape: shape))[0].doubles
  }

  @Test func knownOverlaps() throws {
    let unit: [Float] = [0, 0, 1, 1]
    #expect(try overlap(unit, unit) == [1])
    // Half of each is common: 0.5 of 1.5.
    #expect(abs(try overlap(unit, [0.5, 0, 1, 1])[0] - 1 / 3.0) < 1e-7)
    // One inside of the other: a quarter.
    #expect(try overlap(unit, [0.25, 0.25, 0.5, 0.5]) == [0.25])
    // Side by side, apart, and of no size.
    #expect(
      try overlap(unit + unit + unit, [1, 0, 1, 1, 3, 3, 1, 1, 0.5, 0.5, 0, 0]) == [0, 0, 0])
    #expect(try overlap([1, 1, 0, 0], [1, 1, 0, 0]) == [0])
    // A negative width is none.
    #expect(try overlap(unit, [0.5, 0, -1, 1]) == [0])
  }

  @Test func shapesMustAgree() {
    let box = Tensor.input("a", [.batch, 4])
    let text = intersectionOverUnion(box, .input("b", [.batch, 5])).failure?.text(
      withLocations: false)
    #expect(text?.hasPrefix("intersectionOverUnion: boxes and other boxes must have") == true)
  }
}
