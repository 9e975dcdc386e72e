//! Softmax regression: the smallest network that learns, written as a formula.
//!
//! The gradient is asked for and put into updates by hand. Runs on Fashion-MNIST where Debian's
//! package is installed, and on pictures that it draws otherwise, or with `--drawn`.

import Agnesi

// snippet.show
let image = Tensor.input("image", [.batch, 1, 28, 28])
let label = Tensor.input("label", [.batch], .int32)
let weight = Tensor.parameter("weight", [784, 10])
let bias = Tensor.parameter("bias", [10])

let logits = matmul(image.reshaped([.batch, 784]), weight) + bias
let cost = softmaxCrossEntropy(logits, label).mean()
let gradients = gradient(of: cost, withRespectTo: [weight, bias])
let descent = Updates([(weight, weight - 0.1 * gradients[0]), (bias, bias - 0.1 * gradients[1])])

let step = try compile([image, label], to: [cost], updates: descent)
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
