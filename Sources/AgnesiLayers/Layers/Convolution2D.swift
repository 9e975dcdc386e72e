import AgnesiArrays
import AgnesiExpressions

/// A convolution of images with learned kernels: `activation(x ⋆ weight + bias)`.
///
/// Input `[batch, channels, height, width]`, output `[batch, filters, h, w]`; sizes as for
/// `convolution2D`. Kernels are not flipped (this is cross-correlation, as everywhere today).
/// Parameters `weight`, `[filters, channels / groups, height, width]`, and `bias`, `[filters]`.
public struct Convolution2D: Layer {
  public static let kind = "convolution"

  /// The number of kernels, and of channels of the output.
  public var filters: Int
  /// Rows and columns of a kernel.
  public var kernel: Extent2D
  /// Rows and columns between neighbouring positions.
  public var stride: Extent2D
  /// What stands around the image; by default nothing, and kernels stay inside.
  public var padding: Padding2D
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

  /// Kernels that move by one pixel and stay inside of the image, and no nonlinearity, unless said
  /// otherwise.
  public init(
    filters: Int, kernel: Extent2D, stride: Extent2D = 1, padding: Padding2D = .valid,
    dilation: Extent2D = 1, groups: Int = 1, activation: Activation = .identity,
    weight: ParameterSource = .automatic, bias: ParameterSource? = .zeros, name: String? = nil
  ) {
    self.filters = filters
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
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
    let channels = input.shape[1] / Size(groups)
    let kernels = weight.tensor(
      "weight", [Size(filters), channels, Size(kernel.height), Size(kernel.width)], input.dtype,
      .weight, automatic: activation.fittingInitializer(behind: input))
    let sum = convolution2D(
      input, kernels, stride: stride.numbers, padding: padding, dilation: dilation.numbers,
      groups: groups)
    return activation(adding(bias, to: sum, channels: filters))
  }

  public var details: String {
    Details.text(
      "\(filters) of \(kernel)", activation, bias, Details.extent("stride", stride),
      Details.padding(padding), Details.extent("dilation", dilation),
      groups == 1 ? nil : "\(groups) groups")
  }
}

extension Convolution2D: Normalizable {}

/// The numbers that kernels move by.
struct KernelGeometry {
  var kernel: Extent2D
  var stride: Extent2D
  var dilation: Extent2D
}

extension Layer {
  /// Anything but floating images with a known number of channels.
  func imageMistake(_ input: Tensor) -> Tensor? {
    guard input.dtype.isFloating else {
      return mistake(
        "needs floating input, got \(input.dtype)", input,
        hint: input.dtype.conversionHint(to: .float32))
    }
    if let found = rankMistake(input) { return found }
    guard input.shape[1].known != nil else {
      return mistake("needs a known number of channels, got \(input.shape[1])", input)
    }
    return nil
  }

  /// Anything but images.
  func rankMistake(_ input: Tensor) -> Tensor? {
    if input.rank == 4 { return nil }
    return mistake(
      "needs images [batch, channels, height, width], got \(input.type)", input,
      hint: input.rank == 2 ? "put a Reshape([channels, height, width]) before it" : nil)
  }

  func countMistake(
    _ input: Tensor, _ filters: Int, _ groups: Int, _ geometry: KernelGeometry
  ) -> Tensor? {
    guard filters >= 1 else { return mistake("needs at least 1 filter, got \(filters)", input) }
    let channels = input.shape[1].known ?? 0
    guard groups >= 1, channels % groups == 0, filters % groups == 0 else {
      return mistake(
        "\(channels) channels and \(filters) filters do not fall into \(groups) equal groups", input
      )
    }
    let found =
      geometry.kernel.mistake(as: "kernel") ?? geometry.stride.mistake(as: "stride")
      ?? geometry.dilation.mistake(as: "dilation")
    return found.map { mistake($0, input) }
  }

  /// `sum` plus one number for each channel.
  func adding(_ bias: ParameterSource?, to sum: Tensor, channels: Int) -> Tensor {
    guard let bias else { return sum }
    let numbers = bias.tensor("bias", [Size(channels)], sum.dtype, .trainable)
    return sum + numbers.reshaped([Size(channels), 1, 1])
  }
}

extension Convolution2D: Codable {
  private enum Keys: String, CodingKey, CaseIterable {
    case filters, kernel, stride, padding, dilation, groups, activation, weight, bias, name
  }

  public init(from decoder: any Decoder) throws {
    let fields = try LayerReader(decoder, Self.kind, Keys.self)
    self.init(
      filters: try fields.required(.filters), kernel: try fields.required(.kernel),
      stride: try fields.value(.stride, or: 1),
      padding: try fields.value(.padding, or: PaddingField(.valid)).padding,
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
    try fields.write(.dilation, dilation, unless: 1)
    try fields.write(.groups, groups, unless: 1)
    try fields.write(.activation, activation, unless: .identity)
    try fields.write(.weight, weight, unless: .automatic)
    try fields.write(.bias, bias, unless: .zeros)
    try fields.write(.name, ifAny: name)
  }
}
