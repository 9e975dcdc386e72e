import AgnesiExpressions

/// Numbers of each channel that a convolution's result is multiplied by go into its kernels, and what
/// is added stays a bias: what normalisation by running averages comes to. The image is passed over
/// once less, and the kernels are scaled only when a parameter changes.
///
///     (conv(x, w) − mean) · factor + offset   →   conv(x, w · factor) + (offset − mean · factor)
///
/// Only where nobody else reads the result on the way, and where kernels and numbers are the same for
/// all calls. Results differ by a few roundings.
package struct ScaledKernels {
  /// A convolution with what has been done to its result so far, as vectors of one number for each
  /// filter; nil is 1 and 0.
  private struct Scaled {
    var convolution: Node
    var scale: Tensor?
    var shift: Tensor?
  }

  /// What stands for a tensor of the program.
  private var forms: [Tensor: Tensor] = [:]
  /// Tensors that are not built yet, since the next node may become part of them.
  private var pending: [Tensor: Scaled] = [:]
  private var users: [Tensor: Int] = [:]
  /// Tensors that are the same for all calls with the same parameters.
  private var hoistable: Set<Tensor> = []

  /// The tensors with these kernels, or as they are where there is nothing to scale.
  package static func scaled(_ roots: [Tensor]) -> [Tensor] {
    guard roots.topologicalNodes().contains(where: { $0.convolution?.kind == .forward }) else {
      return roots
    }
    var scaling = ScaledKernels()
    return scaling.scaled(roots)
  }

  private init() {}

  private mutating func scaled(_ roots: [Tensor]) -> [Tensor] {
    users = roots.useCounts()
    roots.visitNodes { node in
      visit(node)
      if isHoistable(node) { hoistable.formUnion(node.results) }
    }
    return roots.map { form($0) }
  }

  private func isHoistable(_ node: Node) -> Bool {
    switch node.operation {
    case is Input, is CallNumber: false
    default: !node.operation.isRandom && node.operands.allSatisfy { hoistable.contains($0) }
    }
  }

  private mutating func visit(_ node: Node) {
    if node.convolution?.kind == .forward, hoistable.contains(node.operands[1]) {
      pending[node.results[0]] = Scaled(convolution: node)
    } else if let scaled = continued(node) {
      pending[node.results[0]] = scaled
    } else {
      build(node)
    }
  }

  private mutating func build(_ node: Node) {
    let results = node.applied(to: node.operands.map { form($0) })
    for (old, new) in zip(node.results, results) { forms[old] = new }
  }

  /// What `node` makes of a convolution that it alone reads.
  private mutating func continued(_ node: Node) -> Scaled? {
    guard let function = node.arithmetic else { return nil }
    for (image, other) in function == .subtract ? [(0, 1)] : [(0, 1), (1, 0)] {
      let tensor = node.operands[image]
      guard users[tensor] == 1, var scaled = pending[tensor],
        let vector = vector(node.operands[other])
      else { continue }
      switch function {
      case .multiply:
        scaled.scale = scaled.scale.map { $0 * vector } ?? vector
        scaled.shift = scaled.shift.map { $0 * vector }
      case .add: scaled.shift = scaled.shift.map { $0 + vector } ?? vector
      default: scaled.shift = scaled.shift.map { $0 - vector } ?? -vector
      }
      return scaled
    }
    return nil
  }

  /// The numbers of the channels, where a tensor repeats one for each.
  private mutating func vector(_ tensor: Tensor) -> Tensor? {
    guard hoistable.contains(tensor), let source = tensor.repeatedVector(along: 1) else {
      return nil
    }
    return form(source).reshaped([tensor.shape[1]])
  }

  private mutating func form(_ tensor: Tensor) -> Tensor {
    if let known = forms[tensor] { return known }
    guard let scaled = pending[tensor] else {
      internalError("\(tensor) used before it is arranged")
    }
    let result = SourceLocation.$inherited.withValue(tensor.node.location) { built(scaled) }
    forms[tensor] = result
    return result
  }

  private mutating func built(_ scaled: Scaled) -> Tensor {
    let node = scaled.convolution
    var operands = node.operands.map { form($0) }
    if let scale = scaled.scale {
      operands[1] = operands[1] * repeated(scale, over: operands[1].shape, axis: 0)
    }
    let image = node.applied(to: operands)[0]
    return scaled.shift.map { image + repeated($0, over: image.shape, axis: 1) } ?? image
  }

  private func repeated(_ vector: Tensor, over shape: Shape, axis: Int) -> Tensor {
    var aligned = Shape(repeating: 1, count: shape.count)
    aligned[axis] = shape[axis]
    return vector.reshaped(aligned).broadcast(to: shape)
  }
}
