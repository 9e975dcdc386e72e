import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops

/// A program arranged, lowered and compiled with some sizes in mind. It is right for all sizes, and
/// good for those of one ``SizeRegime``.
final class CPUVariant: Sendable {
  let lowered: LoweredProgram
  /// The compiled function of each step that is a kernel; equal kernels share one.
  let functions: [CompiledUnit.Function?]
  /// Keeps the functions valid.
  private let unit: CompiledUnit?

  init(_ program: GraphProgram, _ lowered: LoweredProgram, compiler: KernelCompiler) throws {
    self.lowered = lowered
    var kernels: [Kernel] = []
    var texts: [KernelText] = []
    var names: [String: String] = [:]
    let stepNames = lowered.steps.map { step -> String? in
      let newName = "agnesi_kernel_\(kernels.count + texts.count)"
      switch step.work {
      case .kernel(var kernel, _):
        let description = kernel.description
        if let name = names[description] { return name }
        kernel.name = newName
        names[description] = newName
        kernels.append(kernel)
      case .text(let text):
        if let name = names[text.text] { return name }
        names[text.text] = newName
        texts.append(text.renamed(newName))
      case .call: return nil
      }
      return newName
    }
    try Dump()?.write(program, lowered, kernels, texts)
    let unit = names.isEmpty ? nil : try compiler.compile(kernels, texts: texts)
    self.unit = unit
    functions = stepNames.map { name in name.flatMap { unit?[$0] } }
  }
}

/// What of the sizes decides how a program is best arranged: for each name, whether there are few or
/// many.
///
/// A batch of one photo wants other loops than a hundred samples; a hundred and sixty want the same.
struct SizeRegime: Hashable, Sendable {
  private let many: [String: Bool]

  /// Fewer than this do not fill the lanes of a vector.
  private static let few = 8

  init(_ sizes: [String: Int]) { many = sizes.mapValues { $0 >= Self.few } }
}
