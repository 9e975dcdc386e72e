import AgnesiArrays
import AgnesiCompiler
import AgnesiLoops

/// Kernels as one C text.
///
/// Each kernel becomes
/// `void NAME(void *const *args, const int64_t *sizes, int64_t begin, int64_t end)`:
/// `args` are the arguments' addresses, `sizes` the values of `kernel.sizes` in that order; a
/// kernel whose outermost loop is parallel runs its iterations `begin..<end`, another one ignores
/// both. The meaning is that of ``KernelInterpreter``, except that
///
/// - elementary functions are our own C, within the bounds that they state;
/// - float sums, products, maxima and minima are reduced in lanes: 16 (float32) or 8 (float64)
///   running values a vector and up to four vectors, then a fixed tree, so the result depends on
///   the extent only, neither on the machine nor on the number of threads;
/// - `local = local + x * y`, and a sum of products in tiles, rounds once where the processor has
///   fused multiply-add; in tiles it adds from the first iteration to the last. Everything else is
///   compiled with contraction off: `a * a - b * b` is 0 for equal operands.
///
/// Arguments may be the same memory where an element is read only at the index that is written.
/// Vector loops therefore promise independent iterations, not restricted pointers.
package enum CRenderer {
  /// The text of a unit with `kernels`, whose names differ.
  ///
  /// - Parameter math: the C text of the elementary functions called `agnesi_NAME_f32` and `_f64`.
  package static func source(
    _ kernels: [Kernel], texts: [KernelText] = [], math: (Set<String>) -> String
  ) -> String {
    unit(kernels.map(Piece.init) + texts.map(Piece.init), math)
  }

  /// The texts of at most `limit` units, of about equal length, with the names of their kernels.
  ///
  /// Units are compiled side by side. A short one is not worth a process of its own.
  package static func sources(
    _ kernels: [Kernel], texts: [KernelText] = [], limit: Int, math: (Set<String>) -> String
  ) -> [(text: String, names: [String])] {
    let functions = kernels.map(Piece.init) + texts.map(Piece.init)
    let total = functions.reduce(0) { $0 + $1.length }
    let count = max(1, min(limit, total / worthwhileLength))
    var parts = [[Piece]](repeating: [], count: count)
    var lengths = [Int](repeating: 0, count: count)
    // The longest first, each to the part that is shortest so far.
    let order = functions.indices.sorted {
      (functions[$1].length, $0) < (functions[$0].length, $1)
    }
    for index in order {
      let part = lengths.indices.min { (lengths[$0], $0) < (lengths[$1], $1) } ?? 0
      parts[part].append(functions[index])
      lengths[part] += functions[index].length
    }
    return parts.map { (unit($0, math), $0.map(\.name)) }
  }

  /// What takes clang three times as long as starting up, 0.1 s.
  private static let worthwhileLength = 8000

  /// One kernel's part of a unit.
  private struct Piece {
    let name: String
    let text: String
    var helpers = CHelpers()
    var prelude: String?
    /// Bytes, about.
    let length: Int

    init(_ kernel: Kernel) {
      var function = CFunction(kernel)
      function.render()
      (name, text, helpers) = (kernel.name, function.text, function.helpers)
      length = function.length
    }

    init(_ kernel: KernelText) {
      (name, text, prelude) = (kernel.name, kernel.text, kernel.prelude)
      length = text.utf8.count
    }
  }

  private static func unit(_ pieces: [Piece], _ math: (Set<String>) -> String) -> String {
    var helpers = CHelpers()
    for piece in pieces { helpers.formUnion(piece.helpers) }
    let names = helpers.mathFunctions
    let preludes = Set(pieces.compactMap(\.prelude)).sorted()
    let head = [CHelpers.prelude, names.isEmpty ? "" : math(names), helpers.text] + preludes
    return (head + pieces.map(\.text)).joined(separator: "\n")
  }
}

/// The text of one C function while it is being written.
struct CFunction {
  let kernel: Kernel
  var helpers = CHelpers()
  private(set) var lines: [String] = []
  private var depth = 0
  private var temporaries = 0
  /// C names of sizes and loop variables.
  private(set) var symbolNames: [String: String] = [:]
  /// Locals that hold one value for each lane of the surrounding strip.
  var laneLocals: Set<Int> = []
  /// The strip that the statements being written belong to.
  var strip: CStrip?
  var scratchTypes: [Int: DType] = [:]
  /// The C names of the range that the parallel statement being written runs through.
  var parallelBounds = (lower: "begin", upper: "end")
  /// The largest values of loop variables, as far as extents are known.
  private(set) var variableBounds: [String: Int] = [:]

  init(_ kernel: Kernel) { self.kernel = kernel }

  /// Bytes of the text, about.
  var length: Int { lines.reduce(0) { $0 + $1.utf8.count } }

  var text: String { lines.joined(separator: "\n") + "\n" }

  mutating func line(_ text: String) {
    lines.append(String(repeating: "  ", count: depth) + text)
  }

  /// `head {`, what `body` writes, `}`.
  mutating func block(_ head: String, _ body: (inout CFunction) -> Void) {
    line(head.isEmpty ? "{" : "\(head) {")
    depth += 1
    body(&self)
    depth -= 1
    line("}")
  }

  mutating func freshName(_ prefix: String) -> String {
    temporaries += 1
    return "\(prefix)\(temporaries)"
  }

  /// A C name for a size or loop variable; users may call a size anything.
  private mutating func declare(_ symbol: String, prefix: String) -> String {
    if let name = symbolNames[symbol] { return name }
    let letters = symbol.unicodeScalars.map { letter -> Character in
      letter.isASCII && (letter.properties.isAlphabetic || letter.properties.numericType != nil)
        ? Character(letter) : "_"
    }
    var name = "\(prefix)_\(String(letters))"
    if symbolNames.values.contains(name) { name = freshName("\(name)_") }
    symbolNames[symbol] = name
    return name
  }

  /// Declares the variable of a loop that is about to be written.
  mutating func declareVariable(_ symbol: String, _ extent: Size) -> String {
    variableBounds[symbol] = extent.known.map { max(0, $0 - 1) }
    return declare(symbol, prefix: "i")
  }

  mutating func render() {
    let head = "void \(kernel.name)(void *const *args, const int64_t *sizes"
    block("\(head), int64_t begin, int64_t end)") { function in
      function.renderArguments()
      for statement in function.kernel.body { function.collectScratch(statement) }
      function.render(function.kernel.body)
    }
  }

  private mutating func renderArguments() {
    for (index, argument) in kernel.arguments.enumerated() {
      let type = argument.dtype.cStorage
      line(
        argument.isWritten
          ? "\(type) *const a\(index) = args[\(index)];"
          : "const \(type) *const a\(index) = args[\(index)];")
    }
    for (index, symbol) in kernel.sizes.enumerated() {
      let name = declare(symbol, prefix: "n")
      line("const int64_t \(name) = sizes[\(index)];")
    }
    if kernel.parallelExtent == nil { line("(void)begin, (void)end;") }
  }

  private mutating func collectScratch(_ statement: Statement) {
    if case .scratch(let id, let dtype, _) = statement { scratchTypes[id] = dtype }
    for child in statement.children { collectScratch(child) }
  }

  /// The dtype that a buffer stores.
  func storage(of buffer: Buffer) -> DType {
    switch buffer {
    case .argument(let index): kernel.arguments[index].dtype
    case .scratch(let id): scratchTypes[id] ?? .float32
    }
  }
}

extension DType {
  /// The C type of an element in memory.
  var cStorage: String {
    switch self {
    case .bool: "uint8_t"
    case .float16: "_Float16"
    case .bfloat16: "uint16_t"
    default: cValue
    }
  }

  /// The C type of a value; 16-bit floats are computed with as float.
  var cValue: String {
    switch self {
    case .bool: "_Bool"
    case .int8: "int8_t"
    case .int16: "int16_t"
    case .int32: "int32_t"
    case .int64: "int64_t"
    case .uint8: "uint8_t"
    case .uint16: "uint16_t"
    case .uint32: "uint32_t"
    case .uint64: "uint64_t"
    case .float16, .bfloat16, .float32: "float"
    case .float64: "double"
    }
  }

  /// What ends the names of functions on this type.
  var cSuffix: String {
    switch self {
    case .bool: "bool"
    case .int8: "i8"
    case .int16: "i16"
    case .int32: "i32"
    case .int64: "i64"
    case .uint8: "u8"
    case .uint16: "u16"
    case .uint32: "u32"
    case .uint64: "u64"
    case .float16: "f16"
    case .bfloat16: "bf16"
    case .float32: "f32"
    case .float64: "f64"
    }
  }
}
