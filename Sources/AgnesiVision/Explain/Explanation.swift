import AgnesiArrays
import AgnesiImages

/// What in a picture spoke for a class, found by one method.
public struct Explanation: Sendable {
  /// How it was found.
  public let method: ExplanationMethod
  /// The class that was asked about.
  public let classIndex: Int
  /// Its name.
  public let className: String
  /// The picture as the network saw it.
  public let picture: Picture
  /// `[height, width]` of the picture, float32: how much each place mattered. Negative where it spoke
  /// against the class, for methods that tell.
  public let heat: NDArray
  /// `[channels, height, width]`, float32: what arrived at each sample of the picture, for methods
  /// that go back to the pixels.
  public let gradients: NDArray?
  /// What else was found, as label and value.
  public let facts: [(label: String, value: String)]
}

// MARK: - Drawing

extension Explanation {
  /// The picture that shows it best: the photo with glowing places, or what arrived at the pixels.
  public func drawn() throws(PictureError) -> Picture {
    switch method {
    case .occlusion, .gradCAM: try picture.overlaid(heat: heat)
    case .integratedGradients: try signed()
    case .gradient, .smoothGrad: try Picture.heat(heat, limit: Self.most(of: heat, 0.995))
    case .guidedBackpropagation, .deconvolution, .guidedGradCAM: try coloured()
    }
  }

  /// More pictures of the same, with captions.
  public func details() throws(PictureError) -> [(caption: String, picture: Picture)] {
    guard let gradients, method == .gradient else { return [] }
    let pixels = heat.count
    let values = gradients.doubles
    func largest(_ sign: Double) -> NDArray {
      let planes = (0..<(gradients.count / pixels)).map {
        values[($0 * pixels)..<(($0 + 1) * pixels)]
      }
      let best = (0..<pixels).map { pixel in
        planes.map { sign * $0[$0.startIndex + pixel] }.max().map { max($0, 0) } ?? 0
      }
      return NDArray(rounding: best, shape: heat.shape, .float32)
    }
    let limit = Self.most(of: heat, 0.995)
    return [
      ("brighter pixels raise the score", try Picture.heat(largest(1), limit: limit)),
      ("darker pixels raise the score", try Picture.heat(largest(-1), limit: limit)),
    ]
  }

  /// Both signs over the photo. Neighbouring pixels are joined, since single ones, red beside blue,
  /// show nothing to the eye.
  private func signed() throws(PictureError) -> Picture {
    let plane = Plane(heat.doubles, width: picture.width, height: picture.height)
    let joined = plane.resized(
      width: max(picture.width / 3, 1), height: max(picture.height / 3, 1)
    ).array
    // Single places far above the others must not make them pale.
    return try picture.overlaid(
      heat: joined, limit: Self.most(of: joined, 0.995), isSigned: true, opacity: 1)
  }

  /// Gradients as colours around mid-grey.
  private func coloured() throws(PictureError) -> Picture {
    guard let gradients else { return try Picture.heat(heat) }
    let limit = max(Self.most(of: gradients, 0.998), .leastNormalMagnitude)
    return try Picture(gradients, range: -limit...limit)
  }

  /// The magnitude that a share of all values does not exceed.
  static func most(of array: NDArray, _ share: Double) -> Double {
    let sorted = array.doubles.filter(\.isFinite).map(abs).sorted()
    guard let last = sorted.last else { return 0 }
    let value = sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
    return value > 0 ? value : last
  }
}
