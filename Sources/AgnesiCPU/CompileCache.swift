import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Compiled units, in this process and on disk.
///
/// On disk, a unit is `FOLDER/units/KEY.so`, where the key is made of the source, the compiler,
/// its flags and the processor. Files are written beside and renamed, so that several processes
/// may fill one folder at once; each ends with its length and a check sum, and one that does not
/// match is compiled again. Where the folder cannot be written, code lives in memory only.
package final class CompileCache: Sendable {
  package let folder: String
  /// Bytes on disk above which the units used least recently are removed.
  package let limit: Int
  private let warn: @Sendable (String) -> Void
  private let state = Mutex(State())

  private struct State {
    var units: [CacheKey: CompiledUnit] = [:]
    /// From the least to the most recently used.
    var order: [CacheKey] = []
    var hasWarned = false
    var writes = 0
    var compilations = 0
  }

  /// Units kept loaded even if nobody holds them.
  private static let loadedLimit = 256

  /// The cache that all of a process shares.
  package static let standard = CompileCache(folder: standardFolder(standardEnvironment))

  package init(
    folder: String, limit: Int = 512 << 20,
    warn: @escaping @Sendable (String) -> Void = { text in
      FileBytes.complain(text)
    }
  ) {
    self.folder = folder
    self.limit = limit
    self.warn = warn
  }

  private static var standardEnvironment: [String: String] {
    var found: [String: String] = [:]
    for name in ["AGNESI_CACHE", "XDG_CACHE_HOME", "HOME"] {
      if let value = getenv(name) { found[name] = String(cString: value) }
    }
    return found
  }

  /// `AGNESI_CACHE`, else `XDG_CACHE_HOME/agnesi`, else `HOME/.cache/agnesi`, else in `/tmp`.
  package static func standardFolder(_ environment: [String: String]) -> String {
    func value(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    if let chosen = value("AGNESI_CACHE") { return chosen }
    if let base = value("XDG_CACHE_HOME") { return "\(base)/agnesi" }
    if let home = value("HOME") { return "\(home)/.cache/agnesi" }
    return "/tmp/agnesi-cache-\(getuid())"
  }

  /// How often this cache has run the C compiler.
  package var compilations: Int { state.withLock { $0.compilations } }

  /// The loaded units of `sources`; those that neither memory nor disk has are compiled side by
  /// side.
  package func units(
    _ sources: [(text: String, names: [String])],
    compiler: () throws(KernelCompilationError) -> CCompiler
  ) throws(KernelCompilationError) -> [CompiledUnit] {
    let compiler = try compiler()
    let keys = sources.map { CacheKey(source: $0.text, compiler: compiler) }
    var units = zip(keys, sources).map { key, source in
      loaded(key) ?? stored(key, source.names).map { remember($0, key) }
    }
    // All start before the first is waited for, and all are waited for even if one fails.
    var works: [(index: Int, work: Result<CompilerWork, KernelCompilationError>)] = []
    for index in units.indices where units[index] == nil {
      works.append(
        (
          index,
          Result { () throws(KernelCompilationError) in
            try CompilerWork(sources[index].text, compiler)
          }
        ))
    }
    state.withLock { $0.compilations += works.count }
    let results = works.map { index, work in
      Result { () throws(KernelCompilationError) in
        let unit = try finished(try work.get(), keys[index], sources[index].names)
        return remember(unit, keys[index])
      }
    }
    for (work, result) in zip(works, results) { units[work.index] = try result.get() }
    return units.compactMap { $0 }
  }

  // MARK: In memory

  private func loaded(_ key: CacheKey) -> CompiledUnit? {
    state.withLock { state in
      guard let unit = state.units[key] else { return nil }
      if let position = state.order.firstIndex(of: key) { state.order.remove(at: position) }
      state.order.append(key)
      return unit
    }
  }

  /// The first of two threads that compiled one unit wins, so that both hold the same.
  private func remember(_ unit: CompiledUnit, _ key: CacheKey) -> CompiledUnit {
    state.withLock { state in
      if let first = state.units[key] { return first }
      state.units[key] = unit
      state.order.append(key)
      if state.order.count > Self.loadedLimit {
        state.units[state.order.removeFirst()] = nil
      }
      return unit
    }
  }

  // MARK: On disk

  private func path(_ key: CacheKey) -> String { "\(folder)/units/\(key).so" }

  /// Nil where there is no whole file, or the loader refuses it.
  private func stored(_ key: CacheKey, _ names: [String]) -> CompiledUnit? {
    let path = path(key)
    guard let bytes = try? FileBytes.read(path), SealedFile.isWhole(bytes) else { return nil }
    guard let library = try? LoadedLibrary(path),
      let unit = try? CompiledUnit(library, names: names)
    else { return nil }
    // The time of change is the time of the last use.
    utimensat(AT_FDCWD, path, nil, 0)
    return unit
  }

  private func finished(
    _ work: CompilerWork, _ key: CacheKey, _ names: [String]
  ) throws(KernelCompilationError) -> CompiledUnit {
    let bytes = try work.finish()
    defer { work.remove() }
    do {
      let file = try store(bytes, key)
      // Another process may have made room in the meantime.
      if let library = try? LoadedLibrary(file) { return try CompiledUnit(library, names: names) }
    } catch let failure as FileBytes.Failure {
      warnOnce(failure)
    } catch {
      throw .loading("\(error)")
    }
    return try CompiledUnit(LoadedLibrary(work.library), names: names)
  }

  private func store(_ bytes: [UInt8], _ key: CacheKey) throws(FileBytes.Failure) -> String {
    let path = path(key)
    let count = state.withLock { state in
      state.writes += 1
      return state.writes
    }
    try FileBytes.makeFolder("\(folder)/units")
    let temporary = "\(path).\(getpid()).\(count).tmp"
    try FileBytes.replace(path, with: SealedFile.sealed(bytes), beside: temporary)
    if count % 64 == 1 { CacheTrimming.trim("\(folder)/units", to: limit, keeping: path) }
    return path
  }

  private func warnOnce(_ failure: FileBytes.Failure) {
    let isFirst = state.withLock { state in
      defer { state.hasWarned = true }
      return !state.hasWarned
    }
    guard isFirst else { return }
    warn(
      """
      agnesi: compiled code cannot be kept in \(folder): \(failure.text)
        it is compiled again by each process; set AGNESI_CACHE to a folder that can be written
      """)
  }
}

/// Names a unit: equal keys, equal code.
package struct CacheKey: Hashable, CustomStringConvertible, Sendable {
  let high: UInt64
  let low: UInt64

  init(source: String, compiler: CCompiler) {
    let parts = [source, compiler.identity, Processor.identity] + compiler.flags
    let text = Array(parts.joined(separator: "\u{0}").utf8)
    (high, low) = text.withUnsafeBytes {
      (CheckSum.of($0, seed: 0x9e37_79b9_7f4a_7c15), CheckSum.of($0, seed: 0xc2b2_ae3d_27d4_eb4f))
    }
  }

  package var description: String {
    [high, low].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
