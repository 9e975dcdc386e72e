import AgnesiArrays

/// A whole number that may depend on names: the size of an axis, a stride, or an index into a buffer.
///
/// A polynomial with integer coefficients over symbols (`batch`), floor quotients and remainders,
/// kept in a canonical form, so that equal formulas are equal values: `batch * 2 - batch == batch`.
/// Sizes of tensors use the user's names; the loop form adds the loop variables, so that a stride
/// is simply a coefficient.
///
/// Arithmetic ends at ±`Int.max` instead of overflowing: sizes come from files too, and one that does
/// not fit is refused later, where it can be said which.
public struct Size: Hashable, Sendable {
  /// The part without symbols.
  package private(set) var constant: Int
  /// The other terms, sorted, none with coefficient 0.
  package private(set) var terms: [Term]

  package struct Term: Hashable, Sendable, Codable {
    package var factors: [Factor]
    package var coefficient: Int
  }

  package indirect enum Factor: Hashable, Sendable, Codable {
    case symbol(String)
    case quotient(Size, Size)
    case remainder(Size, Size)
  }

  private init(constant: Int, terms: [Term]) {
    self.constant = constant.clamped
    self.terms = terms
  }

  public init(_ value: Int) { self.init(constant: value, terms: []) }

  /// The size called `name`; the same name is the same size everywhere in a compiled function.
  public static func symbol(_ name: String) -> Size { Size(.symbol(name)) }

  /// The number of samples in a mini-batch.
  public static let batch = Size.symbol("batch")

  private init(_ factor: Factor) {
    self.init(constant: 0, terms: [Term(factors: [factor], coefficient: 1)])
  }

  /// The value where it depends on no name.
  public var known: Int? { terms.isEmpty ? constant : nil }

  public var isOne: Bool { known == 1 }
  public var isZero: Bool { known == 0 }

  /// The names that the value depends on.
  public var symbols: Set<String> {
    var result: Set<String> = []
    collectSymbols(into: &result)
    return result
  }

  private func collectSymbols(into result: inout Set<String>) {
    for factor in terms.flatMap(\.factors) {
      switch factor {
      case .symbol(let name): result.insert(name)
      case .quotient(let a, let b), .remainder(let a, let b):
        a.collectSymbols(into: &result)
        b.collectSymbols(into: &result)
      }
    }
  }

  /// The names in the formula, each as often as it stands there: its length.
  package var weight: Int {
    terms.flatMap(\.factors).reduce(terms.isEmpty ? 1 : 0) { sum, factor in
      switch factor {
      case .symbol: return sum.saturatingSum(1)
      case .quotient(let a, let b), .remainder(let a, let b):
        return sum.saturatingSum(a.weight.saturatingSum(b.weight))
      }
    }
  }

  /// Whether the two may be the same number: they are equal, or at least one depends on a name.
  public func mayEqual(_ other: Size) -> Bool {
    guard let a = known, let b = other.known else { return true }
    return a == b
  }
}

// MARK: - Arithmetic

extension Size: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self.init(value) }

  public static func + (a: Size, b: Size) -> Size {
    if b.terms.isEmpty { return Size(constant: a.constant.plus(b.constant), terms: a.terms) }
    if a.terms.isEmpty { return Size(constant: a.constant.plus(b.constant), terms: b.terms) }
    return Size(constant: a.constant.plus(b.constant), terms: collected(a.terms + b.terms))
  }

  public static prefix func - (a: Size) -> Size { a * Size(-1) }
  public static func - (a: Size, b: Size) -> Size { a + -b }

  public static func * (a: Size, b: Size) -> Size {
    if let factor = b.known { return a.scaled(by: factor) }
    if let factor = a.known { return b.scaled(by: factor) }
    var terms: [Term] = []
    for left in a.allTerms {
      for right in b.allTerms {
        let factors = (left.factors + right.factors).sorted { $0.order < $1.order }
        terms.append(Term(factors: factors, coefficient: left.coefficient.times(right.coefficient)))
      }
    }
    return Size(
      constant: a.constant.times(b.constant), terms: collected(terms.filter { !$0.factors.isEmpty })
    )
  }

  private func scaled(by factor: Int) -> Size {
    if factor == 0 { return 0 }
    if factor == 1 { return self }
    let scaled = terms.map { Term(factors: $0.factors, coefficient: $0.coefficient.times(factor)) }
    return Size(constant: constant.times(factor), terms: scaled)
  }

  private var allTerms: [Term] { terms + [Term(factors: [], coefficient: constant)] }

  /// Equal products added up, zeros dropped, sorted.
  private static func collected(_ terms: [Term]) -> [Term] {
    var sums: [[Factor]: Int] = [:]
    for term in terms {
      sums[term.factors] = (sums[term.factors] ?? 0).plus(term.coefficient)
    }
    let kept = sums.filter { $0.value != 0 }.map { Term(factors: $0.key, coefficient: $0.value) }
    return kept.sorted { $0.order < $1.order }
  }

  /// The quotient rounded down; exact where every coefficient is divisible.
  public static func / (a: Size, b: Size) -> Size {
    if b.isOne { return a }
    if a == b { return 1 }
    if let x = a.known, let y = b.known, y != 0 { return Size(floorQuotient(x, y)) }
    if let divisor = b.known, divisor != 0 {
      let coefficients = a.terms.map(\.coefficient) + [a.constant]
      if coefficients.allSatisfy({ $0 % divisor == 0 }) {
        let terms = a.terms.map { Term(factors: $0.factors, coefficient: $0.coefficient / divisor) }
        return Size(constant: a.constant / divisor, terms: terms)
      }
    }
    if let exact = a.exactQuotient(by: b) { return exact }
    return Size(.quotient(a, b))
  }

  /// `self / b` where `b` is a single product that divides every term.
  private func exactQuotient(by b: Size) -> Size? {
    guard constant == 0, b.constant == 0, b.terms.count == 1, let divisor = b.terms.first else {
      return nil
    }
    var result: [Term] = []
    for term in terms {
      var factors = term.factors
      for factor in divisor.factors {
        guard let position = factors.firstIndex(of: factor) else { return nil }
        factors.remove(at: position)
      }
      guard term.coefficient % divisor.coefficient == 0 else { return nil }
      result.append(
        Term(factors: factors, coefficient: term.coefficient / divisor.coefficient))
    }
    let constants = result.filter(\.factors.isEmpty).reduce(0) { $0.plus($1.coefficient) }
    return Size(constant: constants, terms: Self.collected(result.filter { !$0.factors.isEmpty }))
  }

  /// The remainder of the floor quotient, in `0..<b` for positive `b`.
  public static func % (a: Size, b: Size) -> Size {
    if b.isOne || a == b { return 0 }
    if let x = a.known, let y = b.known, y != 0 { return Size(x - floorQuotient(x, y) * y) }
    if a.exactQuotient(by: b) != nil { return 0 }
    return Size(.remainder(a, b))
  }

  package static func floorQuotient(_ a: Int, _ b: Int) -> Int {
    let quotient = a / b
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient
  }
}

// MARK: - Values

extension Size {
  /// The value with each name replaced; nil where a name is missing or a divisor is 0.
  public func evaluated(_ values: [String: Int]) -> Int? {
    var sum = constant
    for term in terms {
      var product = term.coefficient
      for factor in term.factors {
        guard let value = factor.evaluated(values) else { return nil }
        product = product.times(value)
      }
      sum = sum.plus(product)
    }
    return sum
  }

  /// The formula with names replaced by formulas.
  public func substituting(_ replacements: [String: Size]) -> Size {
    if terms.isEmpty { return self }
    return terms.reduce(Size(constant)) { sum, term in
      sum + term.factors.reduce(Size(term.coefficient)) { $0 * $1.substituted(replacements) }
    }
  }

  /// The coefficient of `symbol` where the formula is linear in it: `stride` of `i` in
  /// `offset + stride * i`. Nil where `symbol` stands inside a quotient, a remainder or a power.
  package func coefficient(of symbol: String) -> Size? {
    var result = Size(0)
    for term in terms {
      var rest = term.factors
      guard let position = rest.firstIndex(of: .symbol(symbol)) else {
        if term.factors.contains(where: { $0.mentions(symbol) }) { return nil }
        continue
      }
      rest.remove(at: position)
      if rest.contains(where: { $0.mentions(symbol) }) { return nil }
      result = result + rest.reduce(Size(term.coefficient)) { $0 * Size($1) }
    }
    return result
  }

  /// The formula for the `width` values of `symbol` from a multiple of `width` on, as far as its
  /// steps go: among them, its quotients by multiples of `width` are all the same.
  package func within(_ width: Int, of symbol: String) -> Size {
    terms.reduce(Size(constant)) { sum, term in
      sum
        + term.factors.reduce(Size(term.coefficient)) { product, factor in
          if case .quotient(let a, let b) = factor, a == .symbol(symbol), let divisor = b.known,
            divisor % width == 0
          {
            return product * .symbol("\(symbol)/\(divisor)")
          }
          return product * Size(factor)
        }
    }
  }

  package func mentions(_ symbol: String) -> Bool {
    terms.contains { $0.factors.contains { $0.mentions(symbol) } }
  }
}

extension Size.Factor {
  fileprivate func evaluated(_ values: [String: Int]) -> Int? {
    switch self {
    case .symbol(let name): return values[name]
    case .quotient(let a, let b):
      guard let x = a.evaluated(values), let y = b.evaluated(values), y != 0 else { return nil }
      return Size.floorQuotient(x, y)
    case .remainder(let a, let b):
      guard let x = a.evaluated(values), let y = b.evaluated(values), y != 0 else { return nil }
      return x - Size.floorQuotient(x, y) * y
    }
  }

  fileprivate func substituted(_ replacements: [String: Size]) -> Size {
    switch self {
    case .symbol(let name): replacements[name] ?? .symbol(name)
    case .quotient(let a, let b): a.substituting(replacements) / b.substituting(replacements)
    case .remainder(let a, let b): a.substituting(replacements) % b.substituting(replacements)
    }
  }

  fileprivate func mentions(_ symbol: String) -> Bool {
    switch self {
    case .symbol(let name): name == symbol
    case .quotient(let a, let b), .remainder(let a, let b): a.mentions(symbol) || b.mentions(symbol)
    }
  }

  /// What terms are sorted by: symbols by name, then the rest by their text.
  fileprivate var order: String { description }
}

extension Size.Term {
  fileprivate var order: String { factors.map(\.order).joined(separator: "*") }
}

// MARK: - Text

extension Size: CustomStringConvertible {
  /// The formula as a person writes it: `batch * 2 + 1`.
  public var description: String {
    var text = ""
    for term in terms {
      let magnitude = term.coefficient.magnitude
      let product = term.factors.map(\.description).joined(separator: " * ")
      let part = magnitude == 1 ? product : "\(product) * \(magnitude)"
      if text.isEmpty {
        text = term.coefficient < 0 ? "-\(part)" : part
      } else {
        text += term.coefficient < 0 ? " - \(part)" : " + \(part)"
      }
    }
    if text.isEmpty { return String(constant) }
    if constant == 0 { return text }
    return text + (constant < 0 ? " - \(-constant)" : " + \(constant)")
  }
}

extension Size.Factor: CustomStringConvertible {
  package var description: String {
    switch self {
    case .symbol(let name): name
    case .quotient(let a, let b): "((\(a)) / (\(b)))"
    case .remainder(let a, let b): "((\(a)) % (\(b)))"
    }
  }
}

extension Size: Codable {
  private enum CodingKeys: String, CodingKey { case constant, terms }

  /// A known size is a number; another one its terms.
  public func encode(to encoder: any Encoder) throws {
    if let known {
      var container = encoder.singleValueContainer()
      try container.encode(known)
    } else {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(constant, forKey: .constant)
      try container.encode(terms, forKey: .terms)
    }
  }

  public init(from decoder: any Decoder) throws {
    if let value = try? decoder.singleValueContainer().decode(Int.self) {
      self.init(value)
      return
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let constant = try container.decode(Int.self, forKey: .constant)
    let terms = try container.decode([Term].self, forKey: .terms)
    let constants = terms.filter(\.factors.isEmpty).map(\.coefficient)
    self.init(
      constant: constants.reduce(constant) { $0.plus($1) },
      terms: Self.collected(terms.filter { !$0.factors.isEmpty }))
  }
}

extension Int {
  /// Never `Int.min`, whose negative is no number.
  fileprivate var clamped: Int { Swift.max(self, -.max) }

  fileprivate func plus(_ other: Int) -> Int {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? (other < 0 ? -.max : .max) : sum.clamped
  }

  fileprivate func times(_ other: Int) -> Int {
    let (product, overflows) = multipliedReportingOverflow(by: other)
    return overflows ? ((self < 0) == (other < 0) ? .max : -.max) : product.clamped
  }
}
