/// A way to ask what in a picture made a network say what it said.
public enum ExplanationMethod: Sendable, Hashable {
  /// A box is slid over the picture, and where the probability falls, something mattered.
  ///
  /// - box: pixels of the box's side; by default 2/7 of the picture's shorter side, 64 of 224.
  /// - stride: pixels between neighbouring boxes; by default a quarter of the box.
  case occlusion(box: Int? = nil, stride: Int? = nil)
  /// The gradients of the class's score, before softmax, with respect to the pixels.
  case gradient
  /// The same, where rectifiers pass only what speaks for the class.
  case guidedBackpropagation
  /// The same, where rectifiers pass what speaks for the class, whether they were on or not.
  case deconvolution
  /// The mean of the gradients at noisy copies of the picture.
  ///
  /// - noise: the noise's deviation, as a share of the range of the picture's values.
  case smoothGrad(samples: Int = 48, noise: Double = 0.15, seed: UInt64 = 0)
  /// The score's growth on the way from an empty picture, shared out among the pixels.
  case integratedGradients(baseline: Baseline = .mean, steps: Int = 128)
  /// The feature maps of a layer, weighted by how much the score hangs on them.
  ///
  /// - layer: by name; by default the last one that has feature maps.
  case gradCAM(layer: String? = nil)
  /// The product of guided back-propagation and Grad-CAM.
  case guidedGradCAM(layer: String? = nil)

  /// The picture that is taken to hold nothing.
  public enum Baseline: String, Sendable, Hashable, CaseIterable {
    /// The mean colour: what is 0 after the network's own scaling.
    case mean
    /// Black.
    case black
  }

  /// All methods, as they are without options.
  public static let all: [ExplanationMethod] = [
    .occlusion(), .gradCAM(), .integratedGradients(), .smoothGrad(), .gradient, .deconvolution,
    .guidedBackpropagation, .guidedGradCAM(),
  ]

  /// The method of that ``name``; nil where there is none.
  public init?(name: String) {
    guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// The name on the command line and of files.
  public var name: String { words.name }
  /// The name as a heading.
  public var title: String { words.title }
  /// What its picture shows, in a sentence.
  public var meaning: String { words.meaning }
  /// Where it was published.
  public var source: String { words.source }

  private struct Words {
    var name: String
    var title: String
    var meaning: String
    var source: String
  }

  private var words: Words {
    switch self {
    case .occlusion:
      Words(
        name: "occlusion", title: "Occlusion",
        meaning: "Where a box of the mean colour hides what the network needs, the probability of "
          + "the class falls; the more it falls, the brighter.",
        source: "Zeiler & Fergus, Visualizing and understanding convolutional networks, 2014, §4.2")
    case .gradient:
      Words(
        name: "gradient", title: "Gradient",
        meaning:
          "How strongly each pixel moves the score of the class, before softmax: the largest "
          + "gradient among its colours.",
        source: "Simonyan, Vedaldi & Zisserman, Deep inside convolutional networks, 2014, §3")
    case .guidedBackpropagation:
      Words(
        name: "guided", title: "Guided back-propagation",
        meaning:
          "The gradients that reach the pixels when every rectifier passes only what speaks for "
          + "the class, and only if it was on: edges and textures that the network saw.",
        source: "Springenberg, Dosovitskiy, Brox & Riedmiller, Striving for simplicity: the all "
          + "convolutional net, 2015, §3.4")
    case .deconvolution:
      Words(
        name: "deconvnet", title: "DeconvNet",
        meaning:
          "The score sent back through the network turned around: rectifiers pass what speaks "
          + "for the class, whether they were on or not, and pools put it where the maximum was.",
        source: "Zeiler & Fergus, Visualizing and understanding convolutional networks, 2014, §2.1")
    case .smoothGrad:
      Words(
        name: "smoothgrad", title: "SmoothGrad",
        meaning:
          "The mean of the gradients of many noisy copies of the photo, in which accidents of "
          + "single pixels cancel.",
        source: "Smilkov, Thorat, Kim, Viégas & Wattenberg, SmoothGrad: removing noise by adding "
          + "noise, 2017")
    case .integratedGradients:
      Words(
        name: "integrated", title: "Integrated gradients",
        meaning: "The score's growth on the straight way from an empty picture to this one, shared "
          + "out among the pixels: red speaks for the class, blue against it.",
        source: "Sundararajan, Taly & Yan, Axiomatic attribution for deep networks, 2017, §3")
    case .gradCAM:
      Words(
        name: "gradcam", title: "Grad-CAM",
        meaning:
          "The feature maps of the last convolutions, each weighted by how much the score of "
          + "the class grows with it: where the evidence lies, coarsely.",
        source: "Selvaraju et al., Grad-CAM: visual explanations from deep networks via "
          + "gradient-based localization, 2017, §3")
    case .guidedGradCAM:
      Words(
        name: "guided-gradcam", title: "Guided Grad-CAM",
        meaning:
          "Guided back-propagation where Grad-CAM is bright: the details that speak for this "
          + "class and not for another.",
        source: "Selvaraju et al., Grad-CAM, 2017, §3.2")
    }
  }
}
