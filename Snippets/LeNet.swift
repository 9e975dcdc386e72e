//! LeNet by layers: two convolutions, two poolings, two dense layers.
//!
//! The layers only build expressions, so the update rule, the gradient and the compiler are those of
//! the other snippets. Runs on Fashion-MNIST where Debian's package is installed, and on pictures
//! that it draws otherwise, or with `--drawn`.

import Agnesi

// snippet.show
let image = Tensor.input("image", [.batch, 1, 28, 28])
let label = Tensor.input("label", [.batch], .int32)

let lenet = Chain {
  Convolution2D(filters: 20, kernel: 5, activation: .relu)
  MaxPool2D(2)
  Convolution2D(filters: 50, kernel: 5, activation: .relu)
  MaxPool2D(2)
  Dense(units: 256, activation: .relu)
  Dropout(0.5)
  Dense(units: 10)
}
let logits = lenet(image)
let cost = softmaxCrossEntropy(logits, label).mean()

let updates = adam(cost, cost.parameters(.trainable), rate: 0.001)
let step = try compile([image, label], to: [cost], updates: updates)
let classify = try compile([image], to: [logits.specialized(for: .inference).argMax(axis: 1)])
// snippet.hide

let (train, test) = try pictures()
for batch in try Batches(of: train, size: 100, order: .shuffled(seed: 1)).epoch(0) {
  let value = try step(batch.inputs, batch.targets)[cost].scalar
  if batch.number % 10 == 0 { print("epoch \(batch.epoch) batch \(batch.number) cost \(value)") }
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
