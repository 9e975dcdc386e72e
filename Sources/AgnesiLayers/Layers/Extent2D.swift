/// A number of rows and a number of columns: the size of a kernel, a stride, a factor.
///
/// `5` is 5 rows and 5 columns, `[5, 3]` is 5 rows and 3 columns. Other counts of numbers are
/// reported as a mistake where the layer is used.
public struct Extent2D: Hashable, Sendable {
  package let numbers: [Int]

  /// The same number of rows and columns.
  public init(_ side: Int) { numbers = [side, side] }

  /// Different numbers of rows and columns.
  public init(height: Int, width: Int) { numbers = [height, width] }

  private init(numbers: [Int]) { self.numbers = numbers }

  /// Rows.
  public var height: Int { numbers.first ?? 0 }
  /// Columns.
  public var width: Int { numbers.last ?? 0 }

  /// What is wrong with this as `what`, each number of which must be at least 1.
  func mistake(as what: String) -> String? {
    guard numbers.count == 2 else {
      return "the \(what) must be one number or two, got \(numbers)"
    }
    guard numbers.allSatisfy({ $0 >= 1 }) else {
      return "the \(what) must be at least 1, got \(self)"
    }
    return nil
  }
}

extension Extent2D: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// The same number of rows and columns.
  public init(integerLiteral side: Int) { self.init(side) }
  /// Rows, then columns.
  public init(arrayLiteral numbers: Int...) { self.init(numbers: numbers) }
}

extension Extent2D: CustomStringConvertible {
  /// `5×3`
  public var description: String { numbers.map(String.init).joined(separator: "×") }
}

extension Extent2D: Codable {
  /// One number where both are equal, else an array.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if numbers.count == 2, height == width {
      try container.encode(height)
    } else {
      try container.encode(numbers)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let side = try? container.decode(Int.self) {
      self.init(side)
    } else {
      self.init(numbers: try container.decode([Int].self))
    }
  }
}
