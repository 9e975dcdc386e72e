import AgnesiCompiler
import AgnesiExpressions

/// The pixels that one place of a feature map can see.
struct ReceptiveField: Equatable {
  var rows: Span
  var columns: Span

  /// Place `p` of an axis sees pixels `step · p + first ... step · p + last`, those of them that
  /// exist.
  struct Span: Equatable {
    var step: Int
    var first: Int
    var last: Int

    /// What windows of `size` points, `gap` pixels of this span apart, see.
    func seen(by window: Window) -> Span {
      Span(
        step: step * window.stride, first: first - step * window.padding,
        last: last + step * ((window.size - 1) * window.dilation - window.padding))
    }

    func joined(_ other: Span) -> Span? {
      guard step == other.step else { return nil }
      return Span(step: step, first: min(first, other.first), last: max(last, other.last))
    }

    func range(at place: Int, of size: Int) -> Range<Int> {
      let low = min(max(step * place + first, 0), size - 1)
      return low..<(min(max(step * place + last, low), size - 1) + 1)
    }
  }

  /// How a kernel or a pool moves along an axis.
  struct Window {
    var size: Int
    var stride: Int
    var padding: Int
    var dilation: Int
  }

  /// What a place of `maps`, `[batch, channels, height, width]`, sees of `pixels`; nil where that is
  /// everything, or cannot be told.
  static func of(_ maps: Tensor, in pixels: Tensor) -> ReceptiveField? {
    let output = expandComposites([maps])[0]
    let point = Span(step: 1, first: 0, last: 0)
    var fields: [Tensor: ReceptiveField] = [pixels: .init(rows: point, columns: point)]
    /// What depends on the pixels in a way that is no window.
    var unknown: Set<Tensor> = []
    for node in [output].topologicalNodes() where !node.operands.isEmpty {
      let seen = node.operands.compactMap { fields[$0] }
      let isUnknown = node.operands.contains(where: unknown.contains)
      if seen.isEmpty && !isUnknown { continue }
      let field = isUnknown ? nil : ReceptiveField.behind(node, seen)
      for result in node.results {
        if let field { fields[result] = field } else { unknown.insert(result) }
      }
    }
    return fields[output]
  }

  private static func behind(_ node: Node, _ seen: [ReceptiveField]) -> ReceptiveField? {
    guard var field = seen.first else { return nil }
    if let windows = windows(of: node) {
      guard seen.count == 1 else { return nil }
      return ReceptiveField(
        rows: field.rows.seen(by: windows[0]), columns: field.columns.seen(by: windows[1]))
    }
    // Functions of elements and of channels leave the places where they are.
    let places = node.types[0].shape.suffix(2)
    guard node.types[0].rank == 4,
      node.operands.allSatisfy({
        $0.rank != 4 || Array($0.shape.suffix(2)) == Array(places)
          || $0.inputs.isEmpty
      })
    else { return nil }
    for other in seen.dropFirst() {
      guard let rows = field.rows.joined(other.rows),
        let columns = field.columns.joined(other.columns)
      else { return nil }
      field = ReceptiveField(rows: rows, columns: columns)
    }
    return field
  }

  /// Rows' and columns' windows of a convolution or a pool.
  private static func windows(of node: Node) -> [Window]? {
    switch node.operation {
    case let convolution as ConvolutionForward where convolution.geometry.axisCount == 2:
      let geometry = convolution.geometry
      let sizes = node.operands[1].shape.suffix(2).compactMap(\.known)
      guard sizes.count == 2 else { return nil }
      return (0..<2).map {
        Window(
          size: sizes[$0], stride: geometry.stride[$0], padding: geometry.padBegin[$0],
          dilation: geometry.dilation[$0])
      }
    case let pool as MaxPool: return windows(of: pool.geometry)
    case let pool as SumPool: return windows(of: pool.geometry)
    default: return nil
    }
  }

  private static func windows(of geometry: PoolingGeometry) -> [Window]? {
    guard geometry.axisCount == 2 else { return nil }
    return (0..<2).map {
      Window(
        size: geometry.window[$0], stride: geometry.stride[$0], padding: geometry.padBegin[$0],
        dilation: 1)
    }
  }
}
