import AgnesiArrays
import AgnesiLoops

// Functions of values as C expressions.

extension UnaryFunction {
  func cText(_ x: String, _ dtype: DType, _ helpers: inout CHelpers) -> String {
    let (type, suffix) = (dtype.cValue, dtype.cSuffix)
    guard dtype.isFloating else { return integerText(x, dtype, type) }
    let f = dtype == .float64 ? "" : "f"
    switch self {
    case .negate: return "-\(x)"
    case .not: return "!\(x)"
    case .abs: return "__builtin_fabs\(f)(\(x))"
    case .sign: return "(\(x) > 0 ? 1 : (\(x) < 0 ? -1 : \(x)))"
    case .sqrt: return "__builtin_sqrt\(f)(\(x))"
    case .floor: return "__builtin_floor\(f)(\(x))"
    case .ceil: return "__builtin_ceil\(f)(\(x))"
    case .trunc: return "__builtin_trunc\(f)(\(x))"
    case .round: return "__builtin_rint\(f)(\(x))"
    case .isNaN: return "\(x) != \(x)"
    case .digamma:
      helpers.insert(.digamma)
      return "agnesi_digamma_\(suffix)(\(x))"
    default:
      helpers.insert(.math(rawValue))
      return "agnesi_\(rawValue)_\(suffix)(\(x))"
    }
  }

  /// Signed arithmetic goes through unsigned types, where C wraps around.
  private func integerText(_ x: String, _ dtype: DType, _ type: String) -> String {
    switch self {
    case .negate: return "(\(type))(0 - \(x.asUnsigned(dtype)))"
    case .not: return dtype == .bool ? "!\(x)" : "(\(type))~\(x)"
    case .abs:
      return dtype.isSigned ? "(\(type))(\(x) < 0 ? 0 - \(x.asUnsigned(dtype)) : \(x))" : x
    case .sign: return "(\(type))((\(x) > 0) - (\(x) < 0))"
    default: return x
    }
  }
}

extension BinaryFunction {
  func cText(
    _ x: String, _ y: String, _ dtype: DType, _ helpers: inout CHelpers
  ) -> String {
    if let sign = comparisonSign { return "\(x) \(sign) \(y)" }
    if dtype == .bool { return boolText(x, y) }
    return dtype.isFloating
      ? floatText(x, y, dtype, &helpers) : integerText(x, y, dtype, &helpers)
  }

  private var comparisonSign: String? {
    switch self {
    case .equal: "=="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    default: nil
    }
  }

  private func boolText(_ x: String, _ y: String) -> String {
    switch self {
    case .and, .minimum: "\(x) & \(y)"
    case .or, .maximum: "\(x) | \(y)"
    default: "\(x) ^ \(y)"
    }
  }

  private func floatText(
    _ x: String, _ y: String, _ dtype: DType, _ helpers: inout CHelpers
  ) -> String {
    let suffix = dtype.cSuffix
    switch self {
    case .add: return "\(x) + \(y)"
    case .subtract: return "\(x) - \(y)"
    case .multiply: return "\(x) * \(y)"
    case .divide: return "\(x) / \(y)"
    case .floorDivide: return "__builtin_floor\(dtype == .float64 ? "" : "f")(\(x) / \(y))"
    // The comparison is one instruction, and the test for NaN a second that constants remove.
    case .maximum: return "\(y) != \(y) ? \(y) : (\(y) > \(x) ? \(y) : \(x))"
    case .minimum: return "\(y) != \(y) ? \(y) : (\(y) < \(x) ? \(y) : \(x))"
    case .modulo:
      helpers.insert(.floatModulo)
      return "agnesi_modulo_\(suffix)(\(x), \(y))"
    case .power:
      helpers.insert(.math("pow"))
      return "agnesi_pow_\(suffix)(\(x), \(y))"
    default:
      helpers.insert(.math("atan2"))
      return "agnesi_atan2_\(suffix)(\(x), \(y))"
    }
  }

  private func integerText(
    _ x: String, _ y: String, _ dtype: DType, _ helpers: inout CHelpers
  ) -> String {
    let type = dtype.cValue
    let (a, b) = (x.asUnsigned(dtype), y.asUnsigned(dtype))
    switch self {
    case .add: return "(\(type))(\(a) + \(b))"
    case .subtract: return "(\(type))(\(a) - \(b))"
    case .multiply: return "(\(type))(\(a) * \(b))"
    case .maximum: return "\(y) > \(x) ? \(y) : \(x)"
    case .minimum: return "\(y) < \(x) ? \(y) : \(x)"
    case .and: return "(\(type))(\(x) & \(y))"
    case .or: return "(\(type))(\(x) | \(y))"
    case .xor: return "(\(type))(\(x) ^ \(y))"
    case .power:
      helpers.insert(.integerPower(dtype))
      return "agnesi_power_\(dtype.cSuffix)(\(x), \(y))"
    default:
      helpers.insert(.integerDivision(dtype))
      return "agnesi_\(rawValue)_\(dtype.cSuffix)(\(x), \(y))"
    }
  }
}

extension String {
  /// 32 bits at least: narrower unsigned types would be promoted to int, whose product may
  /// overflow.
  fileprivate func asUnsigned(_ dtype: DType) -> String {
    dtype.size == 8 ? "(uint64_t)\(self)" : "(uint32_t)\(self)"
  }
}

/// `x` as another dtype.
func cast(_ x: String, _ from: DType, _ to: DType, _ helpers: inout CHelpers) -> String {
  if to == .bool { return "\(x) != 0" }
  switch to {
  case .float16: return "(float)(_Float16)(float)\(x)"
  case .bfloat16:
    helpers.insert(.bfloat16)
    return "agnesi_load_bf16(agnesi_store_bf16((float)\(x)))"
  default: break
  }
  guard from.isFloating, !to.isFloating else { return "(\(to.cValue))\(x)" }
  let target = to == .uint64 ? "u64" : "i64"
  let source = from == .float64 ? "f64" : "f32"
  helpers.insert(.truncation)
  return "(\(to.cValue))agnesi_\(target)_from_\(source)(\(x))"
}
