import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiImages
import Synchronization

/// Explains what a network saw in pictures.
///
/// ```swift
/// let explainer = Explainer(model, on: .cpu)
/// let explanation = try explainer.explain(photo, by: .gradCAM())
/// try explanation.drawn().png
/// ```
///
/// Pictures are handed in as the network sees them, after the model's
/// ``PictureModel/preprocessing``. Functions are compiled at their first use and kept.
public final class Explainer: Sendable {
  /// The model, as it is used for inference.
  public let model: PictureModel
  let graph: PictureGraph
  private let backend: any Backend
  private let functions = Mutex<[String: BatchedFunction]>([:])

  public init(_ model: PictureModel, on backend: any Backend) {
    self.model = model.specialized(for: .inference)
    graph = PictureGraph(model: self.model)
    self.backend = backend
  }

  /// The probability of each class.
  ///
  /// - Throws: ``ProbabilityError`` where one is not finite.
  public func probabilities(of picture: Picture) throws -> [Float] {
    let outputs = [model.probabilities]
    let function = try function("probabilities") { ([self.model.pixels], outputs) }
    let values = try function(pixels(of: picture))
    try ProbabilityError.check(values)
    return values.scalars(as: Float.self)
  }

  /// What in `picture` spoke for a class.
  ///
  /// - Parameters:
  ///   - classIndex: which class; by default the one that the network finds most probable.
  ///   - progress: called with the share of the work that is done; a throw from it ends the work.
  /// - Throws: ``ExplanationError`` where the method does not fit the model or the picture.
  public func explain(
    _ picture: Picture, by method: ExplanationMethod, classIndex: Int? = nil,
    progress: @escaping (Double) throws -> Void = { _ in }
  ) throws -> Explanation {
    let index = try classIndex ?? likeliestClass(of: picture)
    guard model.classNames.indices.contains(index) else {
      throw ExplanationError(
        "explain", "class \(index) of \(model.classCount)",
        hint: "classes are 0 to \(model.classCount - 1)")
    }
    let question = Question(
      pixels: try pixels(of: picture), classIndex: index, progress: progress)
    let answer = try answer(question, method)
    return Explanation(
      method: method, classIndex: index, className: model.classNames[index], picture: picture,
      heat: answer.heat, gradients: answer.gradients, facts: answer.facts)
  }

  private func answer(_ question: Question, _ method: ExplanationMethod) throws -> Answer {
    switch method {
    case .occlusion(let box, let stride):
      return try occlusion(question, box: box, stride: stride)
    case .gradient: return try gradients(question, .gradient)
    case .guidedBackpropagation: return try gradients(question, .guided)
    case .deconvolution: return try gradients(question, .deconvolution)
    case .smoothGrad(let samples, let noise, let seed):
      return try smoothGrad(question, samples: samples, noise: noise, seed: seed)
    case .integratedGradients(let baseline, let steps):
      return try integratedGradients(question, baseline: baseline, steps: steps)
    case .gradCAM(let layer): return try gradCAM(question, layer: layer)
    case .guidedGradCAM(let layer): return try guidedGradCAM(question, layer: layer)
    }
  }

  private func likeliestClass(of picture: Picture) throws -> Int {
    let probabilities = try probabilities(of: picture)
    return probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
  }
}

// MARK: - What the methods share

extension Explainer {
  /// What a method is asked.
  struct Question {
    /// `[1, channels, height, width]`.
    let pixels: NDArray
    let classIndex: Int
    let progress: (Double) throws -> Void

    var height: Int { pixels.shape[2] }
    var width: Int { pixels.shape[3] }

    /// The picture `count` times.
    func pixels(times count: Int) -> NDArray {
      pixels.broadcast(to: [count] + pixels.shape.dropFirst()).contiguous()
    }

    /// The class `count` times.
    func classes(times count: Int = 1) -> NDArray {
      NDArray([Int32](repeating: Int32(classIndex), count: count))
    }
  }

  /// What a method found.
  struct Answer {
    var heat: NDArray
    var gradients: NDArray?
    var facts: [(label: String, value: String)] = []
  }

  /// A function that is compiled once under its name.
  func function(
    _ name: String, _ build: () throws -> (inputs: [Tensor], outputs: [Tensor])
  ) throws -> BatchedFunction {
    if let known = functions.withLock({ $0[name] }) { return known }
    let (inputs, outputs) = try build()
    // DeconvNet does not look at the picture where the network has no maximum pools.
    let options = CompileOptions(name: "explain \(name)", allowsUnusedInputs: true)
    let function = BatchedFunction(
      function: try compile(inputs, to: outputs, options: options, on: backend),
      batch: model.fixedBatch)
    functions.withLock { $0[name] = function }
    return function
  }

  /// The scores of the classes asked for, before softmax, summed: each picture's gradients are its
  /// own.
  static func score(_ logits: Tensor, _ classes: Tensor) -> Tensor {
    logits.picked(classes, axis: 1).sum()
  }

  /// The input that says which class, for each picture of a batch.
  func classInput() -> Tensor { .input("class", [model.pixels.shape[0]], .int32) }

  /// The sum over a batch, where the graph takes one of any size; else its rows, which
  /// ``RunningSum`` adds up.
  func summedOverBatch(_ tensor: Tensor) -> Tensor {
    model.fixedBatch == nil ? tensor.sum(axes: [0], keepingAxes: true) : tensor
  }

  /// `[1, channels, height, width]`, float32, 0...255.
  func pixels(of picture: Picture) throws -> NDArray {
    guard picture.channels == model.channels else {
      throw ExplanationError(
        "explain", "the picture has \(picture.channels) channels, the model takes \(model.channels)"
      )
    }
    let sizes = [picture.height, picture.width]
    for (size, wanted) in zip(sizes, model.pixels.shape.suffix(2)) {
      guard wanted.known ?? size == size else {
        throw ExplanationError(
          "explain",
          "the picture is \(picture.width) × \(picture.height) pixels, the model takes "
            + "\(model.pixels.shape[3]) × \(model.pixels.shape[2])",
          hint: "bring it to that size by the model's preprocessing")
      }
    }
    return picture.planes.cast(to: .float32).reshaped([1, picture.channels] + sizes)
  }
}
