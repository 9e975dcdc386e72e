import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import CAgnesi

/// The processor of this machine: loops rendered to C, oneDNN and OpenBLAS, one pool of threads.
public struct CPU: Backend {
  public var name: String { "CPU" }

  let compiler: KernelCompiler

  let profiler: Profiler?

  let convolutions: ConvolutionChoices

  /// What chooses layouts in the place of the search: for measurements and tests.
  private var layoutPolicy: LayoutPolicy?

  /// Names one of the candidates for a node.
  package typealias LayoutPolicy = @Sendable (Node, [LayoutCandidate]) -> Int

  /// A missing C compiler is reported by `compile`.
  ///
  /// - Parameters:
  ///   - convolutions: the algorithms that convolutions may take; `.direct` is the strict mode.
  ///   - profiler: gathers how long each step of the functions takes; see <doc:Profiling>.
  public init(
    convolutions: ConvolutionAlgorithms = .environment, profiler: Profiler? = nil
  ) {
    self.init(
      compiler: KernelCompiler(math: CMath.source),
      choices: ConvolutionChoices(convolutions) { ConvolutionTable.standard },
      profiler: profiler)
  }

  package init(compiler: KernelCompiler, profiler: Profiler? = nil) {
    self.init(
      compiler: compiler,
      choices: ConvolutionChoices(.environment) { ConvolutionTable.standard },
      profiler: profiler)
  }

  /// - Parameter table: the measurements that choices follow, in the place of the user's own.
  package init(table: ConvolutionTable) {
    self.init(
      compiler: KernelCompiler(math: CMath.source),
      choices: ConvolutionChoices(.quickest) { table }, profiler: nil)
  }

  /// - Parameter layouts: what chooses them in the place of the search; nil for the search.
  package init(
    convolutions: ConvolutionAlgorithms = .environment, profiler: Profiler? = nil,
    layouts: LayoutPolicy?
  ) {
    self.init(convolutions: convolutions, profiler: profiler)
    layoutPolicy = layouts
  }

  private init(compiler: KernelCompiler, choices: ConvolutionChoices, profiler: Profiler?) {
    self.compiler = compiler
    convolutions = choices
    self.profiler = profiler
  }

  /// The number of threads that kernels use; at first the number of cores that this process may run
  /// on, or the environment variable AGNESI_THREADS.
  ///
  /// Functions use the number that was set when they first ran with their sizes.
  public static var threads: Int {
    get { Int(agnesi_threads()) }
    set { agnesi_set_threads(Int32(clamping: max(1, newValue))) }
  }

  public func prepare(_ program: GraphProgram) throws -> any Executable {
    try CPUExecutable(program, backend: self)
  }

  public var choices: BackendChoices { convolutions.record(threads: Self.threads) }

  /// A backend that was asked to be strict stays so, and a run that chose nothing yet binds nobody.
  public func repeating(_ choices: BackendChoices) -> any Backend {
    if convolutions.algorithms == .direct || choices == BackendChoices() { return self }
    return CPU(
      compiler: compiler, choices: ConvolutionChoices(repeating: choices), profiler: profiler)
  }

  /// The program as steps that are good for `sizes` and others of their regime, and right for all.
  package func lowered(
    _ program: GraphProgram, expecting sizes: [String: Int]
  ) -> LoweredProgram {
    lowered(program, in: SizeRegime(sizes, of: program))
  }

  func lowered(_ program: GraphProgram, in regime: SizeRegime) -> LoweredProgram {
    lowered(program.laidOut(expecting: regime.expected), expecting: regime)
  }

  /// A program whose tensors are laid out already.
  func lowered(_ laidOut: GraphProgram, expecting regime: SizeRegime) -> LoweredProgram {
    Lowerer.lower(laidOut, library: CPULibrary(expectedSizes: regime.expected)).hoistedFirst()
  }

  /// First the layout of every convolution is chosen, by what all of them take together; then each layout is
  /// carried out.
  public var passes: [Pass] {
    let isStrict = convolutions.algorithms == .direct
    return [
      Pass("layouts", from: .fast) { [layoutPolicy] roots, context in
        let costs = CPULayouts(
          for: roots, expecting: context.expectedSizes, isStrict: isStrict)
        context.layouts =
          layoutPolicy.map { LayoutSearch.assignment(roots, costs, by: $0) }
          ?? LayoutSearch.assignment(roots, costs)
        return roots
      },
      Pass("batch-innermost layout", from: .fast) { roots, context in
        BatchInnermostLayout.laidOut(roots, context.layouts)
      },
      Pass("row vectors", from: .fast) { roots, context in
        PixelsLayout.laidOut(roots, context.layouts)
      },
      Pass("channel-blocked layout", from: .fast) { roots, context in
        ChannelBlockedLayout.laidOut(
          roots, context.layouts, expecting: context.expectedSizes, isStrict: isStrict)
      },
    ]
  }
}

extension Backend where Self == CPU {
  /// The processor of this machine.
  public static var cpu: CPU { CPU() }
}
