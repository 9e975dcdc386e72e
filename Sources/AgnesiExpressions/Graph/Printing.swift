import AgnesiArrays
import AgnesiLoops

// The tensor graph as text. A listing has one line for each node, in an order in which operands come
// first:
//
//   %0 = input "image" : float32[batch, 784]
//   %1 = parameter "w" : float32[784, 10]
//   %2 = matmul(%0, %1) : float32[batch, 10]  // main.swift:4:38

/// How much a listing shows.
public struct ListingOptions: Sendable {
  /// Whether each line ends with the user's file and line. Looking one up takes about a millisecond.
  public var locations: Bool
  /// Whether the bodies of composites follow their lines, indented.
  public var bodies: Bool

  public init(locations: Bool = false, bodies: Bool = false) {
    self.locations = locations
    self.bodies = bodies
  }
}

extension Sequence<Tensor> {
  /// One line for each node that these tensors are made of, and one with the tensors themselves.
  public func listing(_ options: ListingOptions = ListingOptions()) -> String {
    var listing = Listing(options: options)
    listing.add(outputs: Array(self), indent: "")
    return listing.lines.joined(separator: "\n")
  }
}

extension Tensor {
  /// One line for each node that this tensor is made of.
  public func listing(_ options: ListingOptions = ListingOptions()) -> String {
    [self].listing(options)
  }
}

private struct Listing {
  let options: ListingOptions
  var lines: [String] = []
  private var names: [Tensor: String] = [:]
  private var nextNumber = 0

  init(options: ListingOptions) { self.options = options }

  /// Recurses into bodies, whose nesting is a matter of how composites were written, not of data.
  mutating func add(outputs: [Tensor], indent: String) {
    for node in outputs.topologicalNodes() { add(node, indent: indent) }
    let returned = outputs.map { names[$0] ?? "?" }.joined(separator: ", ")
    lines.append("\(indent)return \(returned)")
  }

  private mutating func add(_ node: Node, indent: String) {
    for result in node.results {
      names[result] = "%\(nextNumber)"
      nextNumber += 1
    }
    let results = node.results.map { names[$0] ?? "?" }.joined(separator: ", ")
    let types = node.types.map(\.description).joined(separator: ", ")
    var line = "\(indent)\(results) = \(node.text { names[$0] ?? "?" }) : \(types)"
    if let failure = node.failure { line += "  failed: \(failure.message)" }
    let location = options.locations ? node.location.description : ""
    if !location.isEmpty { line += "  // \(location)" }
    lines.append(line)
    guard options.bodies, let composite = node.operation as? Composite else { return }
    // Two composites may share a body; its nodes have other names in each.
    let outer = names
    for (input, operand) in zip(composite.body.inputs, node.operands) {
      names[input] = names[operand]
    }
    addBody(composite.body, indent: indent + "  ")
    names = outer
  }

  /// The inputs of a body have the names of the operands and no lines of their own.
  private mutating func addBody(_ body: Graph, indent: String) {
    let inputs = Set(body.inputs)
    for node in body.outputs.topologicalNodes(stoppingAt: inputs) { add(node, indent: indent) }
    let returned = body.outputs.map { names[$0] ?? "?" }.joined(separator: ", ")
    lines.append("\(indent)return \(returned)")
  }
}

extension Node {
  /// The operation with its attributes, applied to operands called as `name` says.
  package func text(_ name: (Tensor) -> String) -> String {
    let arguments = operands.map(name) + operation.printedAttributes
    if operands.isEmpty, let own = operation.instanceName {
      return ([operation.label, "\"\(own)\""] + operation.printedAttributes)
        .joined(separator: " ")
    }
    if let constant = operation as? Constant { return "constant \(constant.printedValues)" }
    return "\(operation.label)(\(arguments.joined(separator: ", ")))"
  }
}

extension Operation {
  /// The attributes as `axes: [1]`, sorted by name for composites and in their own order otherwise.
  package var printedAttributes: [String] {
    switch self {
    case let composite as Composite:
      return composite.attributes.sorted { $0.key < $1.key }
        .map { "\($0.key): \($0.value.description)" }
    case is Input, is Constant, is ParameterLeaf, is Wildcard, is any PatternOperation: return []
    default: return reflectedAttributes
    }
  }

  /// Printing is the one place that reads the attributes of all operations alike.
  private var reflectedAttributes: [String] {
    let attributes = Mirror(reflecting: self).children.flatMap { printedAttribute($0) }
    // What the label says already: `sum`, `less`.
    return attributes.filter { $0.value != label }.map { "\($0.name): \($0.value)" }
  }
}

private typealias PrintedAttribute = (name: String, value: String)

/// One attribute, or the fields of a structure without a description of its own. Identities are
/// left out: they differ from run to run.
private func printedAttribute(_ child: Mirror.Child) -> [PrintedAttribute] {
  guard let name = child.label, !(child.value is Identity), !(child.value is Identity?) else {
    return []
  }
  let mirror = Mirror(reflecting: child.value)
  switch mirror.displayStyle {
  case .optional:
    return [(name, mirror.children.first.map { String(describing: $0.value) } ?? "none")]
  case .struct where !(child.value is any CustomStringConvertible):
    return mirror.children.flatMap { printedAttribute($0) }
  default:
    return [(name, String(describing: child.value))]
  }
}

extension Constant {
  /// Up to four values.
  fileprivate var printedValues: String {
    guard array.count != 1 else { return printed(array)[0] }
    let shown = array.count <= 4096 ? Array(printed(array).prefix(4)) : []
    return "[\(shown.joined(separator: ", "))\(array.count > shown.count ? ", …" : "")]"
  }
}

/// The elements: of integers all digits.
private func printed(_ array: NDArray) -> [String] {
  switch array.dtype {
  case .uint64: array.wholes.map { String(UInt64(bitPattern: $0)) }
  case let dtype where dtype.isInteger: array.wholes.map { String($0) }
  default: array.doubles.map { printedNumber($0, array.dtype) }
  }
}

/// `3` for 3.0, in the way of a formula, and `0.1` for the float32 nearest to it.
package func printedNumber(_ value: Double, _ dtype: DType = .float64) -> String {
  let isWhole = value.rounded() == value && value.magnitude < 1e9
  if isWhole, !(value == 0 && value.sign == .minus) { return String(Int(value)) }
  return dtype.computed == .float32 ? String(Float(value)) : String(value)
}

extension Attribute: CustomStringConvertible {
  public var description: String {
    switch self {
    case .number(let value): printedNumber(value)
    case .text(let text): text
    case .integers(let values): values.description
    }
  }
}
