import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers
import AgnesiReference
import TestSupport
import Testing

@Suite struct ChainTests {
  private let image = Tensor.input("image", [.batch, 1, 28, 28])

  @Test func namesCountEachKind() {
    let lenet = Chain {
      Convolution2D(filters: 20, kernel: 5, activation: .relu)
      MaxPool2D(2)
      Convolution2D(filters: 50, kernel: 5, activation: .relu)
      MaxPool2D(2)
      Dense(units: 256, activation: .relu, name: "hidden")
      Dense(units: 10)
    }
    #expect(
      parameterNames(lenet(image)) == [
        "convolution1.weight", "convolution1.bias", "convolution2.weight", "convolution2.bias",
        "hidden.weight", "hidden.bias", "dense1.weight", "dense1.bias",
      ])
    #expect(lenet(image).type == TensorType(.float32, [.batch, 10]))
  }

  @Test func chainedStyleCountsToo() {
    let logits =
      image
      .through(Convolution2D(filters: 2, kernel: 5, bias: nil))
      .through(MaxPool2D(2))
      .through(Convolution2D(filters: 3, kernel: 5, bias: nil))
      .through(Dense(units: 10, bias: nil))
    #expect(
      parameterNames(logits) == ["convolution1.weight", "convolution2.weight", "dense1.weight"])
  }

  @Test func aSecondChainCountsOn() {
    let body = Chain { Dense(units: 5, bias: nil) }
    let head = Chain { Dense(units: 5, bias: nil) }
    #expect(parameterNames(head(body(image))) == ["dense1.weight", "dense2.weight"])
  }

  @Test func chainsInsideAreScopes() {
    let block = Chain { Dense(units: 5, bias: nil) }
    let named = Chain(name: "head") { Dense(units: 5, bias: nil) }
    let whole = Chain {
      block
      block
      named
    }
    #expect(
      parameterNames(whole(image))
        == ["chain1.dense1.weight", "chain2.dense1.weight", "head.dense1.weight"])
    #expect(whole.layers.count == 3)
  }

  @Test func dropoutsDrawApart() throws {
    let x = Tensor.input("x", [1, 200])
    let ones = NDArray(filled: 1, shape: [1, 200])
    let first = x.through(Dropout())
    let second = first.through(Dropout())
    let chained = try referenceValues([first, second], [x: ones])
    #expect(
      chained[0].doubles.filter { $0 != 0 }.count != chained[1].doubles.filter { $0 != 0 }.count)
    let outputs = Chain {
      Dropout(); Dropout()
    }.outputs(x)
    #expect(try referenceValues(outputs, [x: ones]) == chained)
  }

  @Test func dropoutInChainIsOffInInference() throws {
    let x = Tensor.input("x", [1, 50])
    let y = Chain { Dropout(0.9) }(x)
    let ones = NDArray(filled: 1, shape: [1, 50])
    #expect(try value(y, [x: ones]) != ones)
    #expect(try value(y.specialized(for: .inference), [x: ones]) == ones)
  }

  @Test func initialValuesDoNotDependOnOrder() {
    let x = Tensor.input("x", [.batch, 4])
    func head(_ more: Bool) -> NDArray? {
      let chain = Chain {
        if more { Dropout(0.5) }
        Dense(units: 4, name: "head")
      }
      return Scope.seeded(7) { chain(x) }.parameters()[0].parameter?.value
    }
    #expect(head(true) == head(false))
  }

  @Test func twoCallsMakeTwoSetsThatClash() throws {
    let x = Tensor.input("x", [.batch, 4])
    let layer = Dense(units: 4, bias: nil)
    let text = errorText {
      _ = try compile([x], to: [layer(x) + layer(x)], on: .reference)
    }
    #expect(
      text == """
        compile: two parameters are called "dense1.weight"
          hint: to share one set of weights, build the layer with .shared(parameter); for two sets, give one another name, or build it inside Scope.named
        """)
  }

  @Test func outputsAreThoseOfEachLayer() {
    let chain = Chain {
      MaxPool2D(2)
      Flatten()
    }
    #expect(chain.outputs(image).map(\.shape) == [[.batch, 1, 14, 14], [.batch, 196]])
    #expect(Chain([])(image) == image)
  }
}
