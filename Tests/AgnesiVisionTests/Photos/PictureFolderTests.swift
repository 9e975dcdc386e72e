import Agnesi
import Foundation
import Testing

@Suite struct PictureFolderTests {
  @Test func foldersAreClasses() throws {
    let place = try Place()
    try place.write(["b/2.jpg", "b/1.PNG", "a/deep/x.webp", "a/.hidden.jpg", "a/notes.txt", "c/no"])
    try place.write(["loose.jpg"])
    let folder = try PictureFolder(reading: place.path)
    #expect(folder.classNames == ["a", "b"])
    #expect(place.relative(folder.training.map(\.path)) == ["a/deep/x.webp", "b/1.PNG", "b/2.jpg"])
    #expect(folder.training.map(\.label) == [0, 1, 1])
    #expect(folder.validation == nil)
    #expect(
      folder.notes == [
        "\(place.path)/c has no pictures", "1 pictures in \(place.path) itself are of no class",
      ])
  }

  @Test func ownPartsAreUsedAsTheyAre() throws {
    let place = try Place()
    try place.write(["train/10/1.jpg", "train/9/1.jpg", "val/9/2.jpg", "other/9/3.jpg"])
    let folder = try PictureFolder(reading: place.path)
    #expect(folder.classNames == ["9", "10"])
    #expect(place.relative(folder.training.map(\.path)) == ["train/9/1.jpg", "train/10/1.jpg"])
    let split = folder.split(validation: 0.9, seed: 3)
    #expect(split.training == folder.training)
    #expect(place.relative(split.validation.map(\.path)) == ["val/9/2.jpg"])
  }

  @Test func aTableLabelsFiles() throws {
    let place = try Place()
    try place.write(["1.jpg", "two, quoted.jpg"])
    let table =
      "file,class_index,name\r\n1.jpg,16,bulbul\r\n\"two, quoted.jpg\",2,\"a \"\"b\"\"\"\n"
      + "gone.jpg,3,c\n"
    try Data(table.utf8).write(to: URL(fileURLWithPath: "\(place.path)/labels.csv"))
    let folder = try PictureFolder(reading: place.path)
    #expect(folder.classNames == ["2", "16"])
    #expect(place.relative(folder.training.map(\.path)) == ["two, quoted.jpg", "1.jpg"])
    #expect(folder.notes == ["\(place.path)/gone.jpg is in labels.csv, but not there"])
  }

  @Test func aWrongTableSaysWhichLine() throws {
    let place = try Place()
    let file = "\(place.path)/labels.csv"
    try Data("path,label\n".utf8).write(to: URL(fileURLWithPath: file))
    let columns = #expect(throws: FormatError.self) { try PictureFolder(reading: place.path) }
    #expect(
      columns?.description
        == "cannot read \(file) as a table of labels: its first line is \"path,label\", needed are"
        + " the columns \"file\" and one of label, class, class_index, wnid, name")
    try Data("file,label\nx.jpg\n".utf8).write(to: URL(fileURLWithPath: file))
    let line = #expect(throws: FormatError.self) { try PictureFolder(reading: place.path) }
    #expect(
      line?.description
        == "cannot read \(file) as a table of labels: line 2 is \"x.jpg\", which has no file and label"
    )
  }

  @Test func nothingToSeeIsAnError() throws {
    let place = try Place()
    let empty = #expect(throws: DataError.self) { try PictureFolder(reading: place.path) }
    #expect(
      empty?.description
        == "cannot read photos from \(place.path): there are none; needed is a folder for each"
        + " class, or photos beside labels.csv")
    let missing = #expect(throws: FileError.self) { try PictureFolder(reading: "/nowhere/x") }
    #expect(missing?.description == "cannot list /nowhere/x: No such file or directory")
  }

  @Test func linksThatLeadBackAreFollowedOnce() throws {
    let place = try Place()
    try place.write(["a/1.jpg", "b/2.jpg"])
    let files = FileManager.default
    try files.createSymbolicLink(atPath: "\(place.path)/a/up", withDestinationPath: "..")
    try files.createSymbolicLink(atPath: "\(place.path)/a/self", withDestinationPath: ".")
    try files.createSymbolicLink(atPath: "\(place.path)/b/gone.jpg", withDestinationPath: "none")
    let folder = try PictureFolder(reading: place.path)
    #expect(folder.classNames == ["a", "b"])
    #expect(folder.training.count { $0.label == 0 } == 1)
    let all = PhotoFiles.expanding([place.path, "\(place.path)/b/2.jpg"])
    #expect(place.relative(all) == ["a/1.jpg", "b/2.jpg", "b/gone.jpg", "b/2.jpg"])
  }

  @Test func whatIsNotThereStandsForItself() throws {
    let place = try Place()
    try place.write(["a/1.jpg"])
    #expect(mkfifo("\(place.path)/a/pipe.jpg", 0o600) == 0)
    let paths = ["\(place.path)/a", "\(place.path)/none.jpg"]
    #expect(place.relative(PhotoFiles.expanding(paths)) == ["a/1.jpg", "none.jpg"])
  }

  @Test func aSplitTakesTheSameShareOfEachClass() throws {
    let place = try Place()
    let many = (0..<20).map { "many/\($0).jpg" } + (0..<5).map { "few/\($0).jpg" } + ["one/1.jpg"]
    try place.write(many)
    let folder = try PictureFolder(reading: place.path)
    let split = folder.split(validation: 0.2, seed: 7)
    let counts = (0..<3).map { label in split.validation.count { $0.label == label } }
    #expect(folder.classNames == ["few", "many", "one"])
    #expect(counts == [1, 4, 0])
    #expect(Set(split.training + split.validation) == Set(folder.photos))
    #expect(split.training.count + split.validation.count == 26)
    #expect(folder.split(validation: 0.2, seed: 7).validation == split.validation)
    #expect(folder.split(validation: 0.2, seed: 8).validation != split.validation)
    #expect(folder.split(validation: 0, seed: 7).validation.isEmpty)
  }
}

/// A folder of its own for one test.
final class Place {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "agnesi-vision-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Files that are empty but for their names.
  func write(_ names: [String]) throws {
    for name in names {
      let file = URL(fileURLWithPath: "\(path)/\(name)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: file)
    }
  }

  func relative(_ paths: [String]) -> [String] {
    paths.map { String($0.dropFirst(path.count + 1)) }
  }
}
