import Agnesi
import Foundation
import TestSupport
import Testing

/// Ctrl-C while the C compiler runs, which each of these commands waits for: with a compiler that takes ten
/// minutes, only a process that does not wait for it ends.
@Suite struct StoppedCommandTests {
  private let place: PhotoWorkplace
  private let photo: String

  init() throws {
    place = try PhotoWorkplace()
    photo = try place.write(PhotoWorkplace.picture([200, 30, 30], side: 40), "photo.png")
    let compiler = """
      #!/bin/sh
      : > "$AGNESI_TEST_STARTED"
      exec sleep 600
      """
    let path = try place.folder.write(Array(compiler.utf8), to: "slow-cc")
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    _ = try place.folder.makeFolder("temporary")
  }

  private func expectStop(
    _ arguments: [String], saying words: String, leaves: [String] = []
  ) throws {
    let folder = place.folder
    let started = folder.path("started")
    try? FileManager.default.removeItem(atPath: started)
    let process = Process()
    process.executableURL = URL(
      fileURLWithPath: try #require(BuildProducts.path("agnesi"), "the command was not built"))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging([
      "AGNESI_CC": folder.path("slow-cc"), "AGNESI_TEST_STARTED": started,
      "AGNESI_THREADS": "1", "TMPDIR": folder.path("temporary"),
    ]) { $1 }
    try folder.write([], to: "errors")
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(forWritingAtPath: folder.path("errors"))
    try process.run()
    func said() throws -> String {
      String(decoding: try folder.read("errors"), as: UTF8.self)
    }
    while !FileManager.default.fileExists(atPath: started) {
      let errors = try said()
      try #require(process.isRunning, "\(arguments[0]) ended: \(errors)")
      Thread.sleep(forTimeInterval: 0.01)
    }
    let start = ContinuousClock.now
    process.interrupt()
    process.waitUntilExit()
    // A second on a machine that has nothing else to do; the compiler would take ten minutes.
    #expect(start.duration(to: .now) < .seconds(60), "\(arguments[0])")
    #expect(process.terminationStatus == 130, "\(arguments[0])")
    let errors = try said()
    #expect(errors.hasSuffix(words + "\n"), "\(arguments[0]): \(errors)")
    let left = try FileManager.default.subpathsOfDirectory(atPath: folder.path("temporary"))
    #expect(left.filter { $0.hasSuffix("unit.c") } == [], "\(arguments[0])")
  }

  @Test func commandsThatLookAtPhotos() throws {
    try expectStop(
      ["classify", place.model, photo], saying: "stopped; what is printed is all that was done")
    try expectStop(
      ["find", place.model, photo, "--class", "red", "--short-side", "24"],
      saying: "stopped; nothing was written")
    try expectStop(
      ["explain", place.model, photo, "--output", place.folder.path("seen")],
      saying: "stopped; nothing was written")
    #expect(!FileManager.default.fileExists(atPath: place.folder.path("seen/index.html")))
    for name in ["red", "blue"] {
      _ = try place.folder.makeFolder("photos/\(name)")
      try place.write(PhotoWorkplace.picture([9, 9, 9]), "photos/\(name)/a.png")
    }
    try expectStop(["evaluate", place.model, place.folder.path("photos")], saying: "stopped")
  }

  @Test func transferBeforeAnythingIsLearned() throws {
    for name in ["train/tall", "train/wide", "val/tall", "val/wide"] {
      _ = try place.folder.makeFolder("photos/\(name)")
    }
    try DrawnPictures.write(8, validation: 4, to: place.folder)
    try DrawnPictures.model().write(to: place.folder.path("body.safetensors"))
    let output = place.folder.path("model.safetensors")
    try expectStop(
      [
        "transfer", place.folder.path("body.safetensors"), place.folder.path("photos"), "--output",
        output,
      ], saying: "transfer: stopped before anything was learned")
    #expect(!FileManager.default.fileExists(atPath: output))
  }
}
