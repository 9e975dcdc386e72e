import AgnesiArrays
import AgnesiExpressions

/// The adjoint of a convolution: each element spreads a kernel, so that strides enlarge images.
/// Also called up-convolution, deconvolution, or fractionally strided convolution.
///
/// Input `[batch, channels, height, width]`, output `[batch, filters, h, w]` with
/// `h = (height − 1)·stride − padding + (kernel − 1)·dilation + 1 + outputPadding`. Parameters
/// `weight`, `[channels, filters / groups, height, width]`, and `bias`, `[filters]`.
public struct TransposedConvolution2D: Layer {
  public static let kind = "transposedConvolution"

  /// The number of kernels, and of channels of the output.
  public var filters: Int
  /// Rows and columns of a kernel.
  public var kernel: Extent2D
  /// Rows and columns between neighbouring positions.
  public var stride: Extent2D
  /// What is cut off at the borders, as the convolution would have added it.
  public var padding: Padding2D
  /// Rows and columns more at the bottom and right, smaller than the stride.
  public var outputPadding: Extent2D
  /// Rows and columns between neighbouring points of a kernel.
  public var dilation: Extent2D
  /// Channels and filters fall into this many parts that do not see each other.
  public var groups: Int
  /// What is applied to the sums.
  public var activation: Activation
  /// Where the weights come from.
  public var weight: ParameterSource
  /// Nil for none.
  public var bias: ParameterSource?
  /// What parameters' names begin with; kind and number where nil.
  public var name: String?

  /// A stride of 1, nothing cut off, and no nonlinearity, unless said otherwise.
  public init(
    filters: Int, kernel: Extent2D, stride: Extent2D = 1, padding: Padding2D = .valid,
    outputPadding: Extent2D = 0, dilation: Extent2D = 1, groups: Int = 1,
    activation: Activation = .identity, weight: ParameterSource = .automatic,
    bias: ParameterSource? = .zeros, name: String? = nil
  ) {
    self.filters = filters
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.groups = groups
    self.activation = activation
    self.weight = weight
    self.bias = bias
    self.name = name
  }

  public func build(_ input: Tensor) -> Tensor {
    let geometry = KernelGeometry(kernel: kernel, stride: stride, dilation: dilation)
    if let found = imageMistake(input) ?? countMistake(input, filters, groups, geometry) {
      return found
    }
    let kernels = weight.tensor(
      "weight",
      [input.shape[1], Size(filters / groups), Size(kernel.height), Size(kernel.width)],
      input.dtype, .weight, automatic: activation.fittingInitializer(behind: input))
    let sum = transposedConvolution2D(
      input, kernels, stride: stride.numbers, padding: padding,
      outputPadding: outputPadding.numbers, dilation: dilation.numbers, groups: groups)
    return activation(adding(bias, to: sum, channels: filters))
  }

  public var details: String {
    Details.text(
      "\(filters) of \(kernel)", activation, bias, Details.extent("stride", stride),
      Details.padding(padding), Details.extent("dilation", dilation),
      groups == 1 ? nil : "\(groups) groups")
  }
}

extension TransposedConvolution2D: Normalizable {}

extension TransposedConvolution2D: Codable {
  private enum Keys: String, CodingKey, CaseIterable {
    case filters, kernel, stride, padding, outputPadding, dilation, groups, activation, weight
    case bias, name
  }

  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    self.init(
      filters: try fields.required(.filters), kernel: try fields.required(.kernel),
      stride: try fields.value(.stride, or: 1),
      padding: try fields.value(.padding, or: PaddingField(.valid)).padding,
      outputPadding: try fields.value(.outputPadding, or: 0),
      dilation: try fields.value(.dilation, or: 1), groups: try fields.value(.groups, or: 1),
      activation: try fields.value(.activation, or: .identity),
      weight: try fields.value(.weight, or: .automatic),
      bias: try fields.value(.bias, orNil: .zeros), name: try fields.optional(.name))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.filters, filters)
    try fields.write(.kernel, kernel)
    try fields.write(.stride, stride, unless: 1)
    try fields.write(.padding, PaddingField(padding), unless: PaddingField(.valid))
    try fields.write(.outputPadding, outputPadding, unless: 0)
    try fields.write(.dilation, dilation, unless: 1)
    try fields.write(.groups, groups, unless: 1)
    try fields.write(.activation, activation, unless: .identity)
    try fields.write(.weight, weight, unless: .automatic)
    try fields.write(.bias, bias, unless: .zeros)
    try fields.write(.name, ifAny: name)
  }
}
