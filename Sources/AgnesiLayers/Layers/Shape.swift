import AgnesiArrays
import AgnesiExpressions

/// All axes behind the first as one: `[batch, …]` becomes `[batch, features]`.
///
/// ``Dense`` does this by itself.
public struct Flatten: Layer {
  public static let kind = "flatten"

  /// There is nothing to choose.
  public init() {}

  public func build(_ input: Tensor) -> Tensor {
    guard input.rank >= 1 else { return mistake("needs at least 1 axis, got none", input) }
    return input.flattened(from: 1)
  }
}

/// Each sample in another shape: `Reshape([1, 28, 28])` makes `[batch, 1, 28, 28]`.
public struct Reshape: Layer {
  public static let kind = "reshape"

  /// The shape behind the first axis; one number may be -1 and becomes what is left.
  public var shape: [Int]

  /// A layer that gives each sample the shape `shape`.
  public init(_ shape: [Int]) { self.shape = shape }

  public func build(_ input: Tensor) -> Tensor {
    guard let batch = input.shape.first else {
      return mistake("needs at least 1 axis, got none", input)
    }
    let isInferred = shape.filter { $0 == -1 }.count
    guard isInferred <= 1, shape.allSatisfy({ $0 >= -1 }) else {
      return mistake(
        "the shape may hold one -1 and no other negative number, got \(shape)", input)
    }
    let count = input.shape.dropFirst().reduce(1) { $0 * $1 }
    let given = Size(shape.filter { $0 != -1 }.product)
    if isInferred == 1, given.isZero || !(count % given).mayEqual(0) {
      return mistake("\(count) elements of a sample do not fill the shape \(shape)", input)
    }
    if isInferred == 0, !count.mayEqual(given) {
      return mistake("\(count) elements of a sample do not fill the shape \(shape)", input)
    }
    return input.reshaped([batch] + shape.map { $0 == -1 ? count / given : Size($0) })
  }

  public var details: String { shape.map(String.init).joined(separator: "×") }
}

extension Reshape: Codable {
  private enum Keys: String, CodingKey, CaseIterable { case shape }

  public init(from decoder: any Decoder) throws {
    self.init(try LayerReader(decoder, Self.kind, Keys.self).required(.shape))
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = LayerWriter(encoder, Keys.self)
    try fields.write(.shape, shape)
  }
}
