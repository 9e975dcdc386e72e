#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Numbers as people read them in progress lines and reports: always with a decimal point, never
/// dependent on the user's locale.
package enum NumberText {
  /// `value` with `decimals` places: `0.0312`.
  package static func fixed(_ value: Double, _ decimals: Int) -> String {
    if let special = special(value) { return special }
    let text = formatted(value, "%.\(max(decimals, 0))f")
    // A value that rounds to zero has no sign.
    return text.hasPrefix("-") && !text.contains(where: { ("1"..."9").contains($0) })
      ? String(text.dropFirst()) : text
  }

  /// `value` with `digits` significant digits, trailing zeros kept, as powers of ten only where
  /// plain digits would be longer than eight: `0.0312`, `57.3`, `8.10e+05`.
  package static func significant(_ value: Double, _ digits: Int = 3) -> String {
    if let special = special(value) { return special }
    if value == 0 { return fixed(0, max(digits - 1, 0)) }
    let exponent = exponent(value, digits)
    if exponent < -4 || exponent > 5 { return formatted(value, "%.\(max(digits - 1, 0))e") }
    return fixed(value, max(digits - 1 - exponent, 0))
  }

  /// `value` as a person would have written it: `0.05`, `3e-05`, `100`; at most six digits.
  package static func plain(_ value: Double) -> String {
    special(value) ?? formatted(value, "%.6g")
  }

  /// A fraction as percent, with a space before the sign: `98.97 %`.
  package static func percent(_ fraction: Double, _ decimals: Int = 2) -> String {
    "\(fixed(fraction * 100, decimals)) %"
  }

  /// A count with its thousands apart: `61,706`.
  package static func grouped(_ count: Int) -> String {
    var digits = Array(String(count.magnitude))
    var position = digits.count - 3
    while position > 0 {
      digits.insert(",", at: position)
      position -= 3
    }
    return (count < 0 ? "-" : "") + String(digits)
  }

  /// A large count in a short form: `417`, `61.7 k`, `2.86 M`, `1.2 G`.
  package static func short(_ count: Int) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
    let value = Double(count)
    for (size, unit) in units where abs(value) >= size * 0.9995 {
      return "\(significant(value / size, 3)) \(unit)"
    }
    return String(count)
  }

  private static func special(_ value: Double) -> String? {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "infinite" : "-infinite" }
    return nil
  }

  /// The power of ten of the first digit, after rounding to `digits` digits.
  private static func exponent(_ value: Double, _ digits: Int) -> Int {
    let text = formatted(value, "%.\(max(digits - 1, 0))e")
    return text.split(separator: "e").last.flatMap { Int($0) } ?? 0
  }

  private static func formatted(_ value: Double, _ format: String) -> String {
    var buffer = [CChar](repeating: 0, count: 400)
    let length = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
    return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Spans of time as people say them.
package enum TimeText {
  /// In the two largest units that matter: `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
  ///
  /// Seconds are rounded upward, so that "0 s left" means the end.
  package static func coarse(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "unknown" }
    let whole = Int(max(seconds, 0).rounded(.up))
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600: return pair(whole / 60, "min", whole % 60, "s")
    case ..<86400: return pair(whole / 3600, "h", whole % 3600 / 60, "min")
    default: return pair(whole / 86400, "d", whole % 86400 / 3600, "h")
    }
  }

  /// A measured time: `0.84 s`, `12.4 s`, and from a minute on as ``coarse(_:)``.
  package static func measured(_ seconds: Double) -> String {
    if seconds < 1 { return "\(NumberText.significant(seconds, 2)) s" }
    return seconds < 59.95 ? "\(NumberText.fixed(seconds, 1)) s" : coarse(seconds.rounded())
  }

  private static func pair(_ large: Int, _ unit: String, _ small: Int, _ part: String) -> String {
    small == 0 ? "\(large) \(unit)" : "\(large) \(unit) \(small) \(part)"
  }
}
