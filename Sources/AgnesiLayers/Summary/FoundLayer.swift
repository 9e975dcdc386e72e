import AgnesiExpressions

/// A layer of a graph: an operation, and what follows it element by element.
struct FoundLayer {
  /// Operands first; with the leaves that they alone depend on.
  private(set) var nodes: [Node]
  private(set) var output: Tensor
  let kind: String
  private let first: String
  private var following: [String] = []

  init(_ node: Node, _ leaves: [Node]) {
    nodes = leaves + [node]
    output = node.results[0]
    (kind, first) = Self.words(for: node)
  }

  /// What it does: `64 of 7×7, stride 2, padding 3, relu`.
  var details: String {
    ([first] + following.prefix(3)).filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// The parameters' common name in parts, without their own last words; nil without parameters, or where
  /// these have numbers for names.
  var parameterPath: [String]? {
    guard let name = parameters.first?.name, !Self.isNumbered(name) else { return nil }
    let parts = Self.parts(of: name)
    return parts.count > 1 ? parts.dropLast() : parts
  }

  /// A name in parts: frameworks put dots between them, or slashes.
  private static func parts(of name: String) -> [String] {
    name.split { $0 == "." || $0 == "/" }.map(String.init)
  }

  /// Whether an exporter made a name up, as PyTorch's `onnx::Conv_321` and `17`.
  private static func isNumbered(_ name: String) -> Bool {
    name.hasPrefix("onnx::") || name.allSatisfy(\.isNumber)
  }

  private var parameters: [Parameter] { nodes.flatMap(\.parameters) }

  /// Whether an operation with these parameters may belong to this layer, as its bias does.
  func takes(_ others: [Parameter]) -> Bool {
    guard let other = others.first else { return true }
    let scope = Self.parts(of: other.name).dropLast()
    return parameterPath.map { $0.elementsEqual(scope) } ?? false
  }

  /// Whether a node is the bias of this layer although names tell nothing: the addition of one vector to
  /// what products with the only other parameter make.
  func takesBias(_ node: Node, of others: [Parameter]) -> Bool {
    guard node.operation.label == "add", node.operands.contains(output), isProduct,
      following.isEmpty, parameters.count == 1, others.count == 1, others[0].shape.count == 1
    else { return false }
    let names = [parameters[0].name, others[0].name]
    return names.allSatisfy { Self.isNumbered($0) || Self.parts(of: $0).count == 1 }
  }

  private var isProduct: Bool { nodes.contains { $0.operation is any CountsWork } }

  mutating func follow(_ node: Node, _ leaves: [Node], joins: Bool) {
    nodes += leaves + [node]
    output = node.results[0]
    if node.operation is Composite {
      following.append(node.operation.label)
    } else if joins {
      following.append(node.operation.label == "add" ? "sum" : node.operation.label)
    } else if Self.nonlinearities.contains(node.operation.label) {
      following.append(node.operation.label)
    }
  }

  private static let nonlinearities: Set<String> = ["sigmoid", "tanh", "exp", "softplus"]

  /// - Parameter dependent: the operands that depend on the network's inputs.
  static func isLayer(_ node: Node, dependent: [Tensor]) -> Bool {
    if node.pooling != nil { return true }
    switch node.operation {
    case is any CountsWork: return true
    case let composite as Composite:
      return composite.compositeName.hasSuffix("ormalized")
        || composite.compositeName == "upsampled2D"
        || composite.body.outputs.topologicalNodes().contains {
          isLayer($0, dependent: $0.operands)
        }
    default:
      switch type(of: node.operation).name {
      case "concatenate": return dependent.count > 1
      case "reduce": return dependent.first?.rank == 4 && node.types[0].rank <= 2
      default: return false
      }
    }
  }

  // MARK: Words

  private static func words(for node: Node) -> (kind: String, details: String) {
    if let convolution = node.convolution {
      let isForward = convolution.kind == .forward
      return (
        isForward ? "convolution" : "transposedConvolution",
        text(convolution.geometry, node, filters: isForward ? 0 : 1)
      )
    }
    if let pooling = node.pooling {
      return (pooling.isMaximum ? "maxPool" : "sumPool", text(pooling.geometry))
    }
    switch node.operation {
    case is MatMul:
      let units = node.types[0].shape.last?.description ?? "?"
      return ("dense", node.operands[1].inputs.isEmpty ? "\(units) units" : "product")
    case let composite as Composite: return text(composite)
    default:
      let isReduction = type(of: node.operation).name == "reduce"
      return (isReduction ? "globalPool" : node.operation.label, "")
    }
  }

  private static func text(_ composite: Composite) -> (kind: String, details: String) {
    switch composite.compositeName {
    case "batchNormalized": return ("batchNormalization", "")
    case "upsampled2D":
      guard case .integers(let factors)? = composite.attributes["factors"] else { break }
      return ("upsample", extent(factors))
    default: break
    }
    for node in composite.body.outputs.topologicalNodes() {
      if let pooling = node.pooling, !pooling.isMaximum {
        return (composite.compositeName, text(pooling.geometry))
      }
    }
    return (composite.compositeName, "")
  }

  private static func text(_ geometry: ConvolutionGeometry, _ node: Node, filters: Int) -> String {
    let kernels = node.operands[1].shape
    let size = kernels.dropFirst(2).map(\.description).joined(separator: "×")
    let count = filters == 0 ? kernels[0] : node.types[0].shape[1]
    let channels = node.operands[0].shape[1]
    let isDepthwise = geometry.groups > 1 && channels.known == geometry.groups
    let parts = [
      "\(count) of \(size)",
      geometry.stride.allSatisfy { $0 == 1 } ? "" : "stride \(extent(geometry.stride))",
      geometry.dilation.allSatisfy { $0 == 1 } ? "" : "dilation \(extent(geometry.dilation))",
      geometry.groups == 1 ? "" : isDepthwise ? "depthwise" : "\(geometry.groups) groups",
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: ", ")
  }

  private static func text(_ geometry: PoolingGeometry) -> String {
    let size = geometry.window.map(String.init).joined(separator: "×")
    return geometry.stride == geometry.window ? size : "\(size), stride \(extent(geometry.stride))"
  }

  /// `2`, or `2×1`.
  private static func extent(_ numbers: [Int]) -> String {
    Set(numbers).count == 1 ? "\(numbers[0])" : numbers.map(String.init).joined(separator: "×")
  }
}
