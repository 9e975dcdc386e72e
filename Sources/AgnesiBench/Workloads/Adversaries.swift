import Agnesi

/// A generator of pictures and a discriminator, which learn from one another.
///
/// Source: Radford, Metz & Chintala, *Unsupervised representation learning with deep convolutional
/// generative adversarial networks*, 2016.
struct Adversaries {
  private static let width = 32

  private let generator = Chain(name: "generator") {
    TransposedConvolution2D(filters: 8 * width, kernel: 4, activation: .relu)
    BatchNormalization()
    enlarging(4 * width)
    BatchNormalization()
    enlarging(2 * width)
    BatchNormalization()
    enlarging(width)
    BatchNormalization()
    TransposedConvolution2D(
      filters: 3, kernel: 4, stride: 2, padding: .symmetric(1, 1), activation: .tanh)
  }

  private let discriminator = Chain(name: "discriminator") {
    reducing(width)
    reducing(2 * width)
    BatchNormalization()
    reducing(4 * width)
    BatchNormalization()
    reducing(8 * width)
    BatchNormalization()
    Convolution2D(filters: 1, kernel: 4)
  }

  private static func enlarging(_ filters: Int) -> TransposedConvolution2D {
    TransposedConvolution2D(
      filters: filters, kernel: 4, stride: 2, padding: .symmetric(1, 1), activation: .relu)
  }

  private static func reducing(_ filters: Int) -> Convolution2D {
    Convolution2D(
      filters: filters, kernel: 4, stride: 2, padding: .symmetric(1, 1),
      activation: .leakyReLU(slope: 0.2))
  }

  /// A step trains the discriminator, then the generator against the new discriminator, and gives
  /// the generator's loss back.
  func job(batch: Int) -> Job {
    let scores = scores()
    return Job(
      inputs: [scores.real], batch: [Noise.pixels([batch, 3, 64, 64])],
      network: scores.ofReal + scores.ofFake
    ) {
      let judging = adam(
        scores.judgement, scores.ofReal.parameters(.trainable), rate: 2e-4, beta1: 0.5)
      let next = Self.replaced(scores.ofFake, by: judging)
      let deception = sigmoidCrossEntropy(next, .ones(like: next)).mean()
      let deceiving = adam(
        deception, scores.fake.parameters(.trainable), rate: 2e-4, beta1: 0.5)
      return .init(outputs: [deception], updates: judging + deceiving)
    }
  }

  /// Pictures, and what the discriminator thinks of them.
  struct Scores {
    var real: Tensor
    var fake: Tensor
    var ofReal: Tensor
    var ofFake: Tensor

    /// The discriminator's loss.
    var judgement: Tensor {
      sigmoidCrossEntropy(ofReal, .ones(like: ofReal)).mean()
        + sigmoidCrossEntropy(ofFake, .zeros(like: ofFake)).mean()
    }
  }

  /// The scores of a batch.
  func scores() -> Scores {
    let real = Tensor.input("real", [.batch, 3, 64, 64])
    let fake = generator(randomNormal([.batch, 100, 1, 1]))
    let ofReal = discriminator(real).reshaped([.batch])
    return Scores(
      real: real, fake: fake, ofReal: ofReal, ofFake: ofReal.replacing([real: fake]))
  }

  /// What `scores` are after the step `updates`, as numbers that have nothing to do with how the step
  /// was found: the generator does not learn through the discriminator's learning.
  private static func replaced(_ scores: Tensor, by updates: Updates) -> Tensor {
    scores.replacing(
      updates.pairs.reduce(into: [:]) { $0[$1.parameter] = stopGradient($1.value) })
  }
}
