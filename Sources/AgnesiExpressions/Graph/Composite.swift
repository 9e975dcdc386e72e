import AgnesiArrays
import AgnesiLoops

/// An operation made of others: one node with a name, attributes and a body graph.
///
/// Printed, profiled and matched by rewrites under its name; the compiler expands what no backend
/// takes whole. It may carry a gradient of its own, another body for inference, and new values for
/// parameters among its operands (running averages).
public struct Composite: Operation {
  public static let name = "composite"
  package let compositeName: String
  package let attributes: [String: Attribute]
  package let body: Graph
  package let inferenceBody: Graph?
  package let updates: [CarriedUpdate]
  private let override: GradientRule?
  /// Whether something in its body does; kept, since each gradient that meets it asks.
  public let leavesElementsOut: Bool
  /// What decides, beside name and attributes, whether two composites are the same operation.
  package let definition: Definition

  /// What two composites of one name and equal attributes must share to be the same operation.
  package enum Definition: Hashable, Sendable {
    /// One of this library's: name and attributes determine its body and its gradient.
    case builtIn
    /// A user's, or one from a file: its bodies compute the same, whatever its name is.
    case bodies(GraphForm, inference: GraphForm?, updates: [CarriedUpdate])
    /// Equal only to itself: each use draws anew, or its gradient is a closure, and closures cannot be
    /// compared.
    case unique(Identity)
  }

  /// A parameter among the operands whose new value is one of the results.
  package struct CarriedUpdate: Hashable, Sendable, Codable {
    package var operand: Int
    package var result: Int
  }

  public typealias Rule =
    @Sendable (_ upstream: [Tensor?], _ operands: [Tensor], _ results: [Tensor])
    -> [Tensor?]

  package struct GradientRule: Sendable { package let apply: Rule }

  /// - Parameter definition: found out where nil: by the bodies, or unique where there is a `gradient`.
  package init(
    name: String, attributes: [String: Attribute], body: Graph, inferenceBody: Graph?,
    updates: [CarriedUpdate], gradient: Rule?, definition: Definition? = nil
  ) {
    compositeName = name
    self.attributes = attributes
    self.body = body
    self.inferenceBody = inferenceBody
    self.updates = updates
    override = gradient.map(GradientRule.init)
    self.definition =
      definition
      ?? (gradient == nil
        ? .bodies(
          GraphForm(body), inference: inferenceBody.map { GraphForm($0) }, updates: updates)
        : .unique(Identity()))
    // What a user's own gradient gives is what it says.
    leavesElementsOut =
      (gradient == nil || self.definition == .builtIn)
      && body.outputs.topologicalNodes().contains { $0.operation.leavesElementsOut }
  }

  /// Whether name and attributes say what it computes, so that rules and other formats may go by them.
  package var isBuiltIn: Bool { definition == .builtIn }

  /// Whether it equals only itself.
  package var isUnique: Bool {
    if case .unique = definition { return true }
    return false
  }

  public var label: String { compositeName }
  public var resultCount: Int { body.outputs.count }

  public func types(of operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard operands.count == body.inputs.count else {
      throw TypeError("takes \(body.inputs.count) operands, got \(operands.count)")
    }
    let matches = zip(operands, body.inputs).allSatisfy { $0.mayEqual($1.type) }
    guard matches else { throw TypeError("operands of other types than its body was built for") }
    if let failure = body.outputs.lazy.compactMap(\.failure).first {
      throw TypeError(failure.text(withLocations: false), hint: failure.hint)
    }
    return body.outputs.map(\.type)
  }

  /// The composite's own rule, else that of its body.
  public func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor]
  ) -> [Tensor?] {
    gradient(upstream, operands: operands, results: results, unread: .none)
  }

  /// As above, where elements of the results may have been left out.
  ///
  /// The formulas of this library are finite where their operands are, so theirs stay as they are.
  package func gradient(
    _ upstream: [Tensor?], operands: [Tensor], results: [Tensor], unread: UnreadElements
  ) -> [Tensor?] {
    if let override { return override.apply(upstream, operands, results) }
    return pullback(
      of: body.applied(to: operands), upstream: upstream, withRespectTo: operands, stopping: true,
      unread: isBuiltIn ? .ignored : unread)
  }

  public func reference(_ operands: [NDArray], types: [TensorType]) throws -> [NDArray] {
    internalError("composites are expanded before they run")
  }

  public func lowering(_ operands: [TensorType], _ results: [TensorType]) -> Lowering? { nil }

  public func substituting(_ sizes: [String: Size]) -> Composite {
    Composite(
      name: compositeName, attributes: attributes, body: body.substituting(sizes),
      inferenceBody: inferenceBody?.substituting(sizes), updates: updates,
      gradient: override?.apply, definition: definitionAfterSubstitution)
  }

  /// What the bodies are changes with the sizes in them; what is built in or unique stays so.
  private var definitionAfterSubstitution: Definition? {
    if case .bodies = definition { return nil }
    return definition
  }

  public static func == (a: Composite, b: Composite) -> Bool {
    a.compositeName == b.compositeName && a.attributes == b.attributes
      && a.definition == b.definition
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(compositeName)
    hasher.combine(attributes)
    hasher.combine(definition)
  }

  // Saved graphs encode bodies themselves (they share parameters' names and constants).
  public init(from decoder: any Decoder) throws {
    throw DecodingError.dataCorrupted(
      .init(codingPath: decoder.codingPath, debugDescription: "a composite is read with its graph"))
  }
  public func encode(to encoder: any Encoder) throws { try compositeName.encode(to: encoder) }
}

/// An attribute of a composite, for printing, matching and saving.
public enum Attribute: Hashable, Sendable, Codable {
  case number(Double)
  case text(String)
  case integers([Int])
}

/// Expressions as a function of some of their leaves.
public struct Graph: Sendable {
  public var inputs: [Tensor]
  public var outputs: [Tensor]

  public init(inputs: [Tensor], outputs: [Tensor]) {
    self.inputs = inputs
    self.outputs = outputs
  }

  /// The outputs with `operands` in the place of the inputs.
  package func applied(to operands: [Tensor]) -> [Tensor] {
    let pairs = zip(inputs, operands).map { ($0, $1) }
    return outputs.replacing(Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
  }

  package func substituting(_ sizes: [String: Size]) -> Graph {
    let newInputs = inputs.map {
      Tensor.input($0.name, $0.type.substituting(sizes).shape, $0.dtype)
    }
    let pairs = Dictionary(uniqueKeysWithValues: zip(inputs, newInputs))
    let newOutputs = outputs.replacing(pairs) { $0.substituting(sizes) }
    return Graph(inputs: newInputs, outputs: newOutputs)
  }
}

extension Tensor {
  /// A composite of several results.
  ///
  /// Two composites on the same operands become one node where they compute the same: equal names,
  /// attributes and bodies, and no gradients of their own.
  ///
  /// - Parameters:
  ///   - name: the name in printed graphs, profiles and rewrites.
  ///   - attributes: for printing and saving; they need not determine the body.
  ///   - gradient: replaces the body's gradient (guided back-propagation, a stable closed form).
  ///   - inference: the body where the function is specialised for inference (dropout).
  ///   - updates: operands that are parameters, with the results that are their new values.
  ///   - isOwnKind: whether it must never be merged with another one that computes the same.
  public static func composite(
    _ name: String, _ operands: [Tensor], attributes: [String: Attribute] = [:],
    gradient: Composite.Rule? = nil, inference: (([Tensor]) -> [Tensor])? = nil,
    updates: [(operand: Int, result: Int)] = [], isOwnKind: Bool = false, resultCount: Int = 1,
    body: ([Tensor]) -> [Tensor]
  ) -> [Tensor] {
    make(
      Composite(
        name, operands, attributes: attributes, gradient: gradient, inference: inference,
        updates: updates, resultCount: resultCount,
        definition: isOwnKind ? .unique(Identity()) : nil, body: body),
      operands)
  }

  /// A composite of one result, as above.
  public static func composite(
    _ name: String, _ operands: [Tensor], attributes: [String: Attribute] = [:],
    gradient: Composite.Rule? = nil, inference: (([Tensor]) -> Tensor)? = nil,
    isOwnKind: Bool = false, body: ([Tensor]) -> Tensor
  ) -> Tensor {
    let whole: (([Tensor]) -> [Tensor])? = inference.map { build in { [build($0)] } }
    return composite(
      name, operands, attributes: attributes, gradient: gradient, inference: whole,
      isOwnKind: isOwnKind, body: { [body($0)] })[0]
  }
}
