import AgnesiArrays
import AgnesiLoops

/// How the elements of a tensor lie in memory, said as another shape: axes are split into parts, and the
/// parts are put into an order of their own.
///
/// Images `[n, c, h, w]` whose channels lie in blocks of 16 are `[n, c / 16, h, w, 16]`; with 16 samples
/// innermost they are `[n / 16, c, h, w, 16]`; with channels last, `[n, h, w, c]`. A tensor in a layout is an
/// ordinary tensor of that shape, so nothing below the graph knows of layouts.
package struct Layout: Hashable, Sendable, Codable {
  /// One axis of the laid-out shape.
  package struct Part: Hashable, Sendable, Codable {
    /// The axis of the plain tensor that it is a part of.
    package let axis: Int
    /// Its size; nil for the outermost part of an axis, which has what the others leave.
    package let width: Int?

    package init(axis: Int, width: Int? = nil) { (self.axis, self.width) = (axis, width) }
  }

  /// From outermost to innermost; the parts of one axis are in that order, too.
  package let parts: [Part]

  package init(parts: [Part]) { self.parts = parts }

  /// Row-major order.
  package static func plain(rank: Int) -> Layout {
    Layout(parts: (0..<rank).map { Part(axis: $0) })
  }

  /// One axis in blocks of `width` elements, which lie innermost; all else in row-major order.
  package static func blocked(axis: Int, by width: Int, rank: Int) -> Layout {
    Layout(parts: plain(rank: rank).parts + [Part(axis: axis, width: width)])
  }

  /// The number of axes of the plain tensor.
  package var rank: Int { parts.count { $0.width == nil } }

  package var isPlain: Bool { self == .plain(rank: rank) }

  /// The only split of a layout made by ``blocked(axis:by:rank:)``; nil for other layouts.
  package var block: (axis: Int, width: Int)? {
    guard let last = parts.last, let width = last.width,
      self == .blocked(axis: last.axis, by: width, rank: rank)
    else { return nil }
    return (last.axis, width)
  }

  // MARK: Shapes

  /// Whether the parts of each axis fill it for all sizes that names may stand for.
  package func divides(_ shape: Shape) -> Bool {
    guard shape.count == rank else { return false }
    return shape.indices.allSatisfy { axis in
      let unit = widths(of: axis).product
      return unit == 1 || (shape[axis].known.map { $0 > 0 && $0 % unit == 0 } ?? false)
    }
  }

  /// The shape of a tensor in this layout. A last block that is not full counts as a whole one.
  package func shape(of plain: Shape) -> Shape {
    parts.map { part in
      if let width = part.width { return Size(width) }
      let unit = widths(of: part.axis).product
      return unit == 1 ? plain[part.axis] : (plain[part.axis] + Size(unit - 1)) / Size(unit)
    }
  }

  private func widths(of axis: Int) -> [Int] {
    parts.compactMap { $0.axis == axis ? $0.width : nil }
  }

  /// For each axis its parts one after the other, and where each part of the layout is among them.
  private func split(_ shape: Shape) -> (shape: Shape, order: [Int]) {
    var (sizes, starts): (Shape, [Int]) = ([], [])
    for axis in shape.indices {
      starts.append(sizes.count)
      let widths = widths(of: axis)
      sizes.append(shape[axis] / Size(widths.product))
      sizes += widths.map { Size($0) }
    }
    var next = starts
    let order = parts.map { part -> Int in
      guard part.width != nil else { return starts[part.axis] }
      next[part.axis] += 1
      return next[part.axis]
    }
    return (sizes, order)
  }

  // MARK: Tensors

  /// A tensor whose shape it divides, in this layout: views, no work by themselves.
  package func packed(_ plain: Tensor) -> Tensor {
    let (shape, order) = split(plain.shape)
    return plain.reshaped(shape).transposed(order)
  }

  /// The tensor of shape `plain` that lies in this layout, in row-major order again.
  package func unpacked(_ packed: Tensor, _ plain: Shape) -> Tensor {
    packed.transposed(inverse(split(plain).order)).reshaped(plain)
  }

  /// As ``packed(_:)-(Tensor)``, for values.
  package func packed(_ plain: NDArray) -> NDArray {
    let (shape, order) = split(plain.shape.map { Size($0) })
    return plain.contiguous().reshaped(shape.map { $0.known ?? 0 }).transposed(order).contiguous()
  }

  /// As ``unpacked(_:_:)-(Tensor,_)``, for values.
  package func unpacked(_ packed: NDArray, _ plain: [Int]) -> NDArray {
    let order = inverse(split(plain.map { Size($0) }).order)
    return packed.transposed(order).contiguous().reshaped(plain)
  }

  private func inverse(_ order: [Int]) -> [Int] {
    order.indices.sorted { order[$0] < order[$1] }
  }
}

extension Layout: CustomStringConvertible {
  /// Axes by letters, splits by their widths, as in `abcd16b`.
  package var description: String {
    parts.map { part in
      let letter = part.axis < 26 ? String(UnicodeScalar(UInt8(97 + part.axis))) : "(\(part.axis))"
      return (part.width.map(String.init) ?? "") + letter
    }.joined()
  }
}

/// An operation that can work on operands in a layout as they are.
package protocol FollowsLayout: Operation {
  /// The operation on operands that all lie in `layout`, and the layouts of its results; nil where it has no
  /// such form. Elementwise operations need not say it: each element stays beside its partners.
  ///
  /// - Parameter operands: the types of the plain operands.
  func laidOut(_ layout: Layout, _ operands: [TensorType]) -> LaidOutOperation?
}

/// What ``FollowsLayout`` answers.
package struct LaidOutOperation {
  package var operation: any Operation
  package var results: [Layout]
}

extension Size {
  /// The quotient by `width` where nothing is left over for any sizes; else nil.
  func quotient(by width: Int) -> Size? {
    self % Size(width) == 0 ? self / Size(width) : nil
  }
}
