import AgnesiExpressions
import AgnesiLayers
import TestSupport
import Testing

@Suite struct NotationTests {
  private func expect(_ text: String, _ layers: [any Layer]) throws {
    #expect(try Notation.parse(text) == Chain(layers))
  }

  @Test func lenet() throws {
    try expect(
      "20C5 MP2 50C5 MP2 256FC 10FC",
      [
        Convolution2D(filters: 20, kernel: 5, activation: .relu), MaxPool2D(2),
        Convolution2D(filters: 50, kernel: 5, activation: .relu), MaxPool2D(2),
        Dense(units: 256, activation: .relu), Dense(units: 10),
      ])
  }

  @Test func suffixes() throws {
    try expect(
      "8C3x5s2p1d2g4 8c3PSAME 8C3pfull 8C3p1x2s2x1 MP3s2p1 AP3p1s2 MP2x3",
      [
        Convolution2D(
          filters: 8, kernel: [3, 5], stride: 2, padding: .symmetric(1, 1), dilation: 2, groups: 4,
          activation: .relu),
        Convolution2D(filters: 8, kernel: 3, padding: .same, activation: .relu),
        Convolution2D(filters: 8, kernel: 3, padding: .full, activation: .relu),
        Convolution2D(filters: 8, kernel: 3, stride: [2, 1], padding: .symmetric(1, 2)),
        MaxPool2D(3, stride: 2, padding: 1), AveragePool2D(3, stride: 2, padding: 1),
        MaxPool2D([2, 3]),
      ])
  }

  @Test func otherLayers() throws {
    try expect(
      "FC7 D0.25 u2 GAP flatten BN FC3\n  d0",
      [
        Dense(units: 7, activation: .relu), Dropout(0.25), Upsample2D(by: 2), GlobalAveragePool2D(),
        Flatten(), BatchNormalization(), Dense(units: 3), Dropout(0),
      ])
  }

  @Test func nonlinearitiesThatAreNamed() throws {
    try expect(
      "4C3 tanh MP2 relu 5FC linear 6FC LReLU0.2 7FC elu 3FC softmax",
      [
        Convolution2D(filters: 4, kernel: 3, activation: .tanh), MaxPool2D(2),
        ActivationLayer(.relu), Dense(units: 5),
        Dense(units: 6, activation: .leakyReLU(slope: 0.2)),
        Dense(units: 7, activation: .elu()), Dense(units: 3, activation: .softmax),
      ])
  }

  @Test func normalization() throws {
    func norm(_ units: Int, _ activation: Activation) -> [any Layer] {
      [Dense(units: units, activation: activation), BatchNormalization()]
    }
    try expect("5FC BN 6FC BN", norm(5, .relu) + norm(6, .identity))
    try expect("5FC BN tanh 6FC BN sigmoid", norm(5, .tanh) + norm(6, .sigmoid))
    try expect("5FC BN linear 6FC", norm(5, .identity) + [Dense(units: 6)])
    // The order of tokens is that of computation.
    try expect(
      "5FC tanh BN 6FC",
      [Dense(units: 5), ActivationLayer(.tanh), BatchNormalization(), Dense(units: 6)])
    #expect(try Notation.parse("5FC BN 6FC").layers.count == 4)
  }

  @Test(arguments: [
    "20C5 MP2 50C5 MP2 256FC 10FC", "256FC D0.5 256FC D0.5 10FC", "8C3s2p1d2g4 10FC",
    "8C3x5psame 8C3pfull 8C3s2x1p1x2 MP3s2p1 AP3s2p1 MP2x3 GAP 10FC", "10FC", "MP2",
    "64C3p1 BN 64C3p1 BN tanh MP2 10FC BN relu", "5FC linear 6FC tanh 7FC lrelu0.2 3FC softmax",
    "5FC linear tanh BN 6FC", "5FC BN linear linear 6FC", "MP2 relu tanh 5FC D0.25 linear relu",
    "U2 flatten BN D0 4FC", "5FC elu 6FC selu 7FC gelu 8FC softplus 9FC softsign 9FC",
    "5FC hsigmoid 6FC logsoftmax 7FC stanh 8FC sigmoid 9FC elu0.5 1FC", "GAP BN tanh",
    "5FC D1e-05 6FC",
  ])
  func printedAsWritten(_ text: String) throws {
    let chain = try Notation.parse(text)
    #expect(try Notation.text(of: chain) == text)
    #expect(try roundTrip(chain) == chain)
  }

  @Test func printedInTheUsualForm() throws {
    #expect(
      try Notation.text(of: Notation.parse("FC256 RELU 5fc tanh bn 10Fc linear"))
        == "256FC 5FC linear tanh BN 10FC")
  }

  private static let unsayable: [(Chain, String)] = [
    (Chain([Dense(units: 4, bias: nil)]), "cannot say the bias of layer 1, dense"),
    (
      Chain([MaxPool2D(2), Dense(units: 4, weight: .orthogonal, name: "head")]),
      "cannot say the name and weight of layer 2, dense"
    ),
    (Chain([Reshape([1, 28, 28])]), "cannot say layer 1, reshape"),
    (
      Chain([Dense(units: 2), TransposedConvolution2D(filters: 1, kernel: 2)]),
      "cannot say layer 2, transposedConvolution"
    ),
    (
      Chain([MaxPool2D(2, partialWindows: true)]),
      "cannot say the partialWindows of layer 1, maxPool"
    ),
    (
      Chain([
        Convolution2D(
          filters: 1, kernel: 3, padding: .explicit(top: 1, bottom: 0, left: 0, right: 0))
      ]),
      "cannot say the padding of layer 1, convolution"
    ),
    (
      Chain([Dense(units: 4, activation: .scaledTanh(input: 1, output: 2))]),
      "cannot say the nonlinearity scaledTanh(input: 1.0, output: 2.0) of layer 1"
    ),
    (
      Chain([BatchNormalization(epsilon: 1e-3)]),
      "cannot say the epsilon of layer 1, batchNormalization"
    ),
    (Chain([Dense(units: 4)], name: "body"), "cannot say the name of a chain"),
    (Chain([Dense(units: 0)]), "cannot say numbers that are out of range, as in 0FC"),
    (
      Chain([Dense(units: 4, weight: .shared(.parameter("w", [2, 4])))]),
      "cannot say that layer 1, dense, shares parameters"
    ),
  ]

  @Test(arguments: unsayable.indices) func whatItCannotSay(_ index: Int) {
    let (chain, message) = Self.unsayable[index]
    #expect(errorText { _ = try Notation.text(of: chain) } == "notation: \(message)")
  }
}
