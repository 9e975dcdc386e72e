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

  /// C's own operators truncate, which is rounding down for what is never negative. Where loops
  /// bound the numerator, 32 bits do: vectors of them divide twice as fast.
  private mutating func division(
    _ a: Size, _ b: Size, _ sign: String, _ function: String
  ) -> String {
    let (x, y) = (text(a), text(b))
    guard a.isNeverNegative, b.isNeverNegative else {
      helpers.insert(.integerDivision(.int64))
      return "agnesi_\(function)_i64(\(x), \(y))"
    }
    // A divisor of 0 stands before loops that never run; it must not end the process.
    guard let divisor = b.known, divisor > 0 else { return "(\(x) \(sign) (\(y) + !\(y)))" }
    if let bound = upperBound(a), bound <= UInt32.max, divisor <= Int32.max {
      return "(int64_t)((uint32_t)\(x) \(sign) \(divisor)u)"
    }
    return "(\(x) \(sign) \(y))"
  }

  /// The largest value of a formula that is never negative, where it depends on loops of known
  /// extents only.
  private func upperBound(_ size: Size) -> Int? {
    var sum = size.constant
    for term in size.terms {
      var product = term.coefficient
      for factor in term.factors {
        guard let bound = upperBound(factor) else { return nil }
        let (value, overflow) = product.multipliedReportingOverflow(by: bound)
        if overflow { return nil }
        product = value
      }
      let (value, overflow) = sum.addingReportingOverflow(product)
      if overflow { return nil }
      sum = value
    }
    return sum
  }

  private func upperBound(_ factor: Size.Factor) -> Int? {
    switch factor {
    case .symbol(let name):
      return variableBounds[name]
    case .quotient(let a, let b):
      guard let x = upperBound(a), let y = b.known, y > 0 else { return nil }
      return x / y
    case .remainder(_, let b):
      return b.known.map { $0 - 1 }
    }
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
