import Foundation

/// The literature's way to write a network: `20C5 MP2 50C5 MP2 256FC 10FC`.
///
/// Tokens, separated by spaces; upper and lower case are the same:
///
/// | token | layer |
/// |---|---|
/// | `20C5` | convolution, 20 kernels of 5×5; behind it `s2` stride, `p1` padding (also `psame`, `pfull`), `d2` dilation, `g4` groups |
/// | `256FC`, `FC256` | dense layer of 256 units |
/// | `MP2`, `AP2` | largest or mean value of 2×2 windows; behind it `s2`, `p1` |
/// | `GAP` | mean of each channel |
/// | `BN` | batch normalisation |
/// | `D0.5` | dropout |
/// | `U2` | images enlarged by repetition |
/// | `flatten` | each sample as a vector |
/// | `relu`, `tanh`, `lrelu0.2` … | a nonlinearity; `linear` is none |
///
/// Where one number stands for height and width, two may: `C5x3`. ReLU follows every C and FC but the
/// last, behind its BN if one follows, unless another nonlinearity is named there. The order of
/// tokens is the order of computation.
public enum Notation {
  /// The network that `text` describes.
  ///
  /// - Throws: ``NotationError``, which names the token and what is allowed.
  public static func parse(_ text: String) throws -> Chain {
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard !words.isEmpty else {
      throw NotationError("there is no layer", allowed: NotationToken.allowed)
    }
    let placed = try layers(of: words)
    return Chain(placed.map(\.layer), notation: words.joined(separator: " "))
  }

  /// The layers of tokens, with the nonlinearities that the notation leaves out, and the positions of
  /// the tokens, from 0.
  static func layers(of words: [String]) throws -> [(layer: any Layer, token: Int)] {
    let tokens = try words.enumerated().map { position, word in
      try NotationToken(word, position: position + 1)
    }
    let last = tokens.lastIndex { $0.isWeights }
    var layers: [(layer: any Layer, token: Int)] = []
    var index = 0
    func token(_ position: Int) -> NotationToken? {
      tokens.indices.contains(position) ? tokens[position] : nil
    }
    while let current = token(index) {
      let usual: Activation = index == last ? .identity : .relu
      let place = index
      index += 1
      guard case .weights(let weights) = current else {
        layers.append((current.layer, place))
        continue
      }
      if case .activation(let named)? = token(index) {
        index += 1
        if case .normalization? = token(index), named != .identity {
          // What is written before the BN is computed before it, so it is a layer of its own.
          layers += [(weights, place), (ActivationLayer(named), place + 1)]
        } else {
          layers.append((weights.with(named), place))
        }
      } else if case .normalization(let norm)? = token(index) {
        index += 1
        var activation = usual
        if case .activation(let named)? = token(index) {
          index += 1
          activation = named
        }
        // The chain moves the nonlinearity behind the normalisation.
        layers += [(weights.with(activation), place), (norm, place + 1)]
      } else {
        layers.append((weights.with(usual), place))
      }
    }
    return layers
  }
}

extension Normalizable {
  /// The same layer with another nonlinearity.
  fileprivate func with(_ activation: Activation) -> any Layer {
    var copy = self
    copy.activation = activation
    return copy
  }
}

/// A notation that cannot be read, or a network that it cannot say.
public struct NotationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Counted from 1; nil where no token is to blame.
  public let position: Int?
  /// As it was written.
  public let token: String?
  /// What is wrong with it.
  public let message: String
  /// What to do about it, where that is certain.
  public let hint: String?
  /// What could stand there; empty where that would not help.
  public let allowed: String

  init(
    _ message: String, token: String? = nil, position: Int? = nil, hint: String? = nil,
    allowed: String = ""
  ) {
    self.message = message
    self.token = token
    self.position = position
    self.hint = hint
    self.allowed = allowed
  }

  public var description: String {
    let place =
      if let position, let token { "token \(position), \"\(token)\": " } else { "" }
    let first = "notation: \(place)\(message)"
    if let hint { return "\(first)\n  hint: \(hint)" }
    return allowed.isEmpty ? first : "\(first)\n  allowed: \(allowed)"
  }
}
