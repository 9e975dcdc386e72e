import AgnesiArrays
import AgnesiLoops

extension Tensor {
  /// A composite of one floating operand; another dtype is a mistake under the composite's name.
  static func floatingComposite(
    _ name: String, _ x: Tensor, attributes: [String: Attribute] = [:],
    gradient: Composite.Rule? = nil, body: (Tensor) -> Tensor
  ) -> Tensor {
    do throws(TypeError) {
      try requireFloating([x])
    } catch {
      return .mistake(name, error, [("operand", x)])
    }
    return .builtIn(name, [x], attributes: attributes, gradient: gradient) { body($0[0]) }
  }

  /// Throws where an operand is known not to be floating.
  static func requireFloating(_ operands: [Tensor]) throws(TypeError) {
    for operand in operands where operand.type.isKnown && !operand.dtype.isFloating {
      throw TypeError(
        "needs a floating operand, got \(operand.dtype)",
        hint: operand.dtype.conversionHint(to: .float32))
    }
  }

  /// `axes` counted from the front, sorted; all where nil.
  func normalized(axes: [Int]?) throws(TypeError) -> [Int] {
    guard type.isKnown, let axes else { return axes ?? Array(0..<rank) }
    var result: Set<Int> = []
    for axis in axes {
      let position = axis < 0 ? axis + rank : axis
      guard shape.indices.contains(position) else {
        throw TypeError("axis \(axis) of a tensor of \(rank) axes")
      }
      result.insert(position)
    }
    return result.sorted()
  }

  /// This, of fewer axes, repeated along `axes` of `other`, from whose other axes it was reduced.
  func spread(along axes: [Int], of other: Tensor) -> Tensor {
    let narrow = other.shape.indices.map { axes.contains($0) ? Size(1) : other.shape[$0] }
    return reshaped(narrow).broadcast(to: other.shape)
  }
}
