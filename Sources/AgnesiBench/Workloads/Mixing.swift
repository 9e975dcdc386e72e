import Agnesi

// Blocks over sequences, `[batch, places, width]`: what happens between places, then at each place.
// Both normalise before each half and add to what came in, and learn to give given sequences.

/// A block of a transformer: places look at one another.
///
/// Source: Vaswani et al., *Attention is all you need*, 2017, with the normalisation before each half.
enum TransformerBlock {
  private static let places = 128
  private static let width = 256
  private static let heads = 4

  static func job(batch: Int) -> Job {
    let sequence = Tensor.input("sequence", [.batch, Size(places), Size(width)])
    let attended = sequence + attention(normalized(sequence, "norm1"))
    let output = attended + perceptron(normalized(attended, "norm2"), hidden: 4 * width)
    return Job(fitting: output, of: sequence, shape: [batch, places, width])
  }

  private static func attention(_ x: Tensor) -> Tensor {
    let size = width / heads
    // [3, batch, heads, places, size]
    let parts = x.through(Dense(units: 3 * width, leadingAxes: 2))
      .reshaped([.batch, Size(places), 3, Size(heads), Size(size)]).transposed([2, 0, 3, 1, 4])
    let (queries, keys, values) = (parts[0], parts[1], parts[2])
    let scores = matmul(queries, keys.matrixTransposed()) / Double(size).squareRoot()
    let seen = matmul(softmax(scores), values)
    return seen.transposed([0, 2, 1, 3]).reshaped(x.shape)
      .through(Dense(units: width, leadingAxes: 2))
  }
}

/// A block of a mixer: a small network along the places, in the place of attention.
///
/// Source: Tolstikhin et al., *MLP-Mixer: an all-MLP architecture for vision*, 2021, figure 1.
enum MixerBlock {
  private static let patches = 64
  private static let channels = 128

  static func job(batch: Int) -> Job {
    let sequence = Tensor.input("sequence", [.batch, Size(patches), Size(channels)])
    let columns = normalized(sequence, "norm1").transposed([0, 2, 1])
    let mixed = sequence + perceptron(columns, hidden: 256).transposed([0, 2, 1])
    let output = mixed + perceptron(normalized(mixed, "norm2"), hidden: 512)
    return Job(fitting: output, of: sequence, shape: [batch, patches, channels])
  }
}

/// Two dense layers along the last axis, which keeps its size.
private func perceptron(_ x: Tensor, hidden: Int) -> Tensor {
  let units = x.size(-1).known ?? 0
  return x.through(Dense(units: hidden, activation: .gelu, leadingAxes: 2))
    .through(Dense(units: units, leadingAxes: 2))
}

/// Each place with mean 0 and deviation 1, scaled and shifted by learned numbers.
private func normalized(_ x: Tensor, _ name: String) -> Tensor {
  let shape = [x.size(-1)]
  return layerNormalized(
    x, scale: .parameter("\(name).scale", shape, .ones, .trainable),
    offset: .parameter("\(name).offset", shape, .zeros, .trainable))
}
