import AgnesiLoops

/// The part of a network's input that one element sees, padding included.
public struct ReceptiveField: Hashable, Sendable {
  package var rows: Span
  package var columns: Span

  /// Rows of the input.
  public var height: Int { rows.size }
  /// Columns of the input.
  public var width: Int { columns.size }
  /// Rows of the input between what neighbouring elements see; below 1 behind an enlarging layer, 0
  /// where all see the same.
  public var verticalStep: Double { rows.step }
  /// Columns, likewise.
  public var horizontalStep: Double { columns.step }

  /// One direction: place `p` of an axis sees no pixels but `step · p + first ... step · p + last`.
  package struct Span: Hashable, Sendable {
    package var step: Double
    package var first: Double
    package var last: Double
    /// How much of that no single place sees: behind an enlarging layer, places see ranges that begin
    /// between those of their neighbours.
    var slack = 0.0

    var size: Int { Int((last - first + 1 - slack).rounded(.up)) }

    /// What windows of `size` points, `dilation` places of this span apart, see.
    func seen(by size: Int, stride: Int, padding: Int, dilation: Int) -> Span {
      var result = self
      result.step = step * Double(stride)
      result.first = first - step * Double(padding)
      result.last = last + step * Double((size - 1) * dilation - padding)
      return result
    }

    /// What the places of an axis that is `factor` times as long see, each of which gets its value from
    /// those whose kernels of `size` points, `padding` of which are cut off, spread to it.
    func enlarged(by factor: Int, size: Int, padding: Int = 0) -> Span {
      var result = self
      let reached = (size + factor - 1) / factor
      result.step = step / Double(factor)
      result.first = first + result.step * Double(padding - size + 1)
      result.last = last + result.step * Double(padding)
      result.slack = slack + result.step * Double(size - 1) - step * Double(max(reached, 1) - 1)
      return result
    }

    func joined(_ other: Span) -> Span? {
      guard step == other.step else { return nil }
      return Span(
        step: step, first: min(first, other.first), last: max(last, other.last),
        slack: min(slack, other.slack))
    }

    /// The pixels of an axis of `size` that the place sees, those of them that exist.
    package func range(at place: Int, of size: Int) -> Range<Int> {
      let middle = step * Double(place)
      let low = min(max(Int((middle + first).rounded(.down)), 0), size - 1)
      let high = min(max(Int((middle + last).rounded(.up)), low), size - 1)
      return low..<(high + 1)
    }
  }
}

extension ReceptiveField: CustomStringConvertible {
  /// `14×14, step 4`
  public var description: String {
    let size = "\(height)×\(width)"
    if verticalStep == 0, horizontalStep == 0 { return size }
    let step = Self.text(verticalStep)
    let both =
      verticalStep == horizontalStep ? step : "\(step)×\(Self.text(horizontalStep))"
    return "\(size), step \(both)"
  }

  private static func text(_ step: Double) -> String {
    step == step.rounded() ? String(Int(step)) : String(step)
  }
}

/// The receptive fields of a graph's tensors, found without running it.
///
/// - Source: Araujo et al., *Computing receptive fields of convolutional neural networks*, 2019; here
///   with the places of fields beside their sizes, over graphs instead of lists of layers, and with
///   enlarging operations.
package struct ReceptiveFields {
  private let everything: ReceptiveField?
  private var sights: [Tensor: Sight] = [:]

  /// What is known of a tensor that depends on the input.
  private enum Sight {
    case field(ReceptiveField)
    /// Elements see all of the input, or parts of it that differ from element to element.
    case everything
    case unknown
  }

  /// - Parameter input: images, `[batch, channels, height, width]`; all else has no fields.
  package init(in input: Tensor) {
    guard input.rank == 4 else {
      everything = nil
      sights[input] = .unknown
      return
    }
    let point = ReceptiveField.Span(step: 1, first: 0, last: 0)
    sights[input] = .field(.init(rows: point, columns: point))
    if let height = input.shape[2].known, let width = input.shape[3].known {
      func whole(_ size: Int) -> ReceptiveField.Span {
        .init(step: 0, first: 0, last: Double(size - 1))
      }
      everything = ReceptiveField(rows: whole(height), columns: whole(width))
    } else {
      everything = nil
    }
  }

  /// Nil where the input is no image or of unknown size, where the tensor does not depend on it, or
  /// where an operation on the way looks at elements in an order of its own.
  package subscript(_ tensor: Tensor) -> ReceptiveField? {
    guard let everything else { return nil }
    switch sights[tensor] {
    case .field(let field): return field
    case .everything: return everything
    case .unknown, nil: return nil
    }
  }

  /// Takes operations into account, which come after those of their operands.
  package mutating func add(_ nodes: [Node]) {
    for node in nodes where !node.operands.isEmpty {
      let operands = node.operands.map { sights[$0] }
      if operands.allSatisfy({ $0 == nil }) { continue }
      let results = Self.results(of: node, operands)
      for (tensor, sight) in zip(node.results, results) where sights[tensor] == nil {
        sights[tensor] = sight
      }
    }
  }

  /// Nil for results that do not depend on the input.
  private static func results(of node: Node, _ operands: [Sight?]) -> [Sight?] {
    // Neighbouring channels at one place, though its body puts the places in a row.
    if node.results[0].isKind("localResponseNormalized") { return [operands[0]] }
    if let composite = node.operation as? Composite, composite.compositeName != "upsampled2D" {
      return results(of: composite, operands)
    }
    let sight: Sight
    if operands.contains(where: { if case .unknown? = $0 { true } else { false } }) {
      sight = .unknown
    } else if operands.contains(where: { if case .everything? = $0 { true } else { false } }) {
      sight = .everything
    } else {
      sight = Self.sight(of: node, operands)
    }
    return node.results.map { _ in sight }
  }

  /// What a composite's body says; that of inference where it has one, since statistics of a
  /// mini-batch are not what an element is said to see.
  private static func results(of composite: Composite, _ operands: [Sight?]) -> [Sight?] {
    let body = composite.inferenceBody ?? composite.body
    var inside = ReceptiveFields()
    for (input, sight) in zip(body.inputs, operands) { inside.sights[input] = sight }
    inside.add(body.outputs.topologicalNodes())
    return body.outputs.map { inside.sights[$0] }
  }

  private init() { everything = nil }
}

// MARK: - Operations

extension ReceptiveFields {
  /// What an operation makes of windows.
  private static func sight(of node: Node, _ operands: [Sight?]) -> Sight {
    let seen = operands.compactMap { sight -> ReceptiveField? in
      if case .field(let field)? = sight { field } else { nil }
    }
    guard let first = seen.first else { return .unknown }
    if let convolution = node.convolution {
      return windows(of: convolution, first, isAlone: seen.count == 1)
    }
    if let pooling = node.pooling { return windows(of: pooling.geometry, first) }
    switch node.operation {
    case let composite as Composite: return upsampled(composite, first)
    case is MatMul: return .everything
    case let reduce as Reduce: return reduced(reduce, node, first)
    case is Reshape:
      return keepsPlaces(node) ? .field(first) : .everything
    case is Transpose, is Sort, is TopK, is Gather, is ScatterAdd, is TakeAlongAxis,
      is ScatterAlongAxis, is CumulativeSum, is ArgReduce:
      return .unknown
    case let slice as Slice: return sliced(slice, node, first)
    case let pad as Pad: return padded(pad, node, first)
    default:
      return keepsPlaces(node) ? joined(seen) : .unknown
    }
  }

  /// Whether the result and all operands that are images have the same rows and columns.
  private static func keepsPlaces(_ node: Node) -> Bool {
    guard node.types[0].rank == 4 else { return false }
    let places = Array(node.types[0].shape.suffix(2))
    return node.operands.allSatisfy { operand in
      operand.rank != 4 || Array(operand.shape.suffix(2)) == places || operand.inputs.isEmpty
    }
  }

  private static func joined(_ seen: [ReceptiveField]) -> Sight {
    var result = seen[0]
    for other in seen.dropFirst() {
      guard let rows = result.rows.joined(other.rows),
        let columns = result.columns.joined(other.columns)
      else { return .unknown }
      result = ReceptiveField(rows: rows, columns: columns)
    }
    return .field(result)
  }

  private static func windows(
    of convolution: ConvolutionDescription, _ field: ReceptiveField, isAlone: Bool
  ) -> Sight {
    let geometry = convolution.geometry
    let sizes = convolution.kernelSize.compactMap(\.known)
    // Kernels that depend on the input see what they see besides.
    guard isAlone, geometry.axisCount == 2, sizes.count == 2, convolution.kind != .backwardWeights
    else {
      return .unknown
    }
    func span(_ span: ReceptiveField.Span, _ axis: Int) -> ReceptiveField.Span {
      if convolution.kind == .backwardData {
        return span.enlarged(
          by: geometry.stride[axis], size: (sizes[axis] - 1) * geometry.dilation[axis] + 1,
          padding: geometry.padBegin[axis])
      }
      return span.seen(
        by: sizes[axis], stride: geometry.stride[axis], padding: geometry.padBegin[axis],
        dilation: geometry.dilation[axis])
    }
    return .field(ReceptiveField(rows: span(field.rows, 0), columns: span(field.columns, 1)))
  }

  private static func windows(of geometry: PoolingGeometry, _ field: ReceptiveField) -> Sight {
    guard geometry.axisCount == 2 else { return .unknown }
    func span(_ span: ReceptiveField.Span, _ axis: Int) -> ReceptiveField.Span {
      span.seen(
        by: geometry.window[axis], stride: geometry.stride[axis],
        padding: geometry.padBegin[axis], dilation: 1)
    }
    return .field(ReceptiveField(rows: span(field.rows, 0), columns: span(field.columns, 1)))
  }

  private static func upsampled(_ composite: Composite, _ field: ReceptiveField) -> Sight {
    guard case .integers(let factors)? = composite.attributes["factors"], factors.count == 2
    else { return .unknown }
    return .field(
      ReceptiveField(
        rows: field.rows.enlarged(by: factors[0], size: factors[0]),
        columns: field.columns.enlarged(by: factors[1], size: factors[1])))
  }

  /// Over channels places stay; over rows or columns everything is seen.
  private static func reduced(_ reduce: Reduce, _ node: Node, _ field: ReceptiveField) -> Sight {
    guard node.operands[0].rank == 4 else { return .everything }
    return reduce.axes.allSatisfy { $0 < 2 } ? .field(field) : .everything
  }

  private static func sliced(_ slice: Slice, _ node: Node, _ field: ReceptiveField) -> Sight {
    guard node.operands[0].rank == 4,
      let starts = known(slice.starts.suffix(2)), slice.steps.suffix(2).allSatisfy({ $0 > 0 })
    else { return .unknown }
    let steps = Array(slice.steps.suffix(2))
    func span(_ span: ReceptiveField.Span, _ axis: Int) -> ReceptiveField.Span {
      span.seen(by: 1, stride: steps[axis], padding: -starts[axis], dilation: 1)
    }
    return .field(ReceptiveField(rows: span(field.rows, 0), columns: span(field.columns, 1)))
  }

  private static func padded(_ pad: Pad, _ node: Node, _ field: ReceptiveField) -> Sight {
    guard node.operands[0].rank == 4, let before = known(pad.before.suffix(2)),
      pad.between.suffix(2).allSatisfy({ $0 == 0 })
    else { return .unknown }
    func span(_ span: ReceptiveField.Span, _ axis: Int) -> ReceptiveField.Span {
      span.seen(by: 1, stride: 1, padding: before[axis], dilation: 1)
    }
    return .field(ReceptiveField(rows: span(field.rows, 0), columns: span(field.columns, 1)))
  }

  private static func known(_ sizes: ArraySlice<Size>) -> [Int]? {
    let known = sizes.compactMap(\.known)
    return known.count == sizes.count ? known : nil
  }
}
