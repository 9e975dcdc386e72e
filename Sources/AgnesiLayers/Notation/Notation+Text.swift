import AgnesiArrays
import AgnesiExpressions
import Foundation

extension Notation {
  /// The notation of a network, from which ``parse(_:)`` makes an equal one.
  ///
  /// - Throws: ``NotationError`` where the network has a layer, or a layer a field, that the notation
  ///   cannot say.
  public static func text(of chain: Chain) throws -> String {
    var printer = NotationPrinter(chain.layers)
    let text = try printer.text()
    if chain.name != nil { throw NotationError("cannot say the name of a chain") }
    // Reading it back is the proof; what the words leave out shows as a difference.
    guard !text.isEmpty else { return text }
    guard let read = try? parse(text) else {
      throw NotationError("cannot say numbers that are out of range, as in \(text)")
    }
    if read == chain { return text }
    for (index, (ours, theirs)) in zip(chain.layers, read.layers).enumerated() {
      if AnyHashable(ours) == AnyHashable(theirs) { continue }
      throw difference(ours, theirs, index)
    }
    throw NotationError("cannot say this network")
  }

  /// The token of one layer, without its nonlinearity; nil where the notation has none.
  static func token(_ layer: any Layer) -> String? {
    try? NotationPrinter([layer]).token(layer)
  }

  private static func difference(
    _ ours: any Layer, _ theirs: any Layer, _ index: Int
  ) -> NotationError {
    let layer = "layer \(index + 1), \(type(of: ours).kind)"
    guard let first = fields(of: ours), let second = fields(of: theirs) else {
      return NotationError("cannot say that \(layer), shares parameters")
    }
    let names = Set(first.keys).union(second.keys).filter { first[$0] != second[$0] }
    return NotationError(
      "cannot say the \(names.sorted().joined(separator: " and ")) of \(layer)")
  }

  /// The description of a layer by fields; nil where it has none.
  private static func fields(of layer: any Layer) -> [String: NSObject]? {
    guard let text = try? JSONText.encoded(Chain([layer])),
      let data = try? JSONSerialization.jsonObject(with: Data(text.utf8)),
      let object = data as? [String: Any],
      let layers = object["layers"] as? [[String: NSObject]]
    else { return nil }
    return layers.first
  }
}

/// Writes layers as tokens. Fields that tokens cannot say are left out; reading back finds them.
private struct NotationPrinter {
  private let layers: [any Layer]
  private let lastWeights: Int?
  private var index = 0

  init(_ layers: [any Layer]) {
    self.layers = layers
    lastWeights = layers.lastIndex { $0 is Convolution2D || $0 is Dense }
  }

  private func layer(_ position: Int) -> (any Layer)? {
    layers.indices.contains(position) ? layers[position] : nil
  }

  mutating func text() throws -> String {
    var words: [String] = []
    while let layer = layer(index) {
      let usual: Activation = index == lastWeights ? .identity : .relu
      index += 1
      words.append(try token(layer))
      guard let weights = layer as? any Normalizable else { continue }
      var activation = weights.activation
      if self.layer(index) is BatchNormalization, let norm = self.layer(index) {
        words.append(try token(norm))
        index += 1
        if let next = self.layer(index) as? ActivationLayer, next.activation != .identity {
          activation = next.activation
          index += 1
        }
      }
      // A nonlinearity that is a layer of its own would be read as this one's.
      let isFollowed = self.layer(index) is ActivationLayer
      if activation != usual || isFollowed { words.append(try word(activation)) }
    }
    return words.joined(separator: " ")
  }

  private func word(_ activation: Activation) throws -> String {
    guard let word = NotationWords.text(activation) else {
      throw NotationError("cannot say the nonlinearity \(activation) of layer \(index)")
    }
    return word
  }

  func token(_ layer: any Layer) throws -> String {
    switch layer {
    case let layer as Convolution2D: return convolution(layer)
    case let layer as Dense: return "\(layer.units)FC"
    case let layer as MaxPool2D:
      return "MP\(extent(layer.window))\(pooling(layer.stride, layer.padding))"
    case let layer as AveragePool2D:
      return "AP\(extent(layer.window))\(pooling(layer.stride, layer.padding))"
    case is GlobalAveragePool2D: return "GAP"
    case is BatchNormalization: return "BN"
    case let layer as Dropout: return "D\(NotationWords.number(layer.rate))"
    case let layer as Upsample2D: return "U\(extent(layer.factors))"
    case is Flatten: return "flatten"
    case let layer as ActivationLayer: return try word(layer.activation)
    default:
      throw NotationError("cannot say layer \(index), \(type(of: layer).kind)")
    }
  }

  private func convolution(_ layer: Convolution2D) -> String {
    var text = "\(layer.filters)C\(extent(layer.kernel))"
    if layer.stride != 1 { text += "s\(extent(layer.stride))" }
    switch layer.padding {
    case .same: text += "psame"
    case .full: text += "pfull"
    case .symmetric(let height, let width):
      text += "p\(extent(Extent2D(height: height, width: width)))"
    case .valid, .explicit: break
    }
    if layer.dilation != 1 { text += "d\(extent(layer.dilation))" }
    if layer.groups != 1 { text += "g\(layer.groups)" }
    return text
  }

  private func pooling(_ stride: Extent2D?, _ padding: Extent2D) -> String {
    let steps = stride.map { "s\(extent($0))" } ?? ""
    return padding == 0 ? steps : "\(steps)p\(extent(padding))"
  }

  private func extent(_ extent: Extent2D) -> String {
    extent.height == extent.width ? "\(extent.height)" : "\(extent.height)x\(extent.width)"
  }
}
