import AgnesiArrays
import AgnesiLoops

/// What stands between the elements of an enlarged image.
public enum Upsampling: String, Hashable, Sendable, Codable {
  /// Each element fills its block.
  case repeated
  /// Each element stands at the first place of its block, the rest is 0.
  case dilated
}

/// Images enlarged by whole factors along the last two axes.
///
/// - Parameters:
///   - x: `[…, height, width]`, any dtype but bool for `.dilated`.
///   - factors: rows and columns of the block that each element becomes, at least 1.
/// - Returns: `[…, height · factors[0], width · factors[1]]`.
public func upsampled2D(
  _ x: Tensor, by factors: [Int] = [2, 2], mode: Upsampling = .repeated
) -> Tensor {
  let attributes: [String: Attribute] = [
    "factors": .integers(factors), "mode": .text(mode.rawValue),
  ]
  do throws(TypeError) {
    guard factors.count == 2, factors.allSatisfy({ $0 >= 1 }) else {
      throw TypeError("needs two factors of at least 1, got \(factors)")
    }
    guard !x.type.isKnown || x.rank >= 2 else {
      throw TypeError("needs at least 2 axes, got \(x.rank)")
    }
  } catch {
    return .mistake("upsampled2D", error, [("input", x)])
  }
  return .builtIn("upsampled2D", [x], attributes: attributes) { operands in
    let x = operands[0]
    let leading = Array(x.shape.dropLast(2))
    let (height, width) = (x.size(-2), x.size(-1))
    let blocks = leading + [height, Size(factors[0]), width, Size(factors[1])]
    var spread = x.reshaped(leading + [height, 1, width, 1]).broadcast(to: blocks)
    if mode == .dilated {
      let place = Tensor.index(blocks, axis: -1) + Tensor.index(blocks, axis: -3)
      spread = select(place .== 0, spread, .zeros(like: spread))
    }
    return spread.reshaped(leading + [height * Size(factors[0]), width * Size(factors[1])])
  }
}
