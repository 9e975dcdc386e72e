import Agnesi
import ArgumentParser

/// What is timed.
enum Workload: String, CaseIterable, ExpressibleByArgument {
  /// Training step, 784-256-256-10, ReLU, softmax cross-entropy, Nesterov momentum 0.9.
  case mlp
  /// Training step, 1×28×28 20C5 MP2 50C5 MP2 256FC 10FC, ReLU, Nesterov momentum 0.9.
  case lenet
  /// Forward pass of lenet: latency.
  case lenetInfer = "lenet-infer"

  var batchSize: Int { self == .lenetInfer ? 1 : 100 }

  /// One step, from batch in to result out.
  func step(batch: Int) throws -> () throws -> Void {
    switch self {
    case .mlp: try training("256FC 256FC 10FC", sampleShape: [784], batch: batch)
    case .lenet:
      try training("20C5 MP2 50C5 MP2 256FC 10FC", sampleShape: [1, 28, 28], batch: batch)
    case .lenetInfer:
      try inference("20C5 MP2 50C5 MP2 256FC 10FC", sampleShape: [1, 28, 28], batch: batch)
    }
  }

  private func training(
    _ notation: String, sampleShape: [Int], batch: Int
  ) throws -> () throws -> Void {
    let image = Tensor.input("image", [.batch] + sampleShape.map { Size($0) })
    let label = Tensor.input("label", [.batch], .int32)
    let logits = try Notation.parse(notation)(image)
    let loss = softmaxCrossEntropy(logits, label).mean()
    let updates = nesterov(loss, loss.parameters(.trainable), rate: 0.01, momentum: 0.9)
    let step = try compile([image, label], to: [loss], updates: updates)
    let images = Self.random([batch] + sampleShape)
    let stream = Philox(key: 2)
    let labels = NDArray((0..<batch).map { Int32(stream.word(UInt64($0)) % 10) })
    return {
      let value = try step(images, labels)[0].scalar
      precondition(value.isFinite, "the loss is \(value)")
    }
  }

  private func inference(
    _ notation: String, sampleShape: [Int], batch: Int
  ) throws -> () throws -> Void {
    let image = Tensor.input("image", [.batch] + sampleShape.map { Size($0) })
    let logits = try Notation.parse(notation)(image).specialized(for: .inference)
    let forward = try compile([image], to: [logits])
    let images = Self.random([batch] + sampleShape)
    return { _ = try forward(images)[0] }
  }

  /// Uniform in 0...1, as pixels are.
  private static func random(_ shape: [Int]) -> NDArray {
    let stream = Philox(key: 1)
    let count = shape.reduce(1, *)
    return NDArray((0..<count).map { Float(stream.word(UInt64($0))) / 0x1p32 }, shape: shape)
  }
}
