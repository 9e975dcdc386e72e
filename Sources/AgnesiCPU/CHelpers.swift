import AgnesiArrays
import AgnesiLoops

/// The C functions that rendered kernels call, as far as they are used.
struct CHelpers {
  enum Helper: Hashable {
    /// One of ``CMath``'s functions: the name without `agnesi_` and the dtype.
    case math(String)
    case philox
    case digamma
    case fusedMultiplyAdd
    case floatModulo
    case truncation
    case bfloat16
    case integerDivision(DType)
    case integerPower(DType)
    /// Vectors of a float dtype, their maxima, minima and reductions.
    case vectors(DType)
    /// Loads of float32 vectors, fused multiply-add, and the transposition of 16 vectors.
    case tiles
    /// Sums of products for some rows of a tile, in so many vectors.
    case tileSums(rows: Int, vectors: Int, isPartial: Bool)

    /// Whether the function calls others.
    fileprivate var isLast: Bool {
      if case .tileSums = self { return true }
      return false
    }
  }

  private(set) var used: Set<Helper> = []

  mutating func insert(_ helper: Helper) { used.insert(helper) }
  mutating func formUnion(_ other: CHelpers) { used.formUnion(other.used) }

  /// The names to ask ``CMath`` for.
  var mathFunctions: Set<String> {
    var names: Set<String> = []
    for helper in used {
      switch helper {
      case .math(let name): names.insert(name)
      case .philox: names.insert("philox")
      case .floatModulo: names.insert("fmod")
      case .digamma: names.formUnion(["log", "tan"])
      default: break
      }
    }
    return names
  }

  /// The functions themselves, without those of ``CMath``, which they may call.
  var text: String {
    func texts(_ helpers: [Helper]) -> [String] {
      helpers.map(\.text).filter { !$0.isEmpty }.sorted()
    }
    let parts = texts(used.filter { !$0.isLast }) + texts(used.filter(\.isLast))
    return parts.joined(separator: "\n")
  }

  /// No headers: opening them takes longer than compiling a small kernel.
  ///
  /// A short loop must not be unrolled before it has become vectors, or it never does.
  static let prelude = """
    typedef __INT8_TYPE__ int8_t;
    typedef __INT16_TYPE__ int16_t;
    typedef __INT32_TYPE__ int32_t;
    typedef __INT64_TYPE__ int64_t;
    typedef __UINT8_TYPE__ uint8_t;
    typedef __UINT16_TYPE__ uint16_t;
    typedef __UINT32_TYPE__ uint32_t;
    typedef __UINT64_TYPE__ uint64_t;
    #define AGNESI_ALIGNED __attribute__((aligned(64)))
    #ifdef __clang__
    #define AGNESI_VECTOR _Pragma("clang loop vectorize(assume_safety)")
    #define AGNESI_VECTOR_ONCE AGNESI_VECTOR _Pragma("clang loop unroll(disable)")
    #define AGNESI_VECTOR_MASKED AGNESI_VECTOR_ONCE _Pragma("clang loop vectorize_predicate(enable)")
    #define AGNESI_ONE_BY_ONE _Pragma("clang loop unroll(disable)")
    #else
    #define AGNESI_ONE_BY_ONE _Pragma("GCC unroll 1")
    #define AGNESI_VECTOR _Pragma("GCC ivdep")
    #define AGNESI_VECTOR_ONCE AGNESI_VECTOR
    #define AGNESI_VECTOR_MASKED AGNESI_VECTOR
    #endif

    """
}

extension CHelpers.Helper {
  fileprivate var text: String {
    switch self {
    case .math, .philox: ""
    case .digamma: Self.digammaText
    case .fusedMultiplyAdd: Self.fusedMultiplyAddText
    case .floatModulo: ["f32", "f64"].map(Self.floatModuloText).joined()
    case .truncation: Self.truncationText
    case .bfloat16: Self.bfloat16Text
    case .integerDivision(let dtype): Self.divisionText(dtype)
    case .integerPower(let dtype): Self.powerText(dtype)
    case .vectors(let dtype): Self.vectorText(dtype)
    case .tiles: Self.tilesText
    case .tileSums(let rows, let vectors, let isPartial):
      Self.tileSumsText(rows: rows, vectors: vectors, isPartial: isPartial)
    }
  }

  private static let fusedMultiplyAddText = """
    #if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    #define AGNESI_FMA_f32(a, b, c) __builtin_fmaf(a, b, c)
    #define AGNESI_FMA_f64(a, b, c) __builtin_fma(a, b, c)
    #else
    #define AGNESI_FMA_f32(a, b, c) ((c) + (a) * (b))
    #define AGNESI_FMA_f64(a, b, c) ((c) + (a) * (b))
    #endif

    """

  private static func floatModuloText(_ suffix: String) -> String {
    let type = suffix == "f32" ? "float" : "double"
    return """
      static inline \(type) agnesi_modulo_\(suffix)(\(type) x, \(type) y) {
        const \(type) r = agnesi_fmod_\(suffix)(x, y);
        return r != 0 && (r < 0) != (y < 0) ? r + y : r;
      }

      """
  }

  private static let truncationText = ["f32", "f64"].map { suffix in
    let type = suffix == "f32" ? "float" : "double"
    let f = suffix == "f32" ? "f" : ""
    return """
      static inline int64_t agnesi_i64_from_\(suffix)(\(type) x) {
        return x != x ? 0
          : x >= 0x1p63\(f) ? 9223372036854775807
          : x <= -0x1p63\(f) ? -9223372036854775807 - 1 : (int64_t)x;
      }
      static inline uint64_t agnesi_u64_from_\(suffix)(\(type) x) {
        return x >= 0x1p64\(f) ? ~(uint64_t)0
          : x >= 0x1p63\(f) ? (uint64_t)x : (uint64_t)agnesi_i64_from_\(suffix)(x);
      }

      """
  }.joined()

  private static let bfloat16Text = """
    static inline float agnesi_load_bf16(uint16_t x) {
      const uint32_t bits = (uint32_t)x << 16;
      float value;
      __builtin_memcpy(&value, &bits, 4);
      return value;
    }
    static inline uint16_t agnesi_store_bf16(float x) {
      uint32_t bits;
      __builtin_memcpy(&bits, &x, 4);
      return x != x ? 0x7fc0 : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }

    """

  /// Rounding down and towards zero; 0 for a divisor of 0, wrapped for the smallest by −1.
  private static func divisionText(_ dtype: DType) -> String {
    let (type, suffix) = (dtype.cValue, dtype.cSuffix)
    guard dtype.isSigned else {
      return ["divide", "floorDivide", "modulo"].map { name in
        """
        static inline \(type) agnesi_\(name)_\(suffix)(\(type) x, \(type) y) {
          return y == 0 ? 0 : x \(name == "modulo" ? "%" : "/") y;
        }

        """
      }.joined()
    }
    let negated = "(\(type))(0 - (uint64_t)x)"
    return """
      static inline \(type) agnesi_divide_\(suffix)(\(type) x, \(type) y) {
        return y == 0 ? 0 : y == -1 ? \(negated) : x / y;
      }
      static inline \(type) agnesi_floorDivide_\(suffix)(\(type) x, \(type) y) {
        if (y == 0) return 0;
        if (y == -1) return \(negated);
        return x / y - (x % y != 0 && (x < 0) != (y < 0));
      }
      static inline \(type) agnesi_modulo_\(suffix)(\(type) x, \(type) y) {
        if (y == 0 || y == -1) return 0;
        return x % y + (x % y != 0 && (x < 0) != (y < 0) ? y : 0);
      }

      """
  }

  private static func powerText(_ dtype: DType) -> String {
    let (type, suffix) = (dtype.cValue, dtype.cSuffix)
    let negative = """
        if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 == 0 ? 1 : -1) : 0;

      """
    return """
      static inline \(type) agnesi_power_\(suffix)(\(type) x, \(type) y) {
      \(dtype.isSigned ? negative : "")\
        uint64_t result = 1, square = (uint64_t)x;
        for (uint64_t rest = (uint64_t)y; rest; rest >>= 1) {
          if (rest & 1) result *= square;
          square *= square;
        }
        return (\(type))result;
      }

      """
  }
}
