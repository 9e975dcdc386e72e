import AgnesiArrays
import AgnesiCPU
import AgnesiLoops
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Elementary functions by C's library, so that these tests are about rendering alone.
func libraryMath(_ names: Set<String>) -> String {
  names.sorted().map { name in
    switch name {
    case "philox": philoxText
    case "sigmoid":
      unaryText(name) { "1 / (1 + __builtin_exp(-(double)\($0)))" }
    case "softplus":
      unaryText(name) {
        "__builtin_fmax(\($0), 0) + __builtin_log1p(__builtin_exp(-__builtin_fabs(\($0))))"
      }
    case "pow", "atan2", "fmod":
      ["float", "double"].map { type in
        let suffix = type == "float" ? "f32" : "f64"
        return "static inline \(type) agnesi_\(name)_\(suffix)(\(type) x, \(type) y) "
          + "{ return (\(type))__builtin_\(name)(x, y); }\n"
      }.joined()
    default: unaryText(name) { "__builtin_\(name)(\($0))" }
    }
  }.joined()
}

private func unaryText(_ name: String, _ formula: (String) -> String) -> String {
  ["float", "double"].map { type in
    let suffix = type == "float" ? "f32" : "f64"
    return "static inline \(type) agnesi_\(name)_\(suffix)(\(type) x) "
      + "{ return (\(type))(\(formula("x"))); }\n"
  }.joined()
}

private let philoxText = """
  static inline uint32_t agnesi_philox(uint64_t key, uint64_t low, uint64_t high, int word) {
    uint32_t c[4] = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)};
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; ++round) {
      const uint64_t a = (uint64_t)c[0] * 0xD2511F53u, b = (uint64_t)c[2] * 0xCD9E8D57u;
      const uint32_t d0 = (uint32_t)(b >> 32) ^ c[1] ^ k0, d2 = (uint32_t)(a >> 32) ^ c[3] ^ k1;
      c[0] = d0, c[1] = (uint32_t)b, c[2] = d2, c[3] = (uint32_t)a;
      k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return c[word];
  }

  """

/// A folder that is removed when the value is released.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/agnesi-test-XXXXXX".utf8CString)
    let made = mkdtemp(&template) != nil
    path = made ? String(decoding: template.dropLast().map { UInt8($0) }, as: UTF8.self) : "/tmp"
  }

  deinit {
    if path != "/tmp" { removeTree(path) }
  }
}

func removeTree(_ path: String) {
  if let stream = opendir(path) {
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { removeTree("\(path)/\(name)") }
    }
    closedir(stream)
    rmdir(path)
  } else {
    unlink(path)
  }
}

let sharedFolder = TemporaryFolder()
let testCompiler = KernelCompiler(
  cache: CompileCache(folder: sharedFolder.path), math: libraryMath)

/// Calls a compiled kernel; parallel ones in one piece, or in pieces of `piece` iterations.
func runCompiled(
  _ kernel: Kernel, _ arguments: inout [NDArray], sizes: [String: Int] = [:], piece: Int? = nil,
  unit: CompiledUnit? = nil
) throws {
  let unit = try unit ?? testCompiler.compile([kernel])
  let function = try #require(unit[kernel.name])
  // Distinct memory for each argument, as a memory plan would give it.
  arguments = arguments.map { array in
    var copy = array.contiguous()
    copy.withUnsafeMutableBytes { _ in }
    return copy
  }
  let pointers = arguments.map { array in
    array.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
  }
  let values = kernel.sizes.map { Int64(sizes[$0] ?? -1) }
  let extent = Int64(kernel.parallelExtent?.evaluated(sizes) ?? 1)
  let step = Int64(piece ?? Int(max(extent, 1)))
  var begin: Int64 = 0
  while begin < extent {
    function(pointers, values, begin, min(extent, begin + step))
    begin += step
  }
  withExtendedLifetime((unit, arguments)) {}
}

/// A kernel with what to run it on.
struct KernelCase {
  var kernel: Kernel
  var arguments: [NDArray]
  var sizes: [String: Int] = [:]
  /// Allowed error relative to `max(1, |expected|)`; 0 asks for equal values.
  var tolerance = 0.0
}

/// Checks that compiled and interpreted kernels agree.
func expectAgreement(
  _ kernel: Kernel, _ arguments: [NDArray], sizes: [String: Int] = [:], tolerance: Double = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try expectAgreement(
    [KernelCase(kernel: kernel, arguments: arguments, sizes: sizes, tolerance: tolerance)],
    sourceLocation: sourceLocation)
}

/// The same for many kernels at once: one unit is compiled far quicker than many.
func expectAgreement(
  _ cases: [KernelCase], sourceLocation: SourceLocation = #_sourceLocation
) throws {
  // Cases of one kernel share its code.
  var kernels: [String: Kernel] = [:]
  let renamed = cases.map { one in
    var one = one
    let text = one.kernel.description
    one.kernel.name += "_\(kernels.count)"
    one.kernel = kernels[text] ?? one.kernel
    kernels[text] = one.kernel
    return one
  }
  let unit = try testCompiler.compile(kernels.values.sorted { $0.name < $1.name })
  for one in renamed {
    try one.kernel.verify()
    var expected = one.arguments
    try KernelInterpreter(one.kernel).run(&expected, sizes: one.sizes)
    for piece in one.kernel.parallelExtent == nil ? [nil] : [nil, 5] {
      var computed = one.arguments
      try runCompiled(one.kernel, &computed, sizes: one.sizes, piece: piece, unit: unit)
      for index in computed.indices where one.kernel.arguments[index].isWritten {
        guard let mismatch = firstMismatch(expected[index], computed[index], one.tolerance) else {
          continue
        }
        let text = CRenderer.source([one.kernel], math: { _ in "" })
        Issue.record(
          "a\(index): \(mismatch)\n\(one.kernel)\n\(text)", sourceLocation: sourceLocation)
      }
    }
  }
}

private func firstMismatch(_ a: NDArray, _ b: NDArray, _ tolerance: Double) -> String? {
  for (position, (x, y)) in zip(a.doubles, b.doubles).enumerated() {
    if x == y || (x.isNaN && y.isNaN) { continue }
    if abs(x - y) <= tolerance * max(1, abs(x)) { continue }
    return "element \(position) is \(y) compiled, \(x) interpreted"
  }
  return nil
}

/// `count` numbers of a fixed stream, in `range`, as `dtype`.
func numbers(
  _ count: Int, _ range: ClosedRange<Double> = -3...3, _ dtype: DType = .float32, seed: UInt64 = 1
) -> NDArray {
  let stream = Philox(seed: seed, name: "numbers")
  let values = (0..<count).map { index in
    let unit = Double(stream.word(UInt64(index))) / 0x1p32
    return range.lowerBound + unit * (range.upperBound - range.lowerBound)
  }
  return NDArray(rounding: values, shape: [count], dtype)
}
