import Foundation

/// C text, compiled as rendered units are and loaded for as long as the process runs.
struct CLibrary: @unchecked Sendable {
  /// The path of a C compiler, or nil where there is none.
  static let compiler: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let paths = ["clang", "cc"].flatMap { name in folders.map { "\($0)/\(name)" } }
    return paths.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  private let handle: UnsafeMutableRawPointer

  /// Nil if there is no compiler, or it finds anything to complain about.
  init?(_ text: String) {
    guard let compiler = Self.compiler else { return nil }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("agnesi-test-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = folder.appendingPathComponent("unit.c")
    let library = folder.appendingPathComponent("unit.so")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try text.write(to: source, atomically: true, encoding: .utf8)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: compiler)
      process.arguments = [
        "-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-Wall", "-Werror",
        // Vectors wider than the processor's are passed in another way, which no other code shares.
        "-Wno-psabi", "-shared",
        "-fPIC", source.path, "-o", library.path, "-lm",
      ]
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else { return nil }
    } catch {
      return nil
    }
    guard let handle = dlopen(library.path, RTLD_NOW) else { return nil }
    self.handle = handle
  }

  func symbol<Function>(_ name: String, as type: Function.Type) -> Function {
    guard let address = dlsym(handle, name) else { fatalError("no \(name) in the library") }
    return unsafeBitCast(address, to: type)
  }
}
