import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Foundation
import Testing

@Suite struct ActivationTests {
  private let points = [-2.0, -0.5, 0, 1.5]

  private func values(_ activation: Activation) throws -> [Double] {
    let x = Tensor.constant(NDArray(points))
    return try value(activation(x)).doubles
  }

  @Test func eachIsItsFunction() throws {
    func expect(_ activation: Activation, _ function: (Double) -> Double) throws {
      #expect(isClose(try values(activation), points.map(function)), "\(activation)")
    }
    try expect(.identity) { $0 }
    try expect(.relu) { max($0, 0) }
    try expect(.leakyReLU()) { $0 > 0 ? $0 : 0.01 * $0 }
    try expect(.leakyReLU(slope: 0.2)) { $0 > 0 ? $0 : 0.2 * $0 }
    try expect(.elu(alpha: 2)) { $0 > 0 ? $0 : 2 * expm1($0) }
    try expect(.selu) {
      let scaled = $0 > 0 ? $0 : 1.6732632423543772 * expm1($0)
      return 1.0507009873554805 * scaled
    }
    try expect(.sigmoid) { 1 / (1 + exp(-$0)) }
    try expect(.tanh) { tanh($0) }
    try expect(.scaledTanh()) { 1.7159 * tanh(2 * $0 / 3) }
    try expect(.softplus) { log1p(exp($0)) }
    try expect(.softsign) { $0 / (1 + abs($0)) }
    try expect(.hardSigmoid) { min(max(0.2 * $0 + 0.5, 0), 1) }
    let sum = points.map { exp($0) }.reduce(0, +)
    try expect(.softmax) { exp($0) / sum }
    try expect(.logSoftmax) { $0 - log(sum) }
  }

  @Test func geluIsCloseToItsFunction() throws {
    // Either of the usual forms; they differ by less than 1e-3.
    let expected = points.map { $0 / 2 * (1 + erf($0 / 2.0.squareRoot())) }
    #expect(isClose(try values(.gelu), expected, within: 1e-3))
  }

  @Test(arguments: Activation.all + [.leakyReLU(slope: 0.3), .elu(alpha: 2)])
  func descriptionsAreReadBack(_ activation: Activation) throws {
    let data = try JSONEncoder().encode([activation])
    #expect(try JSONDecoder().decode([Activation].self, from: data) == [activation])
  }

  @Test func descriptionsAreReadable() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let list: [Activation] = [.relu, .leakyReLU(), .leakyReLU(slope: 0.25)]
    #expect(
      String(decoding: try encoder.encode(list), as: UTF8.self)
        == #"["relu","leakyReLU",{"kind":"leakyReLU","slope":0.25}]"#)
    #expect(list.map(\.description) == ["relu", "leakyReLU", "leakyReLU(slope: 0.25)"])
  }
}
