import AgnesiCompiler
import AgnesiLoops

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Kernels → C → machine code in this process.
///
/// A unit that was compiled before, by this process or another one, is loaded from the cache.
package struct KernelCompiler: Sendable {
  package var cache: CompileCache
  /// Looked for at each compilation: cached code is for the compiler of today.
  package var compiler: CCompiler.Search
  /// The C text of elementary functions.
  package var math: @Sendable (Set<String>) -> String

  package init(
    cache: CompileCache = .standard, compiler: CCompiler.Search = .standard,
    math: @escaping @Sendable (Set<String>) -> String
  ) {
    self.cache = cache
    self.compiler = compiler
    self.math = math
  }

  /// The kernels as functions.
  ///
  /// Many kernels are compiled as several units, side by side on the machine's processors.
  ///
  /// - Parameters:
  ///   - kernels: verified kernels with different names.
  ///   - texts: kernels in C already, with other names.
  /// - Throws: where there is no C compiler, or where it fails.
  /// - Complexity: one run of the C compiler (0.05 s and more) for kernels seen for the first time;
  ///   otherwise the time to render them and to read a file.
  package func compile(
    _ kernels: [Kernel], texts: [KernelText] = []
  ) throws(KernelCompilationError) -> CompiledUnit {
    let limit = min(8, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    let sources = CRenderer.sources(kernels, texts: texts, limit: limit, math: math)
    let units = try cache.units(sources, compiler: compiler.compiler)
    return units.count == 1 ? units[0] : CompiledUnit(units)
  }

  /// C text of our own that defines the functions `names`.
  package func compile(
    source: String, names: [String]
  ) throws(KernelCompilationError) -> CompiledUnit {
    try cache.units([(source, names)], compiler: compiler.compiler)[0]
  }
}

/// Loaded functions. They are valid as long as the unit is.
package final class CompiledUnit: Sendable {
  /// `(args, sizes, begin, end)`, see ``CRenderer``.
  package typealias Function =
    @convention(c) (
      UnsafePointer<UnsafeMutableRawPointer?>?, UnsafePointer<Int64>?, Int64, Int64
    ) -> Void

  private let libraries: [LoadedLibrary]
  private let functions: [String: Function]

  init(_ library: LoadedLibrary, names: [String]) throws(KernelCompilationError) {
    var functions: [String: Function] = [:]
    for name in names {
      guard let address = library.address(of: name) else {
        throw .loading("the compiled unit has no function \(name)")
      }
      functions[name] = unsafeBitCast(address, to: Function.self)
    }
    libraries = [library]
    self.functions = functions
  }

  /// All functions of several units, whose names differ.
  init(_ units: [CompiledUnit]) {
    libraries = units.flatMap(\.libraries)
    functions = units.reduce(into: [:]) { all, unit in
      all.merge(unit.functions) { first, _ in first }
    }
  }

  /// The function of the kernel called `name`.
  package subscript(_ name: String) -> Function? { functions[name] }
}

/// Why kernels could not be turned into machine code.
public enum KernelCompilationError: Error, Hashable, CustomStringConvertible {
  /// Neither beside `swiftc` nor on PATH.
  case noCompiler
  /// AGNESI_CC names what cannot be run.
  case unusableCompiler(path: String, reason: String)
  /// The compiler rejected our C, or crashed: a bug of Agnesi's, or a broken installation.
  case compilerFailed(compiler: String, outcome: String, source: String, diagnostics: [String])
  /// No folder for intermediate files.
  case noTemporaryFolder(path: String, reason: String)
  case loading(String)

  public var description: String {
    switch self {
    case .noCompiler:
      return """
        compile: no C compiler: there is no clang beside swiftc, and no clang, cc or gcc on PATH
          hint: apt-get install clang (or gcc), or set AGNESI_CC to a compiler's path
        """
    case .unusableCompiler(let path, let reason):
      return """
        compile: the C compiler \(path) cannot be run: \(reason)
          hint: set AGNESI_CC to the path of clang or gcc, or unset it
        """
    case .compilerFailed(let compiler, let outcome, let source, let diagnostics):
      let lines = diagnostics.map { "\n  \($0)" }.joined()
      return """
        compile: \(compiler) failed on generated code (\(outcome))\(lines)
          the code is kept in \(source); this is a mistake in Agnesi unless the compiler is broken
        """
    case .noTemporaryFolder(let path, let reason):
      return """
        compile: no folder for intermediate files can be made in \(path): \(reason)
          hint: set TMPDIR to a folder that can be written
        """
    case .loading(let reason):
      return "compile: the compiled code cannot be loaded: \(reason)"
    }
  }
}
