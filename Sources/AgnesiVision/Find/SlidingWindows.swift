import AgnesiArrays
import AgnesiImages

extension PictureClassifier {
  /// The probability of a class in each window of a picture, window by window: what
  /// ``ObjectFinder`` computes at once.
  ///
  /// - Parameters:
  ///   - windows: of the size that the network takes.
  ///   - batchSize: windows that the network sees at a time.
  public func slide(
    over picture: Picture, class index: Int, windows: WindowGrid, batchSize: Int = 16
  ) throws -> ProbabilityMap {
    let (rows, columns) = windows.count(width: picture.width, height: picture.height)
    var values: [Float] = []
    for start in stride(from: 0, to: rows * columns, by: max(batchSize, 1)) {
      let cells = start..<min(start + max(batchSize, 1), rows * columns)
      let crops = cells.map { cell in
        let place = windows.place(row: cell / columns, column: cell % columns)
        return picture.cropped(
          x: place.columns.lowerBound, y: place.rows.lowerBound, width: windows.width,
          height: windows.height
        ).planes
      }
      let rows = try self(.stacking(crops))
      let all = rows.scalars(as: Float.self)
      values += crops.indices.map { all[$0 * model.classCount + index] }
    }
    return ProbabilityMap(
      values: NDArray(values, shape: [rows, columns]), windows: windows,
      pictureWidth: picture.width, pictureHeight: picture.height)
  }
}
