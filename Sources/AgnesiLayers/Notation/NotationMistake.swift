import AgnesiExpressions

/// A layer that does not fit what comes to it, in the words of the notation: which token, what it gets,
/// and what in the notation would help.
struct NotationMistake: CustomStringConvertible {
  /// The whole network, as it was written where that is known.
  private let notation: String
  private let token: String
  /// From 1.
  private let position: Int
  private let problem: Problem

  /// What does not fit, and a sure way out.
  struct Problem {
    var message: String
    var hint: String?
  }

  /// Nil where the notation cannot say the network, so that nobody wrote it in the notation.
  ///
  /// - Parameters:
  ///   - index: of the layer in the chain.
  ///   - input: what comes to the layer.
  ///   - failure: what the layer says.
  init?(chain: Chain, index: Int, input: TensorType, failure: GraphError) {
    guard let text = chain.notation ?? (try? Notation.text(of: chain)) else { return nil }
    let words = text.split(separator: " ").map(String.init)
    guard let places = try? Self.places(of: chain, words), places.indices.contains(index) else {
      return nil
    }
    notation = text
    position = places[index] + 1
    token = words[places[index]]
    problem = Self.problem(
      chain.layers[index], input, isFirst: index == 0, before: words.prefix(places[index]),
      failure)
  }

  /// The token of each layer of the chain.
  fileprivate static func places(of chain: Chain, _ words: [String]) throws -> [Int] {
    var written = try Notation.layers(of: words)[...]
    var last = 0
    return chain.layers.map { layer in
      // A nonlinearity behind a normalisation was put there by the chain.
      if let next = written.first, type(of: next.layer) == type(of: layer) {
        last = next.token
        written = written.dropFirst()
      }
      return last
    }
  }

  var description: String {
    let place = "token \(position), \"\(token)\", of the network \"\(notation)\": "
    return NotationError(place + problem.message, hint: problem.hint).description
  }
}

extension Chain {
  /// What a layer is called in the network's notation, such as `token 1, "20C5", of the network "20C5
  /// 10FC"`; nil where the notation cannot say the network.
  ///
  /// - Parameter index: of the layer in ``layers``.
  package func notationPlace(ofLayer index: Int) -> String? {
    guard let text = notation ?? (try? Notation.text(of: self)) else { return nil }
    let words = text.split(separator: " ").map(String.init)
    guard let places = try? NotationMistake.places(of: self, words), places.indices.contains(index)
    else { return nil }
    return "token \(places[index] + 1), \"\(words[places[index]])\", of the network \"\(text)\""
  }
}

// MARK: - What does not fit

extension NotationMistake {
  private static func problem(
    _ layer: any Layer, _ input: TensorType, isFirst: Bool, before: ArraySlice<String>,
    _ failure: GraphError
  ) -> Problem {
    let sample = input.shape.dropFirst().map(\.description).joined(separator: "×")
    if !input.dtype.isFloating {
      return Problem(
        message: "needs floating-point numbers, and gets \(input.dtype)",
        hint: "data of whole numbers can be standardised (--standardize)")
    }
    if input.rank < 2 { return Problem(message: "needs samples of at least one axis") }
    if !(layer is Dense), takesImages(layer), input.rank != 4 {
      let ends = before.last { isEnd($0) }
      return Problem(
        message: "needs images, channels × height × width, and gets \(sample)",
        hint: isFirst || ends == nil
          ? "the samples are no images, which take layers such as 256FC only"
          : "behind \(ends ?? "") there are no images; put it before")
    }
    let images = Images(shape: input.shape, text: sample)
    switch layer {
    case let layer as Convolution2D: return images.problem(layer) ?? plain(failure)
    case let layer as MaxPool2D:
      return images.pooling(layer.window, layer.stride, layer.padding) {
        Notation.token(MaxPool2D(layer.window, stride: layer.stride, padding: $0))
      } ?? plain(failure)
    case let layer as AveragePool2D:
      return images.pooling(layer.window, layer.stride, layer.padding) {
        Notation.token(AveragePool2D(layer.window, stride: layer.stride, padding: $0))
      } ?? plain(failure)
    default: return plain(failure)
    }
  }

  /// What the layer says itself; its hints are for code.
  private static func plain(_ failure: GraphError) -> Problem { Problem(message: failure.message) }

  private static func takesImages(_ layer: any Layer) -> Bool {
    switch layer {
    case is Convolution2D, is MaxPool2D, is AveragePool2D, is GlobalAveragePool2D, is Upsample2D:
      true
    default: false
    }
  }

  /// Whether there are no images behind a token.
  private static func isEnd(_ word: String) -> Bool {
    guard let layer = try? NotationToken(word, position: 1).layer else { return false }
    return layer is Dense || layer is Flatten || layer is GlobalAveragePool2D
  }

  /// Images that come to a layer with windows.
  private struct Images {
    var shape: Shape
    /// `20×1×1`
    var text: String

    /// Rows and columns; nil where they are not known before a call.
    private var size: (height: Int, width: Int)? {
      guard let height = shape[2].known, let width = shape[3].known else { return nil }
      return (height, width)
    }

    func problem(_ layer: Convolution2D) -> Problem? {
      let channels = shape[1].known ?? 0
      if channels % layer.groups != 0 || layer.filters % layer.groups != 0 {
        return Problem(
          message: "gets \(channels) channels; these and \(layer.filters) kernels do not fall into "
            + "\(layer.groups) equal groups",
          hint: "the number behind g must divide both")
      }
      func span(_ size: Int, _ dilation: Int) -> Int { (size - 1) * dilation + 1 }
      let rows = span(layer.kernel.height, layer.dilation.height)
      let columns = span(layer.kernel.width, layer.dilation.width)
      guard let size, case .symmetric(let high, let wide) = layer.padding.asSymmetric else {
        return nil
      }
      let needed = Self.padding(size, (rows, columns))
      guard needed.height > high || needed.width > wide else { return nil }
      var padded = layer
      padded.padding = .symmetric(max(needed.height, high), max(needed.width, wide))
      let spread = layer.dilation == 1 ? "" : ", which span \(rows)×\(columns)"
      return Problem(
        message: "gets \(text)\(padding(high, wide)), too small for kernels of "
          + both(layer.kernel) + spread,
        hint: advice(Notation.token(padded)))
    }

    func pooling(
      _ window: Extent2D, _ stride: Extent2D?, _ padding: Extent2D,
      _ token: (Extent2D) -> String?
    ) -> Problem? {
      if padding.height >= window.height || padding.width >= window.width {
        return Problem(
          message: "has a padding of \(both(padding)), which is not smaller than its windows of "
            + both(window), hint: "a smaller number behind p")
      }
      guard let size else { return nil }
      let needed = Self.padding(size, (window.height, window.width))
      guard needed.height > padding.height || needed.width > padding.width else { return nil }
      let enough = Extent2D(
        height: max(needed.height, padding.height), width: max(needed.width, padding.width))
      return Problem(
        message: "gets \(text)\(self.padding(padding.height, padding.width)), too small for "
          + "windows of \(both(window))",
        hint: advice(token(enough)))
    }

    /// What must stand on each side so that windows fit.
    private static func padding(
      _ size: (height: Int, width: Int), _ window: (height: Int, width: Int)
    ) -> (height: Int, width: Int) {
      (max(0, (window.height - size.height + 1) / 2), max(0, (window.width - size.width + 1) / 2))
    }

    private func both(_ extent: Extent2D) -> String { "\(extent.height)×\(extent.width)" }

    private func padding(_ height: Int, _ width: Int) -> String {
      if height == 0, width == 0 { return "" }
      return height == width
        ? " and pads it by \(height)" : " and pads it by \(height)×\(width)"
    }

    private func advice(_ token: String?) -> String {
      let padding = token.map { "padding makes it fit, as in \($0); or " } ?? ""
      return "\(padding)fewer or smaller poolings and strides before it"
    }
  }
}

extension Padding2D {
  /// No padding is one of 0.
  fileprivate var asSymmetric: Padding2D { self == .valid ? .symmetric(0, 0) : self }
}
