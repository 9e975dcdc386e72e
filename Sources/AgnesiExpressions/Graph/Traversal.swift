import AgnesiLoops

// Walks over graphs. All with explicit stacks: graphs are deep.

extension Sequence<Tensor> {
  /// All nodes that these tensors are made of, operands first; each once. The walk does not go
  /// beyond `boundary`, whose nodes are not listed.
  package func topologicalNodes(stoppingAt boundary: Set<Tensor> = []) -> [Node] {
    let stops = Set(boundary.map(\.node))
    var order: [Node] = []
    var seen: Set<Node> = []
    var stack: [(node: Node, next: Int)] = []
    func push(_ node: Node) {
      if !stops.contains(node), seen.insert(node).inserted { stack.append((node, 0)) }
    }
    for root in self {
      push(root.node)
      while let (node, next) = stack.last {
        if next < node.operands.count {
          stack[stack.count - 1].next += 1
          push(node.operands[next].node)
        } else {
          stack.removeLast()
          order.append(node)
        }
      }
    }
    return order
  }

  /// How often each tensor is read: by nodes that these are made of, and as one of these.
  package func useCounts() -> [Tensor: Int] {
    var counts: [Tensor: Int] = [:]
    for node in topologicalNodes() {
      for operand in node.operands { counts[operand, default: 0] += 1 }
    }
    for root in self { counts[root, default: 0] += 1 }
    return counts
  }

  /// These tensors with others put in the place of some; nodes that depend on none of them are
  /// shared, not copied. `transform` may change an operation on the way.
  package func replacing(
    _ replacements: [Tensor: Tensor], transform: ((any Operation) -> any Operation)? = nil
  ) -> [Tensor] {
    rebuilt(from: replacements) { node, new in
      transform.map { Tensor.make($0(node.operation), new.operands(of: node)) }
    }
  }
}

extension Tensor {
  /// This expression with other tensors in the place of some: a second tower with the same
  /// parameters, or an intermediate value fed from outside.
  public func replacing(_ replacements: [Tensor: Tensor]) -> Tensor {
    [self].replacing(replacements)[0]
  }

  /// The parameters with all of `tags` that this is made of, in the order in which they were
  /// created; a shared one once.
  public func parameters(_ tags: ParameterTags = []) -> [Tensor] {
    var seen: Set<Parameter> = []
    return [self].topologicalNodes().sorted { $0.serial < $1.serial }
      .flatMap(\.results)
      .filter { tensor in
        guard let parameter = tensor.parameter, parameter.tags.isSuperset(of: tags) else {
          return false
        }
        // Another tensor of the same parameter is no other parameter.
        return seen.insert(parameter).inserted
      }
  }

  /// The inputs that this is made of, in the order in which they were created.
  public var inputs: [Tensor] {
    [self].topologicalNodes().sorted { $0.serial < $1.serial }
      .filter { $0.operation is Input }.flatMap(\.results)
  }
}
