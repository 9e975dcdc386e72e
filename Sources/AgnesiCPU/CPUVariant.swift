import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// A program laid out, lowered and compiled with some sizes in mind. It is right for all sizes, and
/// good for those of one ``SizeRegime``.
final class CPUVariant: Sendable {
  let lowered: LoweredProgram
  /// What the passes did that depend on sizes.
  let passRecords: [PassRecord]
  /// The compiled function of each step that is a kernel; equal kernels share one.
  let functions: [CompiledUnit.Function?]
  /// Keeps the functions valid.
  private let unit: CompiledUnit?

  init(_ program: GraphProgram, for regime: SizeRegime, on backend: CPU) throws {
    let laidOut = program.laidOut(expecting: regime.expected)
    passRecords = Array(laidOut.records.dropFirst(program.records.count))
    lowered = backend.lowered(laidOut, expecting: regime)
    var kernels: [Kernel] = []
    var texts: [KernelText] = []
    var names: [KernelCode: String] = [:]
    let stepNames = lowered.steps.map { step -> String? in
      let newName = "agnesi_kernel_\(kernels.count + texts.count)"
      switch step.work {
      case .kernel(var kernel, _):
        let code = KernelCode.loops(kernel.arguments, kernel.body)
        if let name = names[code] { return name }
        kernel.name = newName
        names[code] = newName
        kernels.append(kernel)
      case .text(let text):
        let code = KernelCode.text(text.text, prelude: text.prelude)
        if let name = names[code] { return name }
        names[code] = newName
        texts.append(text.renamed(newName))
      case .call: return nil
      }
      return newName
    }
    try Dump()?.write(program, laidOut, lowered, kernels, texts)
    let unit = names.isEmpty ? nil : try backend.compiler.compile(kernels, texts: texts)
    self.unit = unit
    functions = stepNames.map { name in name.flatMap { unit?[$0] } }
  }
}

/// What a kernel does, whatever it is called.
private enum KernelCode: Hashable {
  case loops([Kernel.Argument], [Statement])
  case text(String, prelude: String)
}
