import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension ONNXOperators {
  /// The same elements in other shapes, and sizes as values.
  static var shape: [ONNXOperator] {
    [
      ONNXOperator("Constant", constant),
      ONNXOperator("ConstantOfShape") { call in
        let shape = try call.sizes(0, "shape")
        guard let attribute = call.node.attributes["value"] else { return .filled(0, shape) }
        guard case .tensor(let value) = attribute, value.count == 1 else {
          throw ONNXRefusal("its value is no tensor of one element")
        }
        return Tensor.constant(value.reshaped([])).broadcast(to: try checked(shape))
      },
      ONNXOperator("Shape") { call in
        ONNXValue(try shapeSizes(call)).tensor
      },
      ONNXOperator("Size") { .integer(try $0(0).type.count) },
      ONNXOperator("Reshape", reshaped),
      ONNXOperator("Flatten") { call in
        let x = try call(0)
        let given = try call.integer("axis", 1)
        let axis = given < 0 ? given + x.rank : given
        guard (0...x.rank).contains(axis) else {
          throw ONNXRefusal("axis \(given) of a tensor of \(x.rank) axes")
        }
        let parts = [x.shape.prefix(axis), x.shape.dropFirst(axis)]
        return x.reshaped(parts.map { $0.reduce(1) { $0 * $1 } })
      },
      ONNXOperator("Squeeze") { call in
        let x = try call(0)
        let axes = try call.integers("axes", orInput: 1)
        return x.squeezed(try axes?.map { try call.axis($0, of: x.rank) })
      },
      ONNXOperator("Unsqueeze") { call in
        let x = try call(0)
        let given = try call.integers("axes", orInput: 1) ?? []
        let rank = x.rank + given.count
        let axes = Set(try given.map { try call.axis($0, of: rank) })
        guard axes.count == given.count else { throw ONNXRefusal("an axis is named twice") }
        var sizes = x.shape[...]
        let target = (0..<rank).map { axes.contains($0) ? 1 : sizes.popFirst() ?? 1 }
        return x.reshaped(target)
      },
      ONNXOperator("Transpose") { try $0(0).transposed(try $0.integers("perm")) },
      ONNXOperator("Expand") { call in
        let x = try call(0)
        let wanted = try call.sizes(1, "shape")
        let rank = max(x.rank, wanted.count)
        let own = Shape(repeating: 1, count: rank - x.rank) + x.shape
        let other = Shape(repeating: 1, count: rank - wanted.count) + wanted
        return x.broadcast(to: try checked(zip(own, other).map { $1.isOne ? $0 : $1 }))
      },
      ONNXOperator("Tile") { call in
        let x = try call(0)
        let counts = try call.integers(in: 1, "repeats")
        guard counts.count == x.rank, counts.allSatisfy({ (0...(1 << 30)).contains($0) }) else {
          throw ONNXRefusal("repeats \(counts) of a tensor of \(x.rank) axes")
        }
        return x.tiled(counts)
      },
      ONNXOperator("DepthToSpace", depthToSpace),
      ONNXOperator("SpaceToDepth", spaceToDepth),
    ]
  }

  /// The part of the shape of its input that a `Shape` node asks for.
  static func shapeSizes(_ call: ONNXCall) throws -> [Size] {
    let shape = try call(0).shape
    func position(_ value: Int) -> Int {
      Swift.min(Swift.max(value < 0 ? value + shape.count : value, 0), shape.count)
    }
    let start = position(try call.integer("start", 0))
    let end = position(try call.integer("end", shape.count))
    return start < end ? Array(shape[start..<end]) : []
  }

  private static func checked(_ shape: Shape) throws -> Shape {
    if let size = shape.compactMap(\.known).first(where: { $0 < 0 || $0 > 1 << 40 }) {
      throw ONNXRefusal("a size of \(size)")
    }
    return shape
  }

  private static func constant(_ call: ONNXCall) throws -> Tensor {
    guard let attribute = call.node.attributes.values.first, call.node.attributes.count == 1 else {
      throw ONNXRefusal("it has not one value, but \(call.node.attributes.count)")
    }
    switch attribute {
    case .tensor(let array): return .constant(array)
    case .float(let value): return .constant(NDArray(scalar: value))
    case .integer(let value): return .constant(NDArray(scalar: Int64(value)))
    case .floats(let values): return .constant(NDArray(values))
    case .integers(let values): return .constant(NDArray(values.map { Int64($0) }))
    case .text, .texts: throw ONNXRefusal("its value is text")
    case .other(let what): throw ONNXRefusal("its value cannot be read: \(what)")
    }
  }

  private static func reshaped(_ call: ONNXCall) throws -> Tensor {
    let x = try call(0)
    var target = try call.sizes(1, "shape")
    let keepsZeros = try call.flag("allowzero")
    for axis in target.indices where target[axis].isZero && !keepsZeros {
      guard axis < x.rank else {
        throw ONNXRefusal("its shape copies axis \(axis) of a tensor of \(x.rank) axes")
      }
      target[axis] = x.shape[axis]
    }
    let open = target.indices.filter { target[$0].known == -1 }
    guard open.count <= 1 else { throw ONNXRefusal("its shape leaves two sizes open") }
    if let axis = open.first {
      target[axis] = 1
      let rest = try checked(target).reduce(Size(1)) { $0 * $1 }
      guard !rest.isZero else { throw ONNXRefusal("its shape leaves a size open beside a 0") }
      target[axis] = x.type.count / rest
    }
    return x.reshaped(try checked(target))
  }

  private static func block(_ call: ONNXCall) throws -> (x: Tensor, size: Int) {
    let (x, size) = (try call(0), try call.integer("blocksize", 0))
    guard x.rank == 4, (1...4096).contains(size) else {
      throw ONNXRefusal("blocks of \(size) of a tensor of \(x.rank) axes")
    }
    return (x, size)
  }

  private static func depthToSpace(_ call: ONNXCall) throws -> Tensor {
    let (x, size) = try block(call)
    let (b, shape) = (Size(size), x.shape)
    let channels = shape[1] / (b * b)
    let target = [shape[0], channels, shape[2] * b, shape[3] * b]
    guard try call.text("mode", "DCR") == "CRD" else {
      return x.reshaped([shape[0], b, b, channels, shape[2], shape[3]])
        .transposed([0, 3, 4, 1, 5, 2]).reshaped(target)
    }
    return x.reshaped([shape[0], channels, b, b, shape[2], shape[3]])
      .transposed([0, 1, 4, 2, 5, 3]).reshaped(target)
  }

  private static func spaceToDepth(_ call: ONNXCall) throws -> Tensor {
    let (x, size) = try block(call)
    let (b, shape) = (Size(size), x.shape)
    return x.reshaped([shape[0], shape[1], shape[2] / b, b, shape[3] / b, b])
      .transposed([0, 3, 5, 1, 2, 4])
      .reshaped([shape[0], shape[1] * b * b, shape[2] / b, shape[3] / b])
  }
}
