//! A network of two hidden layers, 784-256-256-10, by raw expressions, with Nesterov's momentum.
//!
//! Nothing here is a layer or an optimiser: the update rule is four lines of formulas. Runs on
//! Fashion-MNIST where Debian's package is installed, and on pictures that it draws otherwise, or
//! with `--drawn`.

import Agnesi

// snippet.show
let image = Tensor.input("image", [.batch, 1, 28, 28])
let label = Tensor.input("label", [.batch], .int32)

let w1 = Tensor.parameter("w1", [784, 256], .heNormal)
let b1 = Tensor.parameter("b1", [256])
let w2 = Tensor.parameter("w2", [256, 256], .heNormal)
let b2 = Tensor.parameter("b2", [256])
let w3 = Tensor.parameter("w3", [256, 10], .glorotUniform)
let b3 = Tensor.parameter("b3", [10])

let first = relu(matmul(image.reshaped([.batch, 784]), w1) + b1)
let second = relu(matmul(first, w2) + b2)
let logits = matmul(second, w3) + b3
let cost = softmaxCrossEntropy(logits, label).mean()

// Nesterov's momentum: the step looks ahead along the velocity.
let weights = [w1, b1, w2, b2, w3, b3]
let gradients = gradient(of: cost, withRespectTo: weights)
var updates = Updates()
for (weight, gradient) in zip(weights, gradients) {
  let velocity = Tensor.parameter("\(weight.name).velocity", weight.shape, .zeros, .updateState)
  let next = 0.9 * velocity - 0.02 * gradient
  updates.set(velocity, to: next)
  updates.set(weight, to: weight + 0.9 * next - 0.02 * gradient)
}

let step = try compile([image, label], to: [cost], updates: updates)
let classify = try compile([image], to: [logits.argMax(axis: 1)])
// snippet.hide

let (train, test) = try pictures()
for batch in try Batches(of: train, size: 100, order: .shuffled(seed: 1)).epochs(0..<2) {
  let value = try step(batch.inputs, batch.targets)[cost].scalar
  if batch.number % 50 == 0 { print("epoch \(batch.epoch) batch \(batch.number) cost \(value)") }
}
var right = 0
for batch in try Batches(of: test, size: 500).epoch(0) {
  let classes = try classify(batch.inputs)[0]
  right += zip(classes.doubles, batch.targets.doubles).count { $0 == $1 }
}
print("accuracy \(Double(right) / Double(test.count))")

/// Ten kinds of pictures, to learn from and to be judged by.
func pictures() throws -> (train: DataSet, test: DataSet) {
  let isDrawing = CommandLine.arguments.contains("--drawn")
  if !isDrawing, let split = try? DataRegistry().open("fashion-mnist"), let test = split.test {
    return (split.train.first(20_000), test)
  }
  return (try bars(4000, seed: 1), try bars(1000, seed: 2))
}

/// Noise with a bright bar whose place tells the class.
func bars(_ count: Int, seed: UInt64) throws -> DataSet {
  var random = PhiloxGenerator(seed: seed, name: "bars")
  let labels = (0..<count).map { _ in Int32.random(in: 0..<10, using: &random) }
  var pixels: [UInt8] = []
  for label in labels {
    for position in 0..<784 {
      let isBar = position / 28 / 2 == Int(label) + 2
      pixels.append(UInt8.random(in: isBar ? 100...255 : 0...155, using: &random))
    }
  }
  return try DataSet(
    name: "bars", inputs: NDArray(pixels, shape: [count, 1, 28, 28]), targets: NDArray(labels))
}
