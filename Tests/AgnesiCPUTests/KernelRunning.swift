import AgnesiArrays
import AgnesiCPU
import AgnesiLoops
import TestSupport
import Testing

/// Compiled kernels of this process's tests; removed when it ends.
private let sharedFolder = try? TemporaryFolder()
let testCompiler = KernelCompiler(
  cache: CompileCache(folder: sharedFolder?.path ?? "/nowhere"), math: CMath.source)

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
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  try expectAgreement(
    [KernelCase(kernel: kernel, arguments: arguments, sizes: sizes, tolerance: tolerance)],
    sourceLocation: sourceLocation)
}

/// The same for many kernels at once: one unit is compiled far quicker than many.
func expectAgreement(
  _ cases: [KernelCase], sourceLocation: Testing.SourceLocation = #_sourceLocation
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
    if x.isFinite, abs(x - y) <= tolerance * max(1, abs(x)) { continue }
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
