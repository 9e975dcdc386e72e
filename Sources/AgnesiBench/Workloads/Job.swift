import Agnesi

/// A workload as a user has it before the first step: a network with its first values, and a batch.
struct Job {
  /// What a step is handed.
  var inputs: [Tensor]
  /// One value for each input.
  var batch: [NDArray]
  /// Those of the network, without the state of update rules.
  var parameters: [Parameter]
  /// What a step computes. Gradients are built here, so they count as preparation.
  var program: () -> Program

  /// What a step computes: values that come back, and new values of parameters.
  struct Program {
    var outputs: [Tensor]
    var updates = Updates()
  }

  init(inputs: [Tensor], batch: [NDArray], network: Tensor, program: @escaping () -> Program) {
    self.inputs = inputs
    self.batch = batch
    parameters = network.parameters().compactMap(\.parameter)
    self.program = program
  }

  /// A training step, which gives the loss back.
  ///
  /// - Parameters:
  ///   - network: what the loss judges.
  ///   - updates: how the trainable parameters follow the loss.
  init(
    training network: Tensor, by loss: Tensor, inputs: [Tensor], batch: [NDArray],
    updates: @escaping (_ loss: Tensor, _ parameters: [Tensor]) -> Updates
  ) {
    self.init(inputs: inputs, batch: batch, network: network) {
      .init(outputs: [loss], updates: updates(loss, loss.parameters(.trainable)))
    }
  }

  /// A training step towards targets in the shape of the output, by the mean of the squared errors,
  /// with Adam.
  init(fitting network: Tensor, of input: Tensor, shape: [Int]) {
    let target = Tensor.input("target", input.shape)
    let count = shape.reduce(1, *)
    self.init(
      training: network, by: squaredError(network, target).mean(), inputs: [input, target],
      batch: [
        Noise.normals(count).reshaped(shape), Noise.pixels(shape),
      ]
    ) { adam($0, $1, rate: 0.001) }
  }

  /// One step, from batch in to the first number of the result.
  func compiled(on backend: any Backend) throws -> () throws -> Double {
    let program = program()
    let function = try compile(
      inputs, to: program.outputs, updates: program.updates, on: backend)
    return {
      let results = try function.call(batch).arrays
      let number = results[0].load(results[0].offset)
      precondition(number.isFinite, "the result begins with \(number)")
      return number
    }
  }
}

/// Made-up data.
enum Noise {
  /// Uniform in 0...1, as pixels are.
  static func pixels(_ shape: [Int]) -> NDArray {
    let stream = Philox(key: 1)
    let count = shape.reduce(1, *)
    return NDArray((0..<count).map { Float(stream.word(UInt64($0))) / 0x1p32 }, shape: shape)
  }

  /// Whole numbers of 0...255, as decoded photos have.
  static func bytes(_ shape: [Int]) -> NDArray {
    let stream = Philox(key: 4)
    let count = shape.reduce(1, *)
    return NDArray((0..<count).map { Float(stream.word(UInt64($0)) >> 24) }, shape: shape)
  }

  /// One of `classes` for each sample.
  static func labels(_ count: Int, classes: Int) -> NDArray {
    let stream = Philox(key: 2)
    return NDArray((0..<count).map { Int32(stream.word(UInt64($0)) % UInt32(classes)) })
  }

  /// One of `classes` for each pixel.
  static func masks(_ shape: [Int], classes: Int) -> NDArray {
    labels(shape.reduce(1, *), classes: classes).reshaped(shape)
  }

  /// Mean 0 and deviation 1.
  static func normals(_ count: Int) -> NDArray {
    Initializer.normal(mean: 0, deviation: 1)
      .array(shape: [count], dtype: .float32, stream: Philox(key: 3))
  }
}
