extension PicturePreprocessing {
  /// The picture, resized and cut as this says. A side that is not to be cut stays as it is.
  ///
  /// - Precondition: the sizes asked for are positive.
  public func callAsFunction(_ picture: Picture) -> Picture {
    let whole =
      switch resizing {
      case .none: picture
      case .shortSide(let side): picture.resized(shortSide: side, filter: filter)
      case .exact(let width, let height):
        picture.resized(width: width, height: height, filter: filter)
      }
    let width = cropWidth ?? whole.width
    let height = cropHeight ?? whole.height
    if width == whole.width && height == whole.height { return whole }
    return whole.centerCropped(width: width, height: height)
  }
}
