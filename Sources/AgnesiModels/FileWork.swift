import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// The computing that a file asks for, against what its inputs and weights can explain.
///
/// Networks compute some thousand elements for each element that goes into them, and multiply each
/// weight by some tens of elements for each input: a convolution uses its kernels at every place. A file
/// that asks for far more, such as for a one-hot vector of 2³⁰ places, would keep a machine busy for
/// minutes although nobody handed it anything. Names of sizes count as 1: what they stand for is up to
/// whoever calls.
struct FileWork {
  /// What every file may compute: some seconds on one core.
  private static let freeElements = 1 << 30
  private static let elementsOfEach = 1 << 14
  private static let freeProducts = 1 << 38
  private static let productsOfEachPair = 1 << 6

  private var inputs = 0
  private var weights = 0
  private var elements = 0
  private var products = 0

  /// An input of the graph.
  mutating func addInput(_ type: TensorType) { inputs = inputs.saturatingSum(type.leastCount) }

  /// Numbers that the file brings along.
  mutating func addWeights(_ count: Int) { weights = weights.saturatingSum(count) }

  /// Adds the work of nodes.
  ///
  /// - Returns: what is out of all proportion, as the end of a sentence; nil where nothing is.
  mutating func excess(adding nodes: [Node]) -> String? {
    var pending = nodes
    while let node = pending.popLast() {
      if let composite = node.operation as? Composite {
        pending += composite.body.outputs.topologicalNodes()
      } else if !node.isLeaf {
        elements = elements.saturatingSum(node.elementWork)
        products = products.saturatingSum(node.productWork)
      }
    }
    let mostElements = Self.freeElements.saturatingSum(
      inputs.saturatingSum(weights).saturatingProduct(Self.elementsOfEach))
    if elements > mostElements { return text(elements, "elements", mostElements) }
    let mostProducts = Self.freeProducts.saturatingSum(
      inputs.saturatingProduct(weights).saturatingProduct(Self.productsOfEachPair))
    return products > mostProducts ? text(products, "products", mostProducts) : nil
  }

  private func text(_ count: Int, _ what: String, _ most: Int) -> String {
    let found = count == .max ? "more than 2⁶² \(what)" : "\(count) \(what)"
    return "up to here \(found) are computed, a file with inputs of \(inputs) elements and "
      + "\(weights) weights may ask for \(most)"
  }
}

extension Node {
  /// Whether the node computes nothing.
  fileprivate var isLeaf: Bool {
    operation is Input || operation is ParameterLeaf || operation is CallNumber
  }

  /// Elements that are computed or looked at.
  fileprivate var elementWork: Int {
    let own = types.reduce(0) { $0.saturatingSum($1.leastCount) }
    let looks = (operation as? any LooksAtMany)?.looks(at: operands.map(\.type)) ?? 1
    return own.saturatingProduct(max(1, looks))
  }

  /// Multiplications of matrices and convolutions.
  fileprivate var productWork: Int {
    guard let operation = operation as? any CountsWork else { return 0 }
    let count = operation.multiplyAdds(of: operands.map(\.type))
    return max(0, count.leastValue ?? .max)
  }
}
