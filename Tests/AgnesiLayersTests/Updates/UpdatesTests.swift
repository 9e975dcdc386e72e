import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct UpdatesTests {
  private let w = Tensor.parameter("w", [2])
  private let x = Tensor.input("x", [2])

  private func text(_ pairs: [(Tensor, Tensor)]) -> String? {
    Updates(pairs).failure?.text(withLocations: false)
  }

  @Test func orderIsKept() {
    let v = Tensor.parameter("v", [2])
    let updates = Updates([(w, w + 1), (v, w)])
    #expect(updates.pairs.map(\.parameter) == [w, v])
    #expect(updates[v] == w)
    #expect(updates[.parameter("u", [2])] == nil)
    #expect(updates.mapValues { _, value in value * 2 }.pairs.map(\.parameter) == [w, v])
  }

  @Test func mistakes() {
    #expect(
      text([(x, x)]) == """
        updates: the target is no parameter
          target  "x" float32[2]
          hint: targets are made by Tensor.parameter
        """)
    #expect(
      text([(w, x), (w, x)]) == """
        updates: parameter "w" is updated twice
          parameter  "w" float32[2]
          new value  "x" float32[2]
        """)
    #expect(
      text([(w, .input("x", [2], .float64))]) == """
        updates: the new value of "w" is float64, not float32
          parameter  "w" float32[2]
          new value  "x" float64[2]
          hint: convert it with cast(to: .float32)
        """)
    #expect(
      text([(w, .input("x", [3]))]) == """
        updates: the shape of the new value differs from that of "w"
          parameter  "w" float32[2]
          new value  "x" float32[3]
        """)
    #expect(text([(w, x + Tensor.input("y", [3]))])?.hasPrefix("add: ") == true)
  }

  @Test func theSameParameterByAnotherTensor() {
    guard let parameter = w.parameter else { return }
    #expect(text([(w, x), (.parameter(parameter), x)])?.contains("updated twice") == true)
  }

  @Test func sums() {
    let v = Tensor.parameter("v", [2])
    var both = Updates([(w, x)]) + Updates([(v, x)])
    #expect(both.pairs.map(\.parameter) == [w, v])
    both += Updates([(w, x)])
    #expect(both.failure?.message == "parameter \"w\" is updated twice")
    #expect((Updates() + Updates([(x, x)])).failure != nil)
  }
}
