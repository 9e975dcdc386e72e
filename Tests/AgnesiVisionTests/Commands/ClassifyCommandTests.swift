import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi classify` from files to lines.
@Suite struct ClassifyCommandTests {
  private let place: PhotoWorkplace

  init() throws {
    place = try PhotoWorkplace()
    _ = try place.folder.makeFolder("photos/more")
    try place.write(PhotoWorkplace.picture([200, 40, 8]), "photos/a red.png")
    try place.folder.write(Array("no picture".utf8), to: "photos/b.jpg")
    try place.write(PhotoWorkplace.picture([16, 16, 160]), "photos/more/c.png")
  }

  /// Named by a folder or by itself: the file is opened by its bytes, and all output is UTF-8.
  @Test func namesThatAreNoUTF8() throws {
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    _ = try place.folder.makeFolder("latin")
    try place.write(PhotoWorkplace.picture([200, 0, 0]), "red.png")
    let folder = place.folder.path("latin")
    // A shell, because Swift's processes take arguments in UTF-8 only.
    let script = """
      cp '\(place.folder.path("red.png"))' "$(printf '\(folder)/caf\\351.png')" &&
      cp '\(place.model)' "$(printf '\(folder)/new\\351.png')" &&
      '\(command)' classify '\(place.model)' '\(folder)' --json &&
      '\(command)' classify '\(place.model)' "$(printf '\(folder)/caf\\351.png')" red.png --top 1
      """
    let outcome = try BuildProducts.run(
      "/bin/sh", ["-c", script], environment: ["AGNESI_THREADS": "1", "LC_ALL": "C.UTF-8"])
    let objects = outcome.objects
    try #require(objects.count == 2, "\(outcome.errors)")
    #expect(objects[0]["file"] as? String == "\(folder)/caf\\xE9.png")
    let top = objects[0]["top"] as? [[String: Any]]
    #expect(top?.first?["name"] as? String == "red")
    #expect(objects[1]["file"] as? String == "\(folder)/new\\xE9.png")
    let error = try #require(objects[1]["error"] as? String)
    #expect(error.hasPrefix("cannot read the picture \(folder)/new\\xE9.png: "))
    #expect(outcome.output.contains("\n\(folder)/caf\\xE9.png\n  red  "), "\(outcome.output)")
  }

  @Test func aPhotoHasATable() throws {
    let outcome = try place.agnesi("classify", place.model, place.folder.path("photos/a red.png"))
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    // Softmax of 6.25, 1.25 and 0.25.
    #expect(
      outcome.output == """
          red     99.1 %  ██████████████████████████████
          green    0.7 %
          blue     0.2 %

        """)
  }

  @Test func manyFilesAreObjectsALine() throws {
    let folder = place.folder.path("photos")
    let outcome = try place.agnesi("classify", place.model, folder, "--json", "--top", "2")
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    let objects = outcome.objects
    #expect(
      objects.map { $0["file"] as? String }
        == ["a red.png", "b.jpg", "more/c.png"].map { "\(folder)/\($0)" })
    #expect(
      objects[1]["error"] as? String
        == "cannot read the picture \(folder)/b.jpg: it begins with the text \"no picture\", as no"
        + " JPEG, PNG, WebP, GIF, TIFF or BMP picture does")
    let top = try #require(objects[2]["top"] as? [[String: Any]])
    #expect(top.map { $0["name"] as? String } == ["blue", "red"])
    #expect(top.map { $0["class"] as? Int } == [2, 0])
    // Softmax of 0.5, 0.5 and 5.
    let probability = try #require(top[0]["probability"] as? Double)
    #expect(abs(probability - 1 / (1 + 2 * exp(-4.5))) < 1e-6)
  }

  /// The text is what the issue promises, to the letter.
  @Test func jsonIsExact() throws {
    let file = try place.write(PhotoWorkplace.picture([9, 9, 9]), "grey.png")
    let outcome = try place.agnesi("classify", place.model, file, "--json", "--top", "1")
    #expect(
      outcome.output
        == #"{"file":"\#(file)","top":[{"class":0,"name":"red","probability":0.33333334}]}"# + "\n")
  }

  @Test func aPageShowsThePhotos() throws {
    let folder = place.folder.path("photos")
    let outcome = try place.agnesi(
      "classify", place.model, folder, "--top", "2", "--report", place.folder.path("page.html"))
    #expect(outcome.status == 0)
    let page = String(decoding: try place.folder.read("page.html"), as: UTF8.self)
    #expect(page.components(separatedBy: "<article").count == 3)
    #expect(page.components(separatedBy: "data:image/jpeg;base64,").count == 3)
    #expect(page.contains("<h3>a red.png</h3>") && page.contains("<h3>c.png</h3>"))
    #expect(page.contains("<th>red</th><td>99.1") && page.contains("Could not be read"))
    #expect(page.contains("b.jpg: it begins with the text &quot;no picture&quot;"))
  }

  @Test func batchesDoNotMatter() throws {
    let folder = place.folder.path("photos")
    let whole = try place.agnesi("classify", place.model, folder, "--json")
    let single = try place.agnesi("classify", place.model, folder, "--json", "--batch", "1")
    #expect(whole.output == single.output && whole.objects.count == 3)
  }

  @Test func onlyBrokenFilesAreAFailure() throws {
    let broken = place.folder.path("photos/b.jpg")
    let outcome = try place.agnesi("classify", place.model, broken)
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("cannot read the picture \(broken): "))
    let mixed = try place.agnesi("classify", place.model, place.folder.path("photos"))
    #expect(mixed.status == 0)
    #expect(mixed.errors.hasSuffix("\n1 of 3 files could not be read\n"))
  }

  /// A name that is misspelt, or a file that went while others were classified.
  @Test func aFileThatIsNotThereIsAnObjectToo() throws {
    let (photo, missing) = (place.folder.path("photos/a red.png"), place.folder.path("none.png"))
    let outcome = try place.agnesi("classify", place.model, missing, photo, "--json")
    #expect(outcome.status == 0)
    let objects = outcome.objects
    #expect(objects.map { $0["file"] as? String } == [missing, photo])
    #expect(
      objects[0]["error"] as? String
        == "cannot read the picture \(missing): No such file or directory")
    #expect(objects[1]["top"] != nil)
  }

  /// Softmax of NaN is NaN; a list of it would name the first class.
  @Test func weightsThatAreNoNumbersAreAnError() throws {
    let broken = place.folder.path("broken.safetensors")
    try PhotoWorkplace.network(weight: .nan).write(to: broken)
    let photo = place.folder.path("photos/a red.png")
    let explanation = place.folder.path("explanation")
    for arguments in [["classify"], ["classify", "--json"], ["explain", "--output", explanation]] {
      let command = try #require(BuildProducts.path("agnesi"))
      let outcome = try BuildProducts.run(
        command, arguments.prefix(1) + [broken, photo] + arguments.dropFirst())
      #expect(outcome.status == 1 && outcome.output == "")
      #expect(
        outcome.errors == """
          the network's probabilities are not numbers
            hint: its weights hold NaN or infinity, values grow beyond float32, or it looks up places that \
          its tables do not have

          """)
    }
  }

  #if os(Linux)
    /// A full disk, and a program that was started without input and outputs.
    @Test(arguments: [
      (">/dev/full", 1, "cannot write standard output: "), ("<&- >&- 2>&-", 1, ""),
    ])
    func outputsThatTakeNothing(redirection: String, status: Int32, text: String) throws {
      let command = try #require(BuildProducts.path("agnesi"))
      let photo = place.folder.path("photos/a red.png")
      let line = "\"$0\" classify \"$1\" \"$2\" \(redirection)"
      let outcome = try BuildProducts.run("/bin/sh", ["-c", line, command, place.model, photo])
      #expect(outcome.status == status)
      #expect(outcome.errors.hasPrefix(text), "\(outcome.errors)")
    }
  #endif

  @Test func whatCannotBeIsSaid() throws {
    func errors(_ arguments: String...) throws -> String {
      let command = try #require(BuildProducts.path("agnesi"))
      let outcome = try BuildProducts.run(command, ["classify"] + arguments)
      #expect(outcome.status != 0 && outcome.output == "")
      return outcome.errors
    }
    let photo = place.folder.path("photos/a red.png")
    #expect(
      try errors(place.model, "/nowhere.jpg")
        == "cannot read the picture /nowhere.jpg: No such file or directory\n")
    let empty = try place.folder.makeFolder("empty")
    #expect(try errors(place.model, empty) == "classify: there are no pictures in \(empty)\n")
    #expect(
      try errors(place.model, photo, "--top", "0").hasPrefix(
        "Error: --top is 0, it must be at least 1"))
    #expect(
      try errors(place.model, photo, "--batch", "0")
        .hasPrefix("Error: --batch is 0, it must be in 1...1024"))
    let row = Tensor.input("row", [.batch, 4])
    let other = place.folder.path("other.safetensors")
    try Model(functions: ["generate": .init(inputs: [row], outputs: [("x", row + 1)])])
      .write(to: other)
    #expect(
      try errors(other, photo)
        == """
        model \(other): the model has no function "classify", it has "generate" (from row float32[batch, 4] \
        to x float32[batch, 4])
          hint: a network of pictures takes one input of floats or uint8, [batch, 1 or 3, height, width] or \
        with the channels last, and has an output of floats [batch, classes]

        """)
  }
}
