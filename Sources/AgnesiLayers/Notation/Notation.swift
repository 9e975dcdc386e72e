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
    let tokens = try words.enumerated().map { position, word in
      try NotationToken(word, position: position + 1)
    }
    return Chain(layers(of: tokens))
  }

  /// The layers of tokens, with the nonlinearities that the notation leaves out.
  private static func layers(of tokens: [NotationToken]) -> [any Layer] {
    let last = tokens.lastIndex { $0.isWeights }
    var layers: [any Layer] = []
    var index = 0
    func token(_ position: Int) -> NotationToken? {
      tokens.indices.contains(position) ? tokens[position] : nil
    }
    while let current = token(index) {
      let usual: Activation = index == last ? .identity : .relu
      index += 1
      guard case .weights(let weights) = current else {
        layers.append(current.layer)
        continue
      }
      if case .activation(let named)? = token(index) {
        index += 1
        if case .normalization? = token(index), named != .identity {
          // What is written before the BN is computed before it, so it is a layer of its own.
          layers += [weights, ActivationLayer(named)]
        } else {
          layers.append(weights.with(named))
        }
      } else if case .normalization(let norm)? = token(index) {
        index += 1
        var activation = usual
        if case .activation(let named)? = token(index) {
          index += 1
          activation = named
        }
        // The chain moves the nonlinearity behind the normalisation.
        layers += [weights.with(activation), norm]
      } else {
        layers.append(weights.with(usual))
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
  /// What could stand there; empty where that would not help.
  public let allowed: String

  init(_ message: String, token: String? = nil, position: Int? = nil, allowed: String = "") {
    self.message = message
    self.token = token
    self.position = position
    self.allowed = allowed
  }

  public var description: String {
    let place =
      if let position, let token { "token \(position), \"\(token)\": " } else { "" }
    let first = "notation: \(place)\(message)"
    return allowed.isEmpty ? first : "\(first)\n  allowed: \(allowed)"
  }
}
