import AgnesiArrays

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One run of the C compiler, in a temporary folder of its own.
struct CompilerWork {
  private let folder: String
  private let compiler: CCompiler
  private let process: CompilerProcess
  private let cleanup: Int
  /// The shared library, inside of the folder.
  var library: String { "\(folder)/unit.so" }

  /// Starts the compiler.
  init(_ source: String, _ compiler: CCompiler) throws(KernelCompilationError) {
    self.compiler = compiler
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    do {
      folder = try FileBytes.makeTemporaryFolder(in: parent)
      try FileBytes.write(Array(source.utf8), to: "\(folder)/unit.c")
    } catch {
      throw .noTemporaryFolder(path: parent, reason: error.text)
    }
    let arguments = compiler.flags + ["-o", "\(folder)/unit.so", "\(folder)/unit.c"]
    do {
      process = try CompilerProcess(
        compiler.path, arguments, errors: "\(folder)/errors.txt")
    } catch {
      Self.remove(folder)
      throw .unusableCompiler(path: compiler.path, reason: error.reason)
    }
    cleanup = EndingCleanup.add { [process, folder] in
      process.stop()
      Self.remove(folder)
    }
  }

  /// Waits for the compiler and returns the library's bytes; to be called once.
  ///
  /// - Throws: where the compiler fails; the folder with the source then stays.
  func finish() throws(KernelCompilationError) -> [UInt8] {
    let outcome = process.wait()
    EndingCleanup.remove(cleanup)
    if outcome.isSuccess, let bytes = try? FileBytes.read(library), !bytes.isEmpty { return bytes }
    let said = (try? FileBytes.read("\(folder)/errors.txt")) ?? []
    let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
    throw .compilerFailed(
      compiler: compiler.path, outcome: outcome.text, source: "\(folder)/unit.c",
      diagnostics: lines.prefix(6).map { String($0) })
  }

  func remove() { Self.remove(folder) }

  private static func remove(_ folder: String) {
    for name in FileBytes.names(in: folder) { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }
}

/// A file that shows whether it is whole: loading a truncated library would end the process.
enum SealedFile {
  private static let mark = Array("agnesi01".utf8)

  /// The bytes, then a mark, their number and a check sum; the loader ignores what follows.
  static func sealed(_ bytes: [UInt8]) -> [UInt8] {
    bytes + mark + littleEndian(UInt64(bytes.count)) + littleEndian(sum(bytes[...]))
  }

  static func isWhole(_ file: [UInt8]) -> Bool {
    guard file.count > 24 else { return false }
    let body = file.dropLast(24)
    let expected = mark + littleEndian(UInt64(body.count)) + littleEndian(sum(body))
    return file.suffix(24).elementsEqual(expected)
  }

  private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.withUnsafeBytes { CheckSum.of($0, seed: 1) }
  }

  private static func littleEndian(_ value: UInt64) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}

/// 64 bits that depend on every byte: against accidents, not against attackers.
enum CheckSum {
  static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    var sum = seed ^ UInt64(bytes.count)
    var position = 0
    while position + 8 <= bytes.count {
      sum = mixed(sum, bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    var rest: UInt64 = 0
    for byte in bytes[position...] { rest = rest << 8 | UInt64(byte) }
    return mixed(mixed(sum, rest), 0x2545_f491_4f6c_dd1d)
  }

  /// Both halves of a 128-bit product, folded. A multiplier is odd and never small.
  private static func mixed(_ sum: UInt64, _ word: UInt64) -> UInt64 {
    let turned = (sum ^ word) &* 0x9fb2_1c65_1e98_df25
    let product = (turned ^ turned >> 32).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
    return product.high ^ product.low ^ (sum << 23 | sum >> 41)
  }
}

/// Keeps a cache folder below its limit.
enum CacheTrimming {
  /// Removes the files used least recently until the rest is below `limit` bytes, and what killed
  /// processes left. Files that others have loaded stay valid for them.
  static func trim(_ folder: String, to limit: Int, keeping kept: String) {
    var files: [(path: String, size: Int, time: Int)] = []
    let now = time(nil)
    for name in FileBytes.names(in: folder) {
      let path = "\(folder)/\(name)"
      var status = stat()
      guard stat(path, &status) == 0 else { continue }
      #if canImport(Darwin)
        let changed = status.st_mtimespec.tv_sec
      #else
        let changed = status.st_mtim.tv_sec
      #endif
      if name.hasSuffix(".tmp") {
        if now - changed > 3600 { unlink(path) }
      } else {
        files.append((path, Int(status.st_size), changed))
      }
    }
    var total = files.reduce(0) { $0 + $1.size }
    for file in files.sorted(by: { $0.time < $1.time }) where total > limit && file.path != kept {
      unlink(file.path)
      total -= file.size
    }
  }
}
