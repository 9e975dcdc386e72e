import AgnesiExpressions

/// The part of the network's input that one element sees, padding included.
public struct ReceptiveField: Hashable, Sendable {
  /// Rows of the input.
  public let height: Int
  /// Columns of the input.
  public let width: Int
  /// Rows of the input between what neighbouring elements see; below 1 behind an enlarging layer, 0
  /// where all see the same.
  public let verticalStep: Double
  /// Columns, likewise.
  public let horizontalStep: Double
}

extension ReceptiveField {
  /// The field of the layer reached so far.
  ///
  /// - Source: Araujo et al., *Computing receptive fields of convolutional neural networks*, 2019.
  struct State {
    private let input: (height: Int, width: Int)?
    private var rows = Axis()
    private var columns = Axis()
    private var isKnown: Bool

    /// One direction.
    private struct Axis {
      var size = 1.0
      var step = 1.0

      mutating func pass(window: Int, stride: Int, dilation: Int) {
        size += Double((window - 1) * dilation) * step
        step *= Double(stride)
      }

      /// An element of the larger image gets its value from ⌈size / factor⌉ elements.
      mutating func pass(enlargedBy factor: Int, size kernel: Int) {
        let factor = max(factor, 1)
        let reached = (kernel + factor - 1) / factor
        size += Double(max(reached, 1) - 1) * step
        step /= Double(factor)
      }
    }

    /// - Parameter shape: of the network's input, `[batch, channels, height, width]` for images.
    init(_ shape: Shape) {
      guard shape.count == 4, let height = shape[2].known, let width = shape[3].known else {
        input = nil
        isKnown = false
        return
      }
      input = (height, width)
      isKnown = true
    }

    mutating func pass(_ layer: any Layer) {
      switch layer.reach {
      case .point: break
      case .window(let size, let stride, let dilation):
        rows.pass(window: size.height, stride: stride.height, dilation: dilation.height)
        columns.pass(window: size.width, stride: stride.width, dilation: dilation.width)
      case .enlarged(let factors, let size):
        rows.pass(enlargedBy: factors.height, size: size.height)
        columns.pass(enlargedBy: factors.width, size: size.width)
      case .everything:
        guard let input else { return }
        rows = Axis(size: Double(input.height), step: 0)
        columns = Axis(size: Double(input.width), step: 0)
      case .unknown: isKnown = false
      }
    }

    var field: ReceptiveField? {
      guard isKnown else { return nil }
      return ReceptiveField(
        height: Int(rows.size.rounded(.up)), width: Int(columns.size.rounded(.up)),
        verticalStep: rows.step, horizontalStep: columns.step)
    }
  }
}
