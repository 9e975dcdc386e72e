import AgnesiArrays

/// One value inside a loop nest: a constant, an index, an element of a buffer, or a function of
/// other values.
///
/// An immutable graph; a value that two others use is one node. A statement evaluates the values
/// that it names when it runs.
public final class Scalar: Sendable {
  public let kind: Kind
  public let dtype: DType
  /// Structural, computed once, so that comparing large equal graphs is quick.
  private let hash: Int

  public enum Kind: Sendable {
    /// A floating number.
    case constant(Double)
    /// An integer (uint64 by its bits) or bool (1 or 0).
    case whole(Int64)
    /// A formula of loop variables and sizes, int64.
    case index(Size)
    /// A local variable.
    case local(Int)
    case load(Buffer, Scalar)
    case unary(UnaryFunction, Scalar)
    case binary(BinaryFunction, Scalar, Scalar)
    case select(Scalar, Scalar, Scalar)
    case cast(Scalar)
    /// Word `word` (0...3) of the Philox block of `key` at counter (`low`, `high`), uint32.
    case random(key: UInt64, low: Scalar, high: Scalar, word: Int)
  }

  package init(_ kind: Kind, _ dtype: DType) {
    self.kind = kind
    self.dtype = dtype
    var hasher = Hasher()
    hasher.combine(dtype)
    Self.combine(kind, into: &hasher)
    hash = hasher.finalize()
  }

  private static func combine(_ kind: Kind, into hasher: inout Hasher) {
    switch kind {
    case .constant(let value): hasher.combine(value.bitPattern)
    case .whole(let value): hasher.combine(value)
    case .index(let size): hasher.combine(size)
    case .local(let id): hasher.combine(id)
    case .load(let buffer, let index):
      hasher.combine(buffer)
      hasher.combine(index)
    case .unary(let function, let x):
      hasher.combine(function)
      hasher.combine(x)
    case .binary(let function, let x, let y):
      hasher.combine(function)
      hasher.combine(x)
      hasher.combine(y)
    case .select(let condition, let x, let y):
      hasher.combine(condition)
      hasher.combine(x)
      hasher.combine(y)
    case .cast(let x): hasher.combine(x)
    case .random(let key, let low, let high, let word):
      hasher.combine(key)
      hasher.combine(low)
      hasher.combine(high)
      hasher.combine(word)
    }
  }

  /// The values that this one is made of.
  package var operands: [Scalar] {
    switch kind {
    case .constant, .whole, .index, .local: []
    case .load(_, let index): [index]
    case .unary(_, let x), .cast(let x): [x]
    case .binary(_, let x, let y): [x, y]
    case .select(let condition, let x, let y): [condition, x, y]
    case .random(_, let low, let high, _): [low, high]
    }
  }
}

/// Memory that a loop nest reads or writes: an argument of the kernel, or scratch of its own.
public enum Buffer: Hashable, Sendable {
  case argument(Int)
  case scratch(Int)
}

/// Functions of one value. All but `not`, `abs`, `negate`, `sign` and rounding are of floats.
public enum UnaryFunction: String, Sendable, CaseIterable, Codable {
  case negate, abs, sign, not
  case sqrt, floor, ceil, trunc, round, isNaN
  case exp, exp2, expm1, log, log2, log10, log1p
  case sin, cos, tan, asin, acos, atan
  case sinh, cosh, tanh, asinh, acosh, atanh
  case erf, erfc, lgamma, digamma, sigmoid, softplus
}

/// Functions of two values of one dtype.
public enum BinaryFunction: String, Sendable, CaseIterable, Codable {
  /// `divide` truncates integers; `floorDivide` and `modulo` round down, for floats too.
  case add, subtract, multiply, divide, floorDivide, modulo
  /// NaN where either operand is NaN; the first operand where both are equal.
  case maximum, minimum
  case power, atan2
  /// Bitwise for integers, logical for bool.
  case and, or, xor
  /// Results are bool.
  case equal, notEqual, less, lessOrEqual

  package var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual: true
    default: false
    }
  }
}

extension Scalar: Hashable {
  public static func == (a: Scalar, b: Scalar) -> Bool {
    if a === b { return true }
    guard a.hash == b.hash, a.dtype == b.dtype else { return false }
    switch (a.kind, b.kind) {
    case (.constant(let x), .constant(let y)): return x.bitPattern == y.bitPattern
    case (.whole(let x), .whole(let y)): return x == y
    case (.index(let x), .index(let y)): return x == y
    case (.local(let x), .local(let y)): return x == y
    case (.load(let b1, let i1), .load(let b2, let i2)): return b1 == b2 && i1 == i2
    case (.unary(let f, let x), .unary(let g, let y)): return f == g && x == y
    case (.binary(let f, let x, let y), .binary(let g, let u, let v)):
      return f == g && x == u && y == v
    case (.select(let c, let x, let y), .select(let d, let u, let v)):
      return c == d && x == u && y == v
    case (.cast(let x), .cast(let y)): return x == y
    case (.random(let k1, let l1, let h1, let w1), .random(let k2, let l2, let h2, let w2)):
      return k1 == k2 && w1 == w2 && l1 == l2 && h1 == h2
    default: return false
    }
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
