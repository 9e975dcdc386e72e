import Agnesi
import AgnesiArrays
import AgnesiTraining
import Foundation
import TestSupport
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

  /// Each part is used for what it is, whatever its case and name.
  @Test(arguments: [
    ("train", "val", "test"), ("Train", "Valid", "Test"), ("TRAINING", "validation", "testing"),
    ("training", "Dev", "TESTING"),
  ])
  func threeParts(train: String, validation: String, test: String) throws {
    let place = try Place()
    try place.write(["\(train)/a/1.jpg", "\(train)/b/1.jpg", "\(train)/b/2.jpg"])
    try place.write(["\(validation)/a/2.jpg", "\(test)/b/3.jpg", "other/c/1.jpg"])
    let folder = try PictureFolder(reading: place.path)
    #expect(folder.classNames == ["a", "b"])
    #expect(folder.training.count == 3)
    #expect(place.relative((folder.validation ?? []).map(\.path)) == ["\(validation)/a/2.jpg"])
    #expect(place.relative((folder.test ?? []).map(\.path)) == ["\(test)/b/3.jpg"])
    #expect(folder.photos.count == 5)
    #expect(
      folder.summary == "\(place.path): 3 training photos in \(train), 1 validation photos in "
        + "\(validation), 1 test photos in \(test); 2 classes: a 1 + 1 + 0, b 2 + 0 + 1")
    #expect(
      folder.notes == ["\(place.path)/other is left out: the folder has parts, and this is none"])
  }

  /// A part whose name is misspelt would be a class of all its photos, and so would one beside classes.
  @Test func partsThatWouldBeClasses() throws {
    for (misspelt, meant) in [("tset", "test"), ("trian", "train"), ("Vals", "val")] {
      let place = try Place()
      try place.write(["a/1.jpg", "b/1.jpg", "\(misspelt)/a/2.jpg", "\(misspelt)/b/2.jpg"])
      #expect(
        errorText { _ = try PictureFolder(reading: place.path) }
          == "cannot read the parts of \(place.path): \(misspelt) holds folders of the same "
          + "classes and is no part; did you mean \(meant)?")
    }
    // Other folders in it are no classes elsewhere.
    let seats = try Place()
    try seats.write(["chair/1.jpg", "rest/deep/1.jpg", "stool/1.jpg"])
    let folder = try PictureFolder(reading: seats.path)
    #expect(folder.classNames == ["chair", "rest", "stool"])
    #expect(
      folder.notes == ["\(seats.path)/rest is called almost as a part: did you mean test?"])
    let place = try Place()
    try place.write(["ants/1.jpg", "bees/1.jpg", "train/ants/2.jpg", "train/bees/2.jpg"])
    #expect(
      errorText { _ = try PictureFolder(reading: place.path) }
        == "cannot read the parts of \(place.path): train holds folders of photos, as a part does, and "
        + "stands beside ants, bees, which are no parts; a folder has either parts or classes: move "
        + "the one or the others")
    // Where it holds photos itself, it may well be one.
    let vehicles = try Place()
    try vehicles.write(["car/1.jpg", "train/1.jpg", "trail/1.jpg"])
    #expect(try PictureFolder(reading: vehicles.path).classNames == ["car", "trail", "train"])
  }

  /// The test part is no validation part: that is drawn.
  @Test func aTestPartIsNotChosenBy() throws {
    let place = try Place()
    try place.write((0..<10).map { "train/a/\($0).jpg" } + (0..<10).map { "train/b/\($0).jpg" })
    try place.write(["test/a/x.jpg"])
    let folder = try PictureFolder(reading: place.path)
    #expect(folder.validation == nil)
    #expect(folder.test?.count == 1)
    let split = folder.split(seed: 1)
    #expect(split.training.count == 16 && split.validation.count == 4)
    #expect(!split.validation.contains { $0.path.contains("/test/") })
  }

  @Test func twoFoldersOfOnePartAreAnError() throws {
    let place = try Place()
    try place.write(["train/a/1.jpg", "Training/a/1.jpg", "val/a/2.jpg"])
    let error = #expect(throws: DataError.self) { try PictureFolder(reading: place.path) }
    #expect(
      error?.description
        == "cannot read the parts of \(place.path): Training and train both name its training part;"
        + " rename or remove one of them")
  }

  /// A class may be called as a part is; a part alone is one where it holds classes.
  @Test func classesThatAreCalledAsParts() throws {
    let classes = try Place()
    try classes.write(["Train/1.jpg", "bus/1.jpg"])
    #expect(try PictureFolder(reading: classes.path).classNames == ["Train", "bus"])
    let alone = try Place()
    try alone.write(["Train/a/1.jpg", "Train/b/1.jpg"])
    let folder = try PictureFolder(reading: alone.path)
    #expect(folder.classNames == ["a", "b"])
    #expect(folder.summary.hasSuffix("2 training photos in Train; 2 classes: a 1, b 1"))
    let test = try Place()
    try test.write(["test/a/1.jpg"])
    let judged = try PictureFolder(reading: test.path)
    #expect(judged.training.isEmpty && judged.test?.count == 1)
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
    try Data("thing,label\n".utf8).write(to: URL(fileURLWithPath: file))
    let columns = #expect(throws: FormatError.self) { try PictureFolder(reading: place.path) }
    #expect(
      columns?.description
        == "cannot read \(file) as a table of labels: its first line is \"thing,label\", needed is"
        + " a column of files (file, filename, file_name, filepath, file_path, path, image, image_name,"
        + " image_path, image_file, img, photo, picture) and one of classes (label, labels, class,"
        + " class_name, classname, category, target, class_index, class_id, wnid, name)")
    try Data("file,label\nx.jpg\n".utf8).write(to: URL(fileURLWithPath: file))
    let line = #expect(throws: FormatError.self) { try PictureFolder(reading: place.path) }
    #expect(
      line?.description
        == "cannot read \(file) as a table of labels: line 2 is \"x.jpg\", which has no file and label"
    )
  }

  /// As Excel and its kin write tables, and as people do.
  @Test(arguments: [
    "\u{FEFF}file,label\r\na b.jpg,cat\r\n\"c,d.jpg\",\"a \"\"dog\"\"\"\r\n,,\r\n",
    "file;label;;\r\na b.jpg;cat;;\r\nc,d.jpg;\"a \"\"dog\"\"\";;\r\n",
    "sep=;\nFile;Label\na b.jpg;cat\n\"c,d.jpg\";\"a \"\"dog\"\"\"\n",
    "file\tlabel\na b.jpg\tcat\nc,d.jpg\t\"a \"\"dog\"\"\"\n",
    "a b.jpg,cat\n\"c,d.jpg\",\"a \"\"dog\"\"\"\n",
    "class;FILE\ncat;a b.jpg\n\"a \"\"dog\"\"\";c,d.jpg\n",
    "Filename,Label\na b.jpg,cat\n\"c,d.jpg\",\"a \"\"dog\"\"\"\n",
    "image,label\n./a b.jpg,cat\n\"x/../c,d.jpg\",\"a \"\"dog\"\"\"\n",
    "IMAGE PATH;Category\na b.jpg;cat\nc,d.jpg;\"a \"\"dog\"\"\"\n",
  ])
  func tablesOfSpreadsheets(text: String) throws {
    let place = try Place()
    try place.write(["a b.jpg", "c,d.jpg"])
    let plain = text.replacing("\u{FEFF}", with: "")
    let units = plain.utf16.flatMap { unit -> [UInt8] in [UInt8(unit & 0xff), UInt8(unit >> 8)] }
    let utf16: [UInt8] = [0xff, 0xfe] + units
    for bytes in [Array(text.utf8), utf16] {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(place.path)/labels.csv"))
      let folder = try PictureFolder(reading: place.path)
      #expect(folder.classNames == ["a \"dog\"", "cat"])
      #expect(place.relative(folder.training.map(\.path)) == ["c,d.jpg", "a b.jpg"])
      #expect(folder.notes.isEmpty)
    }
  }

  /// A table is text from anywhere: it must not make a network look at files elsewhere.
  @Test(arguments: [
    "../../etc/passwd", "/etc/passwd", "a/../../b.jpg", "..", "..\\b.jpg", "a\\..\\..\\b.jpg",
    "C:\\b.jpg",
    "\\\\server\\b.jpg", ".",
  ])
  func filesOutsideOfTheFolder(file: String) throws {
    let place = try Place()
    try place.write(["1.jpg"])
    let path = "\(place.path)/labels.csv"
    try Data("file,label\n1.jpg,a\n\(file),b\n".utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: FormatError.self) { try PictureFolder(reading: place.path) }
    #expect(
      error?.reason == "line 3 names \"\(file)\", which is not below the folder of the table;"
        + " files are named from there on")
  }

  @Test func moreColumnsAndFields() throws {
    let place = try Place()
    try place.write(["1.jpg", "2.jpg"])
    let path = "\(place.path)/LABELS.CSV"
    func folder(_ table: String) throws -> PictureFolder {
      try Data(table.utf8).write(to: URL(fileURLWithPath: path))
      #expect(PictureFolder.isOne(place.path))
      return try PictureFolder(reading: place.path)
    }
    let wide = try folder("id,Image,Label,split\n7,1.jpg,a,train\n8,2.jpg,b,test\n")
    #expect(wide.classNames == ["a", "b"])
    #expect(
      wide.notes == [
        "\(path): files are in its column \"Image\", classes in \"Label\"; not read: \"id\", \"split\""
      ])
    let more = #expect(throws: FormatError.self) { try folder("file,label\n1.jpg,a\n2.jpg,b,c\n") }
    #expect(
      more?.reason
        == "line 3 has 3 fields, the table has 2 columns; fields with separators stand in quotes")
    let bare = #expect(throws: FormatError.self) { try folder("1.jpg,a\n2.jpg,b,c\n") }
    #expect(
      bare?.reason
        == "line 2 has 3 fields, the table has a file and its class; fields with separators"
        + " stand in quotes")
  }

  /// Another way to write a name is the same file.
  @Test func oneFileByTwoNames() throws {
    let place = try Place()
    try place.write(["1.jpg"])
    let path = "\(place.path)/labels.csv"
    let table = "file,label\n1.jpg,a\n./1.jpg,b\n"
    try Data(table.utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: DataError.self) { try PictureFolder(reading: place.path) }
    #expect(
      error?.description
        == "cannot read the classes in \(path): 1.jpg is a in line 2 and b in line 3")
  }

  @Test func pathsOfWindowsAndRepeatedRows() throws {
    let place = try Place()
    try place.write(["deep/er/1.jpg", "2.jpg", "back\\slash.jpg"])
    let table = "file,label\ndeep\\er\\1.jpg,a\n2.jpg,b\n2.jpg,b\nback\\slash.jpg,b\n"
    let path = "\(place.path)/labels.csv"
    try Data(table.utf8).write(to: URL(fileURLWithPath: path))
    let folder = try PictureFolder(reading: place.path)
    #expect(
      place.relative(folder.training.map(\.path)) == ["deep/er/1.jpg", "2.jpg", "back\\slash.jpg"])
    #expect(folder.notes == ["1 lines of \(path) repeat another one; each file counts once"])
    try Data((table + "2.jpg,a\n").utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: DataError.self) { try PictureFolder(reading: place.path) }
    #expect(
      error?.description
        == "cannot read the classes in \(path): 2.jpg is b in line 3 and a in line 6")
    try Data([0x31, 0x2e, 0x6a, 0x70, 0x67, 0x2c, 0xe9]).write(to: URL(fileURLWithPath: path))
    let latin = #expect(throws: FormatError.self) { try PictureFolder(reading: place.path) }
    #expect(
      latin?.reason == "line 1 has the class \"\\xE9\", which is neither UTF-8 nor UTF-16; save the"
        + " table as CSV UTF-8")
  }

  /// Names that are no UTF-8: found in folders and tables, and told apart.
  @Test func namesThatAreNoUTF8() throws {
    let place = try Place()
    try place.write(["a/1.jpg"])
    for byte in [0xe9, 0xe8] as [UInt8] {
      let name = FileName.decoded(Array("\(place.path)/a/caf".utf8) + [byte] + Array(".jpg".utf8))
      try AtomicFile.write([1], to: name)
    }
    let folder = try PictureFolder(reading: place.path)
    #expect(folder.training.count == 3)
    #expect(
      place.relative(folder.training.map(\.path)).map(FileName.printable)
        == ["a/1.jpg", "a/caf\\xE8.jpg", "a/caf\\xE9.jpg"])
    let table = Array("file,label\na/caf".utf8) + [0xe9] + Array(".jpg,x\n".utf8)
    try Data(table).write(to: URL(fileURLWithPath: "\(place.path)/labels.csv"))
    let listed = try PictureFolder(reading: place.path)
    #expect(listed.training.map(\.path) == [folder.training[2].path])
  }

  @Test func classesOfBrokenPhotosAreNamed() throws {
    let place = try Place()
    try place.write(["a/1.jpg", "a/2.jpg", "b/1.jpg", "c/1.jpg"])
    let folder = try PictureFolder(reading: place.path)
    let read = folder.training.filter { $0.label == 1 }
    #expect(
      folder.unreadableClasses(of: folder.training, read: read, "training") == [
        "warning: none of the 2 training photos of the class a can be read",
        "warning: the only training photo of the class c cannot be read",
      ])
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
