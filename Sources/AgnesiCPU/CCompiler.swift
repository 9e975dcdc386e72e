#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A C compiler on this machine.
package struct CCompiler: Hashable, Sendable {
  package var path: String
  /// Distinguishes compilers and their versions: path, size and time of change.
  package var identity: String

  /// How a compiler is looked for.
  package struct Search: Sendable {
    /// The variables that matter: AGNESI_CC and PATH.
    package var environment: [String: String]

    package init(environment: [String: String]) { self.environment = environment }

    package static var standard: Search {
      var found: [String: String] = [:]
      for name in ["AGNESI_CC", "PATH"] {
        if let value = getenv(name) { found[name] = String(cString: value) }
      }
      return Search(environment: found)
    }
  }

  /// Full speed without changing what floats mean.
  ///
  /// Measured on a Zen 4 core: with clang 21, -O3 gives nothing over -O2 and takes longer; with
  /// gcc 12, -O2 makes few vectors.
  package var flags: [String] {
    let isClang = path.split(separator: "/").last?.contains("clang") ?? false
    return [isClang ? "-O2" : "-O3"] + Self.commonFlags
  }

  /// Vectors of 512 bits, which clang does not choose by itself there, are up to twice as fast.
  private static let commonFlags: [String] = {
    var flags = [
      "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fno-strict-aliasing",
      "-shared", "-fPIC", "-nostdlib", "-w",
    ]
    #if arch(x86_64)
      flags += ["-march=native", "-mprefer-vector-width=512"]
    #elseif arch(arm64)
      flags += ["-mcpu=native"]
    #endif
    #if canImport(Darwin)
      flags += ["-undefined", "dynamic_lookup"]
    #endif
    return flags
  }()
}

extension CCompiler.Search {
  /// AGNESI_CC where it is set; else the Swift toolchain's clang; else clang, cc or gcc on PATH.
  package func compiler() throws(KernelCompilationError) -> CCompiler {
    if let chosen = environment["AGNESI_CC"], !chosen.isEmpty {
      guard let path = chosen.contains("/") ? chosen : onPath(chosen) else {
        throw .unusableCompiler(path: chosen, reason: "it is not on PATH")
      }
      guard access(path, X_OK) == 0 else {
        throw .unusableCompiler(path: path, reason: String(cString: strerror(errno)))
      }
      return CCompiler(path: path, identity: Self.identity(path))
    }
    guard let path = besideSwift() ?? onPath("clang") ?? onPath("cc") ?? onPath("gcc") else {
      throw .noCompiler
    }
    return CCompiler(path: path, identity: Self.identity(path))
  }

  private var folders: [Substring] { (environment["PATH"] ?? "").split(separator: ":") }

  private func onPath(_ name: String) -> String? {
    folders.lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// `swiftc` may be a link into the toolchain, whose clang is not on PATH.
  private func besideSwift() -> String? {
    guard let swift = onPath("swiftc") else { return nil }
    var candidates = [swift]
    if let resolved = realpath(swift, nil) {
      candidates.append(String(cString: resolved))
      free(resolved)
    }
    let clangs = candidates.compactMap { path -> String? in
      path.lastIndex(of: "/").map { String(path[..<$0]) + "/clang" }
    }
    return clangs.first { access($0, X_OK) == 0 }
  }

  /// Path, size and time of change of the file itself: what an update of the compiler changes.
  /// Asking for `--version` each time would take as long as compiling.
  private static func identity(_ path: String) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return path }
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    return "\(path) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)"
  }
}

/// What identifies the processor that `-march=native` compiles for.
package enum Processor {
  package static let identity: String = {
    #if canImport(Darwin)
      var size = 256
      var bytes = [CChar](repeating: 0, count: size)
      sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0)
      return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #else
      // The first processor's lines are enough, the file has as many copies as processors.
      guard let bytes = try? FileBytes.read("/proc/cpuinfo", limit: 8192) else { return "unknown" }
      let wanted = ["model name", "flags", "CPU part", "Features", "stepping"]
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      var seen: Set<Substring> = []
      return lines.filter { line in
        let key = line.prefix { $0 != "\t" && $0 != ":" }
        return wanted.contains { key.hasPrefix($0) } && seen.insert(key).inserted
      }.joined(separator: "\n")
    #endif
  }()
}
