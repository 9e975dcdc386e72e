import AgnesiImages

// What torchvision's networks have in common.

extension PicturePreprocessing {
  /// The shorter side 256, then the middle 224 by 224.
  static let torchvision = PicturePreprocessing(
    resizing: .shortSide(256), filter: .bilinear, cropWidth: 224, cropHeight: 224)
}

extension WeightLicence {
  /// Torchvision's own weights.
  static let torchvision = WeightLicence("BSD 3-clause", "Torchvision, the PyTorch contributors")
}
