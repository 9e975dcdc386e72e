import AgnesiArrays
import AgnesiCPU
import AgnesiLoops
import Foundation
import TestSupport
import Testing

/// A kernel that stores `value`; another value is another source.
private func constant(_ value: Int, name: String = "constant") -> Kernel {
  Kernel(
    name: name, arguments: [.init(.int32, isWritten: true)],
    body: [
      .store(.argument(0), index: .index(0), value: .constant(Double(value), .int32))
    ])
}

private func run(_ unit: CompiledUnit, _ name: String = "constant") throws -> Double {
  var result = NDArray(zeros: [1], .int32)
  let function = try #require(unit[name])
  result.withUnsafeMutableBytes { function([$0.baseAddress], nil, 0, 0) }
  return result.doubles[0]
}

private func files(_ folder: TemporaryFolder) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.path + "/units").sorted()
}

private final class Warnings: Sendable {
  private nonisolated(unsafe) var texts: [String] = []
  private let lock = NSLock()
  func add(_ text: String) { lock.withLock { texts.append(text) } }
  var all: [String] { lock.withLock { texts } }
}

@Suite struct CompileCacheTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What another process would have: the same folder, nothing loaded.
  private func compiler(limit: Int = 1 << 20) -> KernelCompiler {
    KernelCompiler(cache: CompileCache(folder: folder.path, limit: limit), math: CMath.source)
  }

  @Test func compilesOnce() throws {
    let first = compiler()
    #expect(try run(first.compile([constant(1)])) == 1)
    #expect(try first.compile([constant(1)]) === first.compile([constant(1)]))
    #expect(first.cache.compilations == 1)
    let second = compiler()
    #expect(try run(second.compile([constant(1)])) == 1)
    #expect(second.cache.compilations == 0)
    #expect(try run(second.compile([constant(2)])) == 2)
    #expect(second.cache.compilations == 1)
    #expect(try files(folder).count == 2)
  }

  @Test func manyKernelsBecomeSeveralUnits() throws {
    let kernels = (0..<200).map { constant($0 + 100, name: "many\($0)") }
    let parts = CRenderer.sources(kernels, limit: 4, math: CMath.source)
    #expect(parts.count == 4)
    #expect(parts.flatMap(\.names).sorted() == kernels.map(\.name).sorted())
    #expect(parts.map(\.names.count).allSatisfy { (49...51).contains($0) })
    let own = compiler()
    let unit = try own.compile(kernels)
    for number in 0..<200 { #expect(try run(unit, "many\(number)") == Double(number + 100)) }
    let second = compiler()
    #expect(try run(second.compile(kernels), "many59") == 159)
    #expect(second.cache.compilations == 0)
  }

  @Test(arguments: [0, 1, 23, 24, 100, 5000]) func truncatedFilesAreRebuilt(_ length: Int) throws {
    #expect(try run(compiler().compile([constant(3)])) == 3)
    let path = try folder.path + "/units/" + files(folder)[0]
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
    let second = compiler()
    #expect(try run(second.compile([constant(3)])) == 3)
    #expect(second.cache.compilations == 1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == bytes.count)
  }

  @Test func changedFilesAreRebuilt() throws {
    #expect(try run(compiler().compile([constant(4)])) == 4)
    let path = try folder.path + "/units/" + files(folder)[0]
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    let second = compiler()
    #expect(try run(second.compile([constant(4)])) == 4)
    #expect(second.cache.compilations == 1)
  }

  @Test func threadsShareAFolder() async throws {
    // Separate caches, as separate processes have them, all compiling the same units at once.
    let results = try await withThrowingTaskGroup(of: [Double].self) { group in
      for _ in 0..<4 {
        group.addTask {
          let own = compiler()
          return try (10..<14).map { try run(own.compile([constant($0)])) }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results == Array(repeating: [10, 11, 12, 13], count: 4))
    #expect(try files(folder).filter { $0.hasSuffix(".so") }.count == 4)
    #expect(try files(folder).filter { $0.hasSuffix(".tmp") } == [])
  }

  @Test func aFolderThatCannotBeWritten() throws {
    let place = folder.path + "/file"
    try Data().write(to: URL(fileURLWithPath: place))
    let warnings = Warnings()
    let cache = CompileCache(folder: place, warn: warnings.add)
    let compiler = KernelCompiler(cache: cache, math: CMath.source)
    #expect(try run(compiler.compile([constant(5)])) == 5)
    #expect(try run(compiler.compile([constant(6)])) == 6)
    #expect(
      warnings.all == [
        """
        agnesi: compiled code cannot be kept in \(place): Not a directory
          it is compiled again by each process; set AGNESI_CACHE to a folder that can be written
        """
      ])
  }

  @Test(.disabled(if: geteuid() == 0, "root may write everywhere"))
  func aReadOnlyFolder() throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.path)
    let warnings = Warnings()
    let cache = CompileCache(folder: folder.path, warn: warnings.add)
    let compiler = KernelCompiler(cache: cache, math: CMath.source)
    #expect(try run(compiler.compile([constant(5)])) == 5)
    #expect(
      warnings.all == [
        """
        agnesi: compiled code cannot be kept in \(folder.path): Permission denied
          it is compiled again by each process; set AGNESI_CACHE to a folder that can be written
        """
      ])
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path)
  }

  @Test func boundedSize() throws {
    // One file is about 15 KiB: the first write of each cache trims.
    for value in 20..<25 {
      #expect(try run(compiler(limit: 40_000).compile([constant(value)])) == Double(value))
    }
    let sizes = try files(folder).map { name in
      try FileManager.default.attributesOfItem(atPath: "\(folder.path)/units/\(name)")[.size]
        as? Int ?? 0
    }
    #expect(sizes.reduce(0, +) <= 40_000)
    #expect(sizes.count >= 1)
    // The last one was kept.
    let last = compiler()
    #expect(try run(last.compile([constant(24)])) == 24)
    #expect(last.cache.compilations == 0)
  }

  @Test func foldersByEnvironment() {
    #expect(CompileCache.standardFolder(["AGNESI_CACHE": "/a", "HOME": "/h"]) == "/a")
    #expect(
      CompileCache.standardFolder(["XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/x/agnesi")
    #expect(CompileCache.standardFolder(["HOME": "/h", "AGNESI_CACHE": ""]) == "/h/.cache/agnesi")
  }
}

@Suite struct KernelCompilerErrorTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func compiler(_ environment: [String: String]) -> KernelCompiler {
    KernelCompiler(
      cache: CompileCache(folder: folder.path), compiler: .init(environment: environment),
      math: CMath.source)
  }

  private func text(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      // A process that another test starts may hold the file open that was just written.
      if "\(error)".contains("Text file busy") { return text(body) }
      return "\(error)"
    }
  }

  @Test func noCompiler() {
    #expect(
      text { _ = try compiler(["PATH": folder.path]).compile([constant(1)]) } == """
        compile: no C compiler: there is no clang beside swiftc, and no clang, cc or gcc on PATH
          hint: apt-get install clang (or gcc), or set AGNESI_CC to a compiler's path
        """)
  }

  @Test func compilerThatIsMissing() {
    #expect(
      text { _ = try compiler(["AGNESI_CC": "/no/such/cc"]).compile([constant(1)]) } == """
        compile: the C compiler /no/such/cc cannot be run: No such file or directory
          hint: set AGNESI_CC to the path of clang or gcc, or unset it
        """)
    #expect(
      text { _ = try compiler(["AGNESI_CC": "nocc", "PATH": "/"]).compile([constant(1)]) } == """
        compile: the C compiler nocc cannot be run: it is not on PATH
          hint: set AGNESI_CC to the path of clang or gcc, or unset it
        """)
  }

  @Test func compilerThatFails() throws {
    let path = folder.path + "/cc"
    try Data("#!/bin/sh\necho first line; echo second line >&2; exit 3\n".utf8)
      .write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    var error = KernelCompilationError.noCompiler
    _ = text {
      do {
        _ = try compiler(["AGNESI_CC": path]).compile([constant(1)])
      } catch let failure as KernelCompilationError {
        error = failure
        throw failure
      }
    }
    guard case .compilerFailed(let name, let outcome, let source, let diagnostics) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(name == path)
    #expect(outcome == "exit 3")
    #expect(diagnostics == ["first line", "second line"])
    #expect(try String(contentsOfFile: source, encoding: .utf8).contains("void constant("))
    #expect(
      "\(error)" == """
        compile: \(path) failed on generated code (exit 3)
          first line
          second line
          the code is kept in \(source); this is a mistake in Agnesi unless the compiler is broken
        """)
    try FileManager.default.removeItem(atPath: String(source.dropLast("/unit.c".count)))
  }

  @Test func whatIsNoCompiler() throws {
    let path = folder.path + "/cc"
    try Data("text".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    #expect(
      text { _ = try compiler(["AGNESI_CC": path]).compile([constant(1)]) } == """
        compile: the C compiler \(path) cannot be run: Exec format error
          hint: set AGNESI_CC to the path of clang or gcc, or unset it
        """)
  }

  @Test func theOtherCompiler() throws {
    // Rendered code is plain C: gcc takes it, too, and its code is kept apart from clang's.
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/gcc") else { return }
    let gcc = compiler(["AGNESI_CC": "/usr/bin/gcc"])
    #expect(try run(gcc.compile([constant(7)])) == 7)
    let standard = KernelCompiler(
      cache: CompileCache(folder: folder.path), compiler: .standard, math: CMath.source)
    #expect(try run(standard.compile([constant(7)])) == 7)
    #expect(standard.cache.compilations == 1)
  }
}
