import AgnesiExpressions
import AgnesiLayers
import Foundation
import TestSupport
import Testing

@Suite struct ChainCodableTests {
  /// Every layer, with usual and with other fields.
  private static let everything = Chain(
    [
      Dense(units: 3), Convolution2D(filters: 2, kernel: 5),
      TransposedConvolution2D(filters: 1, kernel: 2),
      Dense(
        units: 3, activation: .elu(alpha: 2), weight: .normal(deviation: 0.1), bias: nil,
        leadingAxes: 2, name: "a"),
      Convolution2D(
        filters: 2, kernel: [3, 5], stride: 2,
        padding: .explicit(top: 1, bottom: 2, left: 3, right: 4),
        dilation: [1, 2], groups: 2, activation: .relu, weight: .orthogonal,
        bias: .constant(0.1), name: "b"),
      Convolution2D(filters: 2, kernel: 3, padding: .same),
      Convolution2D(filters: 2, kernel: 3, padding: .full),
      Convolution2D(filters: 2, kernel: 3, padding: .symmetric(1, 2), bias: nil),
      TransposedConvolution2D(
        filters: 1, kernel: 4, stride: 2, padding: .symmetric(1, 1), outputPadding: 1,
        dilation: 3, groups: 2, activation: .tanh, weight: .heUniform, bias: nil, name: "c"),
      MaxPool2D(), MaxPool2D([2, 3], stride: 1, padding: 1, partialWindows: true),
      AveragePool2D(),
      AveragePool2D(3, stride: 2, padding: 1, partialWindows: true, countingPadding: true),
      GlobalAveragePool2D(), Flatten(), Reshape([1, -1, 3]), Dropout(),
      Dropout(0.2, sharedAxes: [2, 3], name: "d"), BatchNormalization(),
      BatchNormalization(
        epsilon: 1e-3, weightOfNew: 0.01, scale: nil, offset: .constant(1), name: "e"),
      ActivationLayer(.gelu), Upsample2D(), Upsample2D(by: [1, 2], mode: .dilated),
      Chain([Dense(units: 4)], name: "inner"),
    ], name: "outer")

  @Test func everyLayerIsReadBack() throws {
    let chain = Self.everything
    let read = try roundTrip(chain)
    for (ours, theirs) in zip(chain.layers, read.layers) {
      #expect(AnyHashable(ours) == AnyHashable(theirs))
    }
    #expect(read == chain)
    #expect(read.hashValue == chain.hashValue)
  }

  @Test func descriptionsAreReadable() throws {
    let chain = Chain {
      Convolution2D(filters: 20, kernel: 5, padding: .same, activation: .relu)
      BatchNormalization()
      MaxPool2D(2)
      Dense(units: 10)
    }
    let layers = [
      #"{"bias":null,"filters":20,"kernel":5,"kind":"convolution","padding":"same"}"#,
      #"{"kind":"batchNormalization"}"#, #"{"activation":"relu","kind":"activation"}"#,
      #"{"kind":"maxPool","window":2}"#, #"{"kind":"dense","units":10}"#,
    ]
    #expect(try json(chain) == #"{"layers":[\#(layers.joined(separator: ","))]}"#)
  }

  @Test func missingFieldsAreUsual() throws {
    let text = #"{"layers": [{"kind": "dense", "units": 4}, {"kind": "maxPool"}]}"#
    let chain = try JSONDecoder().decode(Chain.self, from: Data(text.utf8))
    #expect(chain == Chain([Dense(units: 4), MaxPool2D(2)]))
  }

  @Test func mistakes() {
    #expect(
      decodingText(#"{"layers": [{"kind": "dense", "unit": 4}]}"#)
        == "dense has no field \"unit\"; its fields are units, activation, weight, bias, "
        + "leadingAxes, name")
    #expect(
      decodingText(#"{"layers": [{"kind": "maxout"}]}"#)
        == "no layer is called \"maxout\"; there are activation, averagePool, "
        + "batchNormalization, chain, convolution, dense, dropout, flatten, globalAveragePool, "
        + "maxPool, reshape, transposedConvolution, upsample")
    #expect(
      decodingText(#"{"layers": [{"kind": "dense", "units": 4, "activation": "swish"}]}"#)
        == "no nonlinearity is called \"swish\"; there are identity, relu, relu6, leakyReLU, elu, "
        + "selu, gelu, sigmoid, tanh, scaledTanh, softplus, softsign, hardSigmoid, softmax, logSoftmax"
    )
    #expect(
      decodingText(#"{"layers": [{"kind": "dense", "units": 4, "activation": "rely"}]}"#)
        == "no nonlinearity is called \"rely\"; did you mean relu?")
    #expect(
      decodingText(#"{"layers": [{"kind": "maxPol"}]}"#)
        == "no layer is called \"maxPol\"; did you mean maxPool?")
    #expect(
      decodingText(
        #"{"layers": [{"kind": "convolution", "filters": 1, "kernel": 2, "padding": "some"}]}"#)
        == "no padding is called \"some\"")
    #expect(
      decodingText(#"{"layers": [{"kind": "dense", "units": 4, "weight": "big"}]}"#)
        == "\"big\" is neither automatic nor an initializer")
  }

  @Test func sharingIsNotDescribed() {
    let weight = Tensor.parameter("w", [2, 3])
    let chain = Chain([Dense(units: 3, weight: .shared(weight))])
    var text = "nothing was thrown"
    do {
      _ = try JSONEncoder().encode(chain)
    } catch EncodingError.invalidValue(_, let context) {
      text = context.debugDescription
    } catch {}
    #expect(text == "a description of layers cannot say that a layer shares \"w\"")
  }

  /// A layer as a user writes one.
  struct Maxout: Layer {
    var pieces = 2

    func build(_ input: Tensor) -> Tensor {
      let units = input.size(-1) / Size(pieces)
      return input.reshaped(input.shape.dropLast() + [units, Size(pieces)]).max(axes: [-1])
    }
  }

  @Test func layersOfOnesOwn() throws {
    let chain = Chain([Dense(units: 6), Maxout(pieces: 3)])
    #expect(chain(.input("x", [.batch, 4])).shape == [.batch, 2])
    #expect(Maxout.kind == "maxout")
    let decoder = JSONDecoder()
    decoder.userInfo[.layerTypes] = [Maxout.self]
    #expect(try decoder.decode(Chain.self, from: JSONEncoder().encode(chain)) == chain)
  }
}
