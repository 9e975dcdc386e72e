import AgnesiLoops

// Formulas of sizes and loop variables as int64_t expressions.

extension CFunction {
  mutating func text(_ size: Size) -> String {
    var parts: [String] = []
    for term in size.terms {
      var factors = term.factors.map { text($0) }
      if term.coefficient != 1 { factors.append(Self.literal(term.coefficient)) }
      parts.append(factors.joined(separator: " * "))
    }
    if size.constant != 0 || parts.isEmpty { parts.append(Self.literal(size.constant)) }
    return parts.count == 1 && size.terms.isEmpty
      ? parts[0] : "(\(parts.joined(separator: " + ")))"
  }

  private mutating func text(_ factor: Size.Factor) -> String {
    switch factor {
    case .symbol(let name): return symbolNames[name] ?? name
    case .quotient(let a, let b): return division(a, b, "/", "floorDivide")
    case .remainder(let a, let b): return division(a, b, "%", "modulo")
    }
  }

  /// C's own operators truncate, which is rounding down for what is never negative; 0 as a
  /// divisor needs the guarded form.
  private mutating func division(
    _ a: Size, _ b: Size, _ sign: String, _ function: String
  ) -> String {
    let (x, y) = (text(a), text(b))
    if let divisor = b.known, divisor > 0, a.isNeverNegative { return "(\(x) \(sign) \(y))" }
    helpers.insert(.integerDivision(.int64))
    return "agnesi_\(function)_i64(\(x), \(y))"
  }

  static func literal(_ value: Int) -> String {
    if value == .min { return "(-9223372036854775807 - 1)" }
    let text = value.magnitude > 0x7fff_ffff ? "\(value)LL" : "\(value)"
    return value < 0 ? "(\(text))" : text
  }
}

extension Size {
  /// Whether the formula shows it: sizes and loop variables are never negative.
  var isNeverNegative: Bool {
    constant >= 0
      && terms.allSatisfy { $0.coefficient > 0 && $0.factors.allSatisfy(\.isNeverNegative) }
  }
}

extension Size.Factor {
  fileprivate var isNeverNegative: Bool {
    switch self {
    case .symbol: true
    case .quotient(let a, let b): a.isNeverNegative && b.isNeverNegative
    case .remainder(_, let b): b.isNeverNegative
    }
  }
}
