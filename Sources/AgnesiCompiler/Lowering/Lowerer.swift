import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Turns a rewritten graph into kernels: decides what is computed where.
///
/// Walks the nodes once. Elementwise functions and views become descriptions, which compose; a
/// description becomes memory where fusing it further would repeat work: several users, a library
/// call, or a product that reads each element many times.
package struct Lowerer {
  private let program: GraphProgram
  private let library: any LibraryTable
  private var result = LoweredProgram()
  private var values: [Tensor: Value] = [:]
  private var users: [Tensor: Int] = [:]
  private var drafts: [Draft] = []
  private var callNumberBuffer: BufferID?

  /// A step before fusion.
  enum Draft {
    case nest(Nest)
    case step(Step)
  }

  /// A description of at most this many operations is repeated rather than stored.
  private static let cheap = 2
  /// A description of more operations is stored: nests grow no longer than this, however long the
  /// chain of elementwise functions.
  private static let long = 300

  package init(_ program: GraphProgram, library: any LibraryTable) {
    self.program = program
    self.library = library
  }

  package static func lower(
    _ program: GraphProgram, library: any LibraryTable
  ) -> LoweredProgram {
    var lowerer = Lowerer(program, library: library)
    lowerer.run()
    return lowerer.result
  }

  private mutating func run() {
    let order = program.roots.topologicalNodes()
    for node in order { for operand in node.operands { users[operand, default: 0] += 1 } }
    for root in program.roots { users[root, default: 0] += 1 }
    for node in order { lower(node) }
    storeOutputs()
    let updated = storeUpdates()
    let wanted = Set(updated.map(\.value))
    let isKept = { [buffers = result.buffers] (id: BufferID) in
      if case .temporary = buffers[id.index].kind { return wanted.contains(id) }
      return true
    }
    drafts = NestFusion.fuse(drafts)
    drafts = NestFusion.withoutUnread(drafts, isKept: isKept)
    drafts = NestFusion.absorbing(drafts, isKept: isKept)
    for draft in drafts { result.steps += steps(draft) }
    result.moveLast(updated.map(\.value))
    result.placeUpdates(updated)
  }

  // MARK: Nodes

  private mutating func lower(_ node: Node) {
    switch node.operation {
    case is Input, is ParameterLeaf, is CallNumber: lowerLeaf(node)
    case let constant as Constant: lowerConstant(constant, node)
    default:
      if library.takes(node) { lowerCall(node) } else { lowerLoops(node) }
    }
  }

  private mutating func lowerLeaf(_ node: Node) {
    let tensor = node.results[0]
    let kind: BufferInfo.Kind
    if let parameter = tensor.parameter {
      kind = .parameter(parameter)
    } else if node.operation is CallNumber {
      kind = .callNumber
    } else if let position = program.inputs.firstIndex(of: tensor) {
      kind = .input(position)
    } else {
      internalError("input \(tensor) is not one of the program")
    }
    values[tensor] = .memory(allocate(tensor.type, kind), StridedView(contiguous: tensor.shape))
  }

  private mutating func lowerConstant(_ constant: Constant, _ node: Node) {
    let tensor = node.results[0]
    if let lowering = constant.lowering([], node.types), case .pull(let pull) = lowering {
      values[tensor] = .described(
        .init(shape: tensor.shape, read: { pull($0, []) }, cost: 0, reduction: nil))
    } else {
      let buffer = allocate(tensor.type, .constant(constant.array))
      values[tensor] = .memory(buffer, StridedView(contiguous: tensor.shape))
    }
  }

  /// What the backend takes: operands in memory that it accepts, results in new memory.
  private mutating func lowerCall(_ node: Node) {
    let operands = node.operands.enumerated().map { position, operand -> LibraryCall.Operand in
      var memory = inMemory(operand)
      if !library.accepts(memory.view, for: node, operand: position) {
        memory = copied(operand)
      }
      return .init(buffer: memory.buffer, view: memory.view, dtype: operand.dtype)
    }
    let results = node.results.map { tensor -> LibraryCall.Operand in
      let buffer = allocate(tensor.type, .temporary)
      let view = StridedView(contiguous: tensor.shape)
      values[tensor] = .memory(buffer, view)
      return .init(buffer: buffer, view: view, dtype: tensor.dtype)
    }
    let call = LibraryCall(node: node, operands: operands, results: results)
    let work = library.kernel(for: node).map(Step.Work.text) ?? .call(call)
    drafts.append(
      .step(
        Step(
          work: work, arguments: (operands + results).map(\.buffer),
          written: Set(results.map(\.buffer)), label: node.operation.label,
          location: node.location)))
  }

  private mutating func lowerLoops(_ node: Node) {
    let types = node.operands.map(\.type)
    guard let lowering = node.operation.lowering(types, node.types) else {
      internalError("\(node.operation.label) has no lowering and no backend takes it")
    }
    let tensor = node.results[0]
    switch lowering {
    case .elementwise(let function): lowerElementwise(node, function)
    case .view(let view, let pull): lowerView(node, view, pull)
    case .pull(let pull):
      let readers = node.operands.map { reader($0) }
      describe(
        tensor, read: { pull($0, readers.map(\.read)) },
        cost: readers.reduce(1) { $0 + $1.cost })
    case .reduce(let combiner, let domain, let body):
      lowerReduce(node, combiner, domain, body)
    case .loops(let body): lowerOwnLoops(node, body)
    }
  }

  private mutating func lowerElementwise(_ node: Node, _ function: @escaping ([Scalar]) -> Scalar) {
    let tensor = node.results[0]
    var reduction: Value.Reduction?
    var readers: [Value.Description] = []
    for operand in node.operands {
      var description = self.description(operand, keepsReduction: reduction == nil)
      if description.reduction != nil {
        reduction = description.reduction
        description.reduction = nil
      }
      readers.append(description)
    }
    let cost = readers.reduce(node.operation.elementCost) { $0 + $1.cost }
    describe(
      tensor, read: { index in function(readers.map { $0.read(index) }) }, cost: cost,
      reduction: reduction)
  }

  private mutating func lowerView(
    _ node: Node, _ view: (StridedView) -> StridedView?,
    _ pull: @escaping ([Scalar], Reader) -> Scalar
  ) {
    let (operand, tensor) = (node.operands[0], node.results[0])
    let plain = view(StridedView(contiguous: operand.shape))
    if case .described(let description) = values[operand] {
      let isCostly = description.cost > Self.cheap || description.reduction != nil
      // Repeating costly elements along new axes would compute them again and again, and the index
      // arithmetic of a reshape in the middle of a formula costs more than the memory.
      let repeats = plain.map { $0.repeatsElements && !operand.type.count.isOne } ?? false
      let reshapes = plain.map { $0.isContiguous && description.cost > 0 } ?? false
      if reshapes || (repeats && isCostly) { _ = inMemory(operand) }
    }
    if case .memory(let buffer, let source) = values[operand] {
      if let seen = view(source) {
        values[tensor] = .memory(buffer, seen)
        return
      }
      if plain?.isContiguous ?? false {
        let copy = copied(operand)
        if let seen = view(copy.view) {
          values[tensor] = .memory(copy.buffer, seen)
          return
        }
      }
    }
    let source = reader(operand)
    describe(tensor, read: { pull($0, source.read) }, cost: source.cost)
  }

  private mutating func lowerReduce(
    _ node: Node, _ combiner: Combiner, _ domain: Shape,
    _ body: @escaping ([Scalar], [Scalar], [Reader]) -> Scalar
  ) {
    let tensor = node.results[0]
    // A plain reduction reads each element once; a contraction many times.
    let reads = domain.reduce(tensor.type.count) { $0 * $1 }
    let readers = node.operands.map { operand -> Value.Description in
      let isRepeated = reads != operand.type.count && reader(operand).cost > 1
      if isRepeated || mixesOrders(operand) { _ = inMemory(operand) }
      return reader(operand)
    }
    let (index, inner) = (Nest.variables(tensor.shape), Nest.reductionVariables(domain))
    var value = body(index, inner, readers.map(\.read))
    if combiner == .sum,
      let arranged = arrangedProduct(node, value, readers, { body(index, inner, $0) })
    {
      value = arranged
    }
    let reduction = Value.Reduction(
      combiner: combiner, domain: domain, value: value,
      cost: readers.reduce(1) { $0 + $1.cost })
    let dtype = tensor.dtype.computed
    describe(tensor, read: { _ in .local(0, dtype) }, cost: 1, reduction: reduction)
  }

  /// Whether a formula reads memory along different axes, element beside element: a store goes through it in
  /// squares, which a reduction does not.
  private func mixesOrders(_ tensor: Tensor) -> Bool {
    guard case .described(let description) = values[tensor], description.reduction == nil else {
      return false
    }
    let names = zip(tensor.shape.indices, tensor.shape).filter { !$1.isOne }.map { "_i\($0.0)" }
    let loads = [description.read(Nest.variables(tensor.shape))].reachable().compactMap { scalar in
      if case .load(_, let index) = scalar.kind { index } else { nil as Scalar? }
    }
    let fastest = loads.compactMap { index in
      names.last { index.stride(along: $0)?.isOne == true }.map { (index: index, axis: $0) }
    }
    return fastest.contains { one in
      fastest.contains { other in
        one.axis != other.axis && one.index.symbols.contains(other.axis)
          && other.index.symbols.contains(one.axis)
      }
    }
  }

  /// A product of matrices with its factors stored again where tiles read them better so; nil where
  /// nothing is gained.
  private mutating func arrangedProduct(
    _ node: Node, _ value: Scalar, _ readers: [Value.Description], _ body: ([Reader]) -> Scalar
  ) -> Scalar? {
    guard let factors = ProductFactors(node, value, library) else { return nil }
    // What the left factor reads may stop a tile: then storing the right one is in vain.
    let candidate = body([readers[0].read, factors.right.reader(.scratch(0), value.dtype)])
    guard factors.isTiled(candidate) else { return nil }
    let isStored = (left: factors.storesLeft, right: factors.storesRight)
    if !isStored.left, !isStored.right { return nil }
    var reads = readers.map(\.read)
    if isStored.left { reads[0] = packed(node.operands[0], factors.left) }
    if isStored.right { reads[1] = packed(node.operands[1], factors.right) }
    return body(reads)
  }

  /// A matrix stored in panels, as a kernel of its own.
  private mutating func packed(_ tensor: Tensor, _ panels: Panels) -> Reader {
    let source = reader(tensor)
    let description = Value.Description(
      shape: panels.shape, read: { panels.element(at: $0, of: source.read) },
      cost: source.cost, reduction: nil)
    let (buffer, _) = store(description, of: tensor, remember: false, label: "pack")
    return panels.reader(.argument(buffer.index), tensor.dtype.computed)
  }

  private mutating func lowerOwnLoops(_ node: Node, _ body: (LoopContext) -> [Statement]) {
    var arguments: [BufferID] = []
    var kinds: [Kernel.Argument] = []
    func memory(_ buffer: BufferID, _ view: StridedView, _ dtype: DType, isWritten: Bool)
      -> LoopContext.Memory
    {
      arguments.append(buffer)
      kinds.append(.init(dtype, isWritten: isWritten))
      return .init(buffer: .argument(arguments.count - 1), view: view, dtype: dtype)
    }
    let operands = node.operands.map { operand -> LoopContext.Memory in
      let source = inMemory(operand)
      return memory(source.buffer, source.view, operand.dtype, isWritten: false)
    }
    let results = node.results.map { tensor -> LoopContext.Memory in
      let buffer = allocate(tensor.type, .temporary)
      let view = StridedView(contiguous: tensor.shape)
      values[tensor] = .memory(buffer, view)
      return memory(buffer, view, tensor.dtype, isWritten: true)
    }
    let isUsed = node.results.map { users[$0] != nil }
    let statements = body(LoopContext(operands: operands, results: results, isUsed: isUsed))
    let kernel = Kernel(name: "", arguments: kinds, body: statements)
    let total = node.types.reduce(Size(0)) { $0 + $1.count } * 16
    drafts.append(
      .step(
        Step(
          work: .kernel(kernel, cost: total / (kernel.parallelExtent ?? 1)), arguments: arguments,
          written: Set(arguments.suffix(results.count)), label: node.operation.label,
          location: node.location)))
  }

  // MARK: Values

  private mutating func describe(
    _ tensor: Tensor, read: @escaping Reader, cost: Int, reduction: Value.Reduction? = nil
  ) {
    let description = Value.Description(
      shape: tensor.shape, read: read, cost: cost, reduction: reduction)
    values[tensor] = .described(description)
    let isShared = (users[tensor] ?? 0) > 1
    if isShared && (cost > Self.cheap || reduction != nil) || cost > Self.long {
      _ = inMemory(tensor)
    }
  }

  /// How to read a tensor's elements inside another kernel.
  private mutating func reader(_ tensor: Tensor) -> Value.Description {
    description(tensor, keepsReduction: false)
  }

  private mutating func description(_ tensor: Tensor, keepsReduction: Bool) -> Value.Description {
    guard let value = values[tensor] else { internalError("\(tensor) used before it is lowered") }
    if case .described(let description) = value, description.reduction == nil || keepsReduction {
      return description
    }
    let (buffer, view) = inMemory(tensor)
    let dtype = tensor.dtype.computed
    let argument = Buffer.argument(buffer.index)
    return .init(
      shape: tensor.shape, read: { .load(argument, view.position($0), dtype) }, cost: 1,
      reduction: nil)
  }

  /// The tensor in memory, stored by a kernel of its own if it is not there yet.
  private mutating func inMemory(_ tensor: Tensor) -> (buffer: BufferID, view: StridedView) {
    guard let value = values[tensor] else { internalError("\(tensor) used before it is lowered") }
    switch value {
    case .memory(let buffer, let view): return (buffer, view)
    case .described(let description): return store(description, of: tensor)
    }
  }

  /// The tensor's elements in new contiguous memory.
  private mutating func copied(_ tensor: Tensor) -> (buffer: BufferID, view: StridedView) {
    store(reader(tensor), of: tensor, remember: false)
  }

  @discardableResult
  private mutating func store(
    _ description: Value.Description, of tensor: Tensor, remember: Bool = true,
    kind: BufferInfo.Kind = .temporary, label: String? = nil
  ) -> (buffer: BufferID, view: StridedView) {
    let shape = description.shape
    let buffer = allocate(TensorType(tensor.dtype, shape), kind)
    let view = StridedView(contiguous: shape)
    let value = description.read(Nest.variables(shape))
    let store = Nest.Store(buffer: buffer, dtype: tensor.dtype, value: value)
    drafts.append(
      .nest(
        Nest(
          domain: shape, reductions: description.reduction.map { [$0] } ?? [],
          stores: [store], cost: description.cost, label: label ?? tensor.node.operation.label,
          location: tensor.node.location)))
    if remember { values[tensor] = .memory(buffer, view) }
    return (buffer, view)
  }

  private mutating func allocate(_ type: TensorType, _ kind: BufferInfo.Kind) -> BufferID {
    result.buffers.append(
      BufferInfo(dtype: type.dtype, count: type.count, kind: kind, shape: type.shape))
    return BufferID(index: result.buffers.count - 1)
  }

  // MARK: Results

  private mutating func storeOutputs() {
    for (position, tensor) in program.outputs.enumerated() {
      if case .memory(let buffer, let view) = values[tensor], view.isContiguous,
        view.shape == tensor.shape, case .temporary = result.buffers[buffer.index].kind,
        result.buffers[buffer.index].count == tensor.type.count
      {
        // It is in memory of its own: the caller gets that.
        result.buffers[buffer.index].kind = .output(position)
        result.outputs.append(buffer)
        continue
      }
      let description = self.description(tensor, keepsReduction: true)
      let stored = store(description, of: tensor, remember: false, kind: .output(position))
      result.outputs.append(stored.buffer)
    }
  }

  private mutating func storeUpdates() -> [(parameter: Parameter, value: BufferID)] {
    program.updates.map { update in
      let description = self.description(update.value, keepsReduction: true)
      let stored = store(description, of: update.value, remember: false)
      return (update.parameter, stored.buffer)
    }
  }

  private mutating func steps(_ draft: Draft) -> [Step] {
    switch draft {
    case .step(let step): return [step]
    case .nest(let nest):
      let stages = nest.stages(tile: library.tile) { reduction, count in
        result.buffers.append(BufferInfo(dtype: reduction.dtype, count: count, kind: .temporary))
        return BufferID(index: result.buffers.count - 1)
      }
      return stages.map { NestLoops($0, buffers: result.buffers, library: library).step() }
    }
  }
}

extension StridedView {
  /// Whether several indices are one element.
  fileprivate var repeatsElements: Bool {
    shape.indices.contains { strides[$0].isZero && !shape[$0].isOne }
  }
}
