import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import Testing

@Suite struct ChainNormalizationTests {
  @Test func biasGoesAndNonlinearityMoves() {
    let chain = Chain {
      Convolution2D(filters: 4, kernel: 3, activation: .relu)
      BatchNormalization()
      Dense(units: 10)
      BatchNormalization()
    }
    let expected: [any Layer] = [
      Convolution2D(filters: 4, kernel: 3, bias: nil), BatchNormalization(),
      ActivationLayer(.relu), Dense(units: 10, bias: nil), BatchNormalization(),
    ]
    #expect(chain.layers.map { AnyHashable($0) } == expected.map { AnyHashable($0) })
    #expect(Chain(chain.layers) == chain)
    let image = Tensor.input("image", [.batch, 1, 8, 8])
    #expect(
      parameterNames(chain(image)) == [
        "convolution1.weight", "batchNormalization1.scale", "batchNormalization1.offset",
        "batchNormalization1.runningMean", "batchNormalization1.runningVariance", "dense1.weight",
        "batchNormalization2.scale", "batchNormalization2.offset",
        "batchNormalization2.runningMean", "batchNormalization2.runningVariance",
      ])
  }

  @Test func onlyDirectNeighbours() {
    let chain = Chain {
      Dense(units: 4, activation: .relu)
      Dropout()
      BatchNormalization()
    }
    #expect((chain.layers[0] as? Dense) == Dense(units: 4, activation: .relu))
    #expect(chain.layers.count == 3)
  }

  @Test func normalizationIsBeforeTheNonlinearity() throws {
    let x = Tensor.input("x", [.batch, 1], .float64)
    let y = Chain {
      Dense(units: 1, activation: .relu, weight: .ones)
      BatchNormalization(epsilon: 1e-30)
    }(x)
    let result = try value(y, [x: NDArray([1.0, 3], shape: [2, 1])], batch: 2)
    #expect(isClose(result.doubles, [0, 1]))
  }

  @Test func inferenceUsesTheAverages() throws {
    let x = Tensor.input("x", [.batch, 1], .float64)
    let y = BatchNormalization(epsilon: 1e-30)(x)
    for parameter in y.parameters(.statistic).compactMap(\.parameter) {
      let isMean = parameter.name == "batchNormalization1.runningMean"
      try parameter.assign(NDArray([isMean ? 10.0 : 4]))
    }
    let result = try value(
      y.specialized(for: .inference), [x: NDArray([10.0, 14], shape: [2, 1])], batch: 2)
    #expect(isClose(result.doubles, [0, 2]))
  }
}
