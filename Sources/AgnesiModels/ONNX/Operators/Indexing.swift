import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

extension ONNXOperators {
  /// Elements by number.
  static var indexing: [ONNXOperator] {
    [
      ONNXOperator("Gather") { call in
        let x = try call(0)
        let axis = try call.axis(try call.integer("axis", 0), of: x.rank)
        try call.checkIndices(1, in: x.shape[axis], axis: axis)
        return x.gathered(try call(1), axis: axis)
      },
      ONNXOperator("GatherElements") { call in
        let (x, indices) = (try call(0), try call(1))
        let axis = try call.axis(try call.integer("axis", 0), of: x.rank)
        guard indices.rank == x.rank else {
          throw ONNXRefusal("indices of \(indices.rank) axes into \(x.rank)")
        }
        try call.checkIndices(1, in: x.shape[axis], axis: axis)
        // Fewer indices than elements look only at the first places of the other axes.
        let seen = x.shape.indices.reduce(x) { part, other in
          let isWhole = other == axis || x.shape[other] == indices.shape[other]
          return isWhole
            ? part
            : part.split(
              sizes: [indices.shape[other], x.shape[other] - indices.shape[other]], axis: other)[0]
        }
        return seen.takenAlong(axis: axis, indices)
      },
      ONNXOperator("GatherND", gatherND),
      ONNXOperator("ScatterElements", scatterElements),
      ONNXOperator("Scatter", scatterElements),
      ONNXOperator("ScatterND", scatterND),
      ONNXOperator("OneHot", oneHotValues),
    ]
  }

  /// The position of each index in a row-major tensor of the given axes. Negative ones count from the
  /// end.
  private static func flatPosition(_ indices: [Tensor], in sizes: [Size]) -> Tensor {
    zip(indices, sizes).reduce(Tensor.constant(0, .int64)) { sum, pair in
      let (index, size) = (pair.0.cast(to: .int64), Tensor.integer(pair.1))
      return sum * size + select(index .< 0, index + size, index)
    }
  }

  /// The last axis of `indices` as tensors.
  private static func columns(_ indices: Tensor) throws -> [Tensor] {
    guard indices.rank >= 1, let count = indices.size(-1).known, (0...32).contains(count) else {
      throw ONNXRefusal("indices of shape \(indices.type)")
    }
    return indices.split(into: count, axis: -1).map { $0.squeezed([indices.rank - 1]) }
  }

  /// Checks the last axis of the indices, of which each place is for one axis.
  private static func checkColumns(_ call: ONNXCall, _ sizes: [Size], from first: Int) throws {
    guard let array = call.optional(1)?.contents, array.dtype.isInteger, !sizes.isEmpty else {
      return
    }
    let indices = array.boundedIntegers
    for column in sizes.indices {
      let own = stride(from: column, to: indices.count, by: sizes.count).map { indices[$0] }
      try call.check(own, in: sizes[column], axis: first + column)
    }
  }

  private static func gatherND(_ call: ONNXCall) throws -> Tensor {
    let (x, indices) = (try call(0), try call(1))
    let shared = try call.integer("batch_dims", 0)
    var places = try columns(indices)
    guard shared >= 0, shared < indices.rank, shared + places.count <= x.rank else {
      throw ONNXRefusal("indices \(indices.type) into \(x.type)")
    }
    try checkColumns(call, Array(x.shape[shared..<(shared + places.count)]), from: shared)
    let leading = Array(indices.shape.dropLast())
    places = (0..<shared).map { Tensor.index(leading, axis: $0) } + places
    let rows = x.shape.prefix(places.count)
    let trailing = Array(x.shape.dropFirst(places.count))
    let table = x.reshaped([rows.reduce(1) { $0 * $1 }] + trailing)
    return table.gathered(flatPosition(places, in: Array(rows)))
  }

  private static func scatterElements(_ call: ONNXCall) throws -> Tensor {
    let (x, indices, updates) = (try call(0), try call(1), try call(2))
    let axis = try call.axis(try call.integer("axis", 0), of: x.rank)
    guard indices.rank == x.rank else {
      throw ONNXRefusal("indices of \(indices.rank) axes into \(x.rank)")
    }
    try call.checkIndices(1, in: x.shape[axis], axis: axis)
    let places = x.shape.indices.map { other in
      other == axis ? indices : Tensor.index(indices.shape, axis: other)
    }
    let position = flatPosition(places, in: x.shape).flattened()
    return try scattered(x.flattened(), position, updates.flattened(), call).reshaped(x.shape)
  }

  private static func scatterND(_ call: ONNXCall) throws -> Tensor {
    let (x, indices, updates) = (try call(0), try call(1), try call(2))
    let places = try columns(indices)
    guard places.count <= x.rank else {
      throw ONNXRefusal("indices \(indices.type) into \(x.type)")
    }
    try checkColumns(call, Array(x.shape.prefix(places.count)), from: 0)
    let rows = Array(x.shape.prefix(places.count))
    let trailing = Array(x.shape.dropFirst(places.count))
    let position = flatPosition(places, in: rows).flattened()
    let table = x.reshaped([rows.reduce(1) { $0 * $1 }] + trailing)
    let new = updates.reshaped(position.shape + trailing)
    return try scattered(table, position, new, call).reshaped(x.shape)
  }

  /// `table` with rows replaced, or added to. Where rows are replaced, ONNX names each once.
  private static func scattered(
    _ table: Tensor, _ position: Tensor, _ updates: Tensor, _ call: ONNXCall
  ) throws -> Tensor {
    switch try call.text("reduction", "none") {
    case "add": return table.scatterAdded(position, updates)
    case "none":
      let isBool = table.dtype == .bool
      let (old, new) = isBool ? (table.cast(to: .int8), updates.cast(to: .int8)) : (table, updates)
      let sums = Tensor.zeros(like: old).scatterAdded(position, new)
      let counts = Tensor.filled(0, old.shape, .int32)
        .scatterAdded(position, .filled(1, new.shape, .int32))
      let result = select(counts .> 0, sums, old)
      return isBool ? result.cast(to: .bool) : result
    case let other: throw ONNXRefusal("the reduction \"\(other)\" is not supported")
    }
  }

  private static func oneHotValues(_ call: ONNXCall) throws -> Tensor {
    let (indices, values) = (try call(0), try call(2))
    let depth = try call.integer(in: 1, "depth")
    guard (1...(1 << 31)).contains(depth) else { throw ONNXRefusal("its depth is \(depth)") }
    let axis = try call.axis(try call.integer("axis", -1), of: indices.rank + 1)
    let number = indices.cast(to: .int64)
    let place = select(number .< 0, number + depth, number).expanded(axis: axis)
    var shape = indices.shape
    shape.insert(Size(depth), at: axis)
    let isHot = Tensor.index(shape, axis: axis) .== place
    let (off, on) = (values.split(into: 2)[0], values.split(into: 2)[1])
    return select(isHot, on.reshaped([]), off.reshaped([]))
  }
}
