import AgnesiArrays
import AgnesiExpressions

/// A fully connected layer: `activation(x · weight + bias)`.
///
/// Input `[batch, …]`; trailing axes are seen as one, so that images need no ``Flatten``. Output
/// `[batch, units]`. Parameters `weight`, `[inputs, units]`, and `bias`, `[units]`.
public struct Dense: Layer {
  public static let kind = "dense"

  /// The number of outputs.
  public var units: Int
  /// What is applied to the sums.
  public var activation: Activation
  /// Where the weights come from.
  public var weight: ParameterSource
  /// Nil for none. A bias is not subject to weight penalties.
  public var bias: ParameterSource?
  /// How many axes in front stay as they are: 1 for samples, 2 for sequences of samples. Negative
  /// numbers count from the end: -1 works on the last axis only.
  public var leadingAxes: Int
  /// What parameters' names begin with; kind and number where nil.
  public var name: String?

  /// No nonlinearity unless one is given; biases begin at 0.
  public init(
    units: Int, activation: Activation = .identity, weight: ParameterSource = .automatic,
    bias: ParameterSource? = .zeros, leadingAxes: Int = 1, name: String? = nil
  ) {
    self.units = units
    self.activation = activation
    self.weight = weight
    self.bias = bias
    self.leadingAxes = leadingAxes
    self.name = name
  }

  public func build(_ input: Tensor) -> Tensor {
    guard units >= 1 else { return mistake("needs at least 1 unit, got \(units)", input) }
    guard input.dtype.isFloating else {
      return mistake(
        "needs floating input, got \(input.dtype)", input,
        hint: input.dtype.conversionHint(to: .float32))
    }
    let leading = leadingAxes < 0 ? input.rank + leadingAxes : leadingAxes
    guard leading >= 1, leading < input.rank else {
      return mistake(
        "needs at least one axis behind its \(leadingAxes) leading axes, got \(input.type)", input)
    }
    let count = input.shape.dropFirst(leading).reduce(1) { $0 * $1 }
    guard count.known != nil else {
      return mistake("needs a known number of inputs for each sample, got \(count)", input)
    }
    let outer = Array(input.shape.prefix(leading))
    let rows = input.reshaped([outer.reduce(1) { $0 * $1 }, count])
    let matrix = weight.tensor(
      "weight", [count, Size(units)], input.dtype, .weight,
      automatic: activation.fittingInitializer(behind: input))
    var sum = matmul(rows, matrix)
    if let bias { sum = sum + bias.tensor("bias", [Size(units)], input.dtype, .trainable) }
    return activation(sum).reshaped(outer + [Size(units)])
  }

  public var details: String { Details.text("\(units) units", activation, bias) }
}

extension Dense: Normalizable {}

extension Dense: Codable {
  private enum Keys: String, CodingKey, CaseIterable {
    case units, activation, weight, bias, leadingAxes, name
  }

  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    self.init(
      units: try fields.required(.units),
      activation: try fields.value(.activation, or: .identity),
      weight: try fields.value(.weight, or: .automatic),
      bias: try fields.value(.bias, orNil: .zeros),
      leadingAxes: try fields.value(.leadingAxes, or: 1), name: try fields.optional(.name))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.units, units)
    try fields.write(.activation, activation, unless: .identity)
    try fields.write(.weight, weight, unless: .automatic)
    try fields.write(.bias, bias, unless: .zeros)
    try fields.write(.leadingAxes, leadingAxes, unless: 1)
    try fields.write(.name, ifAny: name)
  }
}

/// A layer whose bias and nonlinearity move where a batch normalisation follows.
protocol Normalizable: Layer {
  var activation: Activation { get set }
  var bias: ParameterSource? { get set }
}

/// What summaries say about layers.
enum Details {
  static func text(
    _ first: String, _ activation: Activation = .identity, _ bias: ParameterSource? = .zeros,
    _ more: String?...
  ) -> String {
    var parts = [first] + more.compactMap { $0 }
    if bias == nil { parts.append("no bias") }
    if activation != .identity { parts.append(activation.description) }
    return parts.joined(separator: ", ")
  }

  /// `stride 2`, or nothing where it is 1.
  static func extent(_ name: String, _ extent: Extent2D) -> String? {
    if extent == 1 { return nil }
    return "\(name) \(extent.height == extent.width ? String(extent.height) : extent.description)"
  }

  static func padding(_ padding: Padding2D) -> String? {
    switch padding {
    case .valid: nil
    case .same: "padding same"
    case .full: "padding full"
    case .symmetric(let height, let width):
      extent("padding", Extent2D(height: height, width: width)) ?? "padding 1"
    case .explicit(let top, let bottom, let left, let right):
      "padding \(top), \(bottom), \(left), \(right)"
    }
  }
}
