import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi evaluate` over folders of photos.
@Suite struct FolderEvaluationTests {
  private let place: PhotoWorkplace

  init() throws {
    place = try PhotoWorkplace()
    for name in ["train/red", "val/red", "val/blue"] {
      _ = try place.folder.makeFolder("set/\(name)")
    }
    try place.write(PhotoWorkplace.picture([200, 0, 0]), "set/train/red/1.png")
    try place.write(PhotoWorkplace.picture([200, 0, 0]), "set/val/red/1.png")
    try place.write(PhotoWorkplace.picture([0, 200, 0]), "set/val/red/2.png")
    try place.write(PhotoWorkplace.picture([0, 0, 200]), "set/val/blue/1.png")
    try place.folder.write([1], to: "set/val/blue/2.png")
  }

  @Test func countsTheHeldOutPart() throws {
    let set = place.folder.path("set")
    let outcome = try place.agnesi("evaluate", place.model, set)
    #expect(outcome.status == 0)
    let said =
      "\(set): 1 training photos in train, 4 validation photos in val; 2 classes: blue 0 + 2, red 1 + 2"
      + "\n\(set) has no test part, so its validation part is counted\n"
    #expect(
      outcome.errors.hasPrefix(said + "cannot read the picture \(set)/val/blue/2.png: "),
      "\(outcome.errors)")
    #expect(
      outcome.errors.hasSuffix(
        "warning: 3 validation photos say little: the error may be anything from 0.8 to 90.6 %"
          + " (95 % interval)\n"))
    // Of the mistake: the other two of three logits are 6.25 lower.
    #expect(
      outcome.output == """
        1 of 3 wrong, 33.33 %, 95 % interval 0.8 to 90.6 %
        mean cross-entropy 2.0872 nats
          1 × red taken for green

        """)
  }

  @Test func jsonHasAllNumbers() throws {
    let outcome = try place.agnesi("evaluate", place.model, place.folder.path("set"), "--json")
    let object = try #require(outcome.objects.first)
    #expect(object["part"] as? String == "validation")
    #expect(object["count"] as? Int == 3)
    #expect(BinomialInterval(1, of: 3).isNear(object["errorInterval"]))
    #expect(BinomialInterval(0, of: 3).isNear(object["top5ErrorInterval"]))
    #expect(object["failed"] as? Int == 1)
    #expect(object["mistakes"] as? Int == 1)
    #expect(object["top5Mistakes"] as? Int == 0)
    let train = try place.agnesi(
      "evaluate", place.model, place.folder.path("set"), "--json", "--part", "train")
    #expect(train.objects.first?["count"] as? Int == 1)
  }

  /// All three parts; the test is what is counted, whatever its case.
  @Test func threePartsWhateverTheirCase() throws {
    for (old, new) in [("train", "Train"), ("val", "VALID")] {
      try FileManager.default.moveItem(
        atPath: place.folder.path("set/\(old)"), toPath: place.folder.path("set/\(new)"))
    }
    _ = try place.folder.makeFolder("set/Testing/blue")
    try place.write(PhotoWorkplace.picture([0, 0, 200]), "set/Testing/blue/1.png")
    let set = place.folder.path("set")
    for (arguments, part, count) in [
      ([], "test", 1), (["--part", "validation"], "validation", 3),
      (["--part", "train"], "train", 1),
    ] as [([String], String, Int)] {
      let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
      let outcome = try BuildProducts.run(
        command, ["evaluate", place.model, set, "--json"] + arguments)
      let object = try #require(outcome.objects.first, "\(outcome.errors)")
      #expect(object["part"] as? String == part)
      #expect(object["count"] as? Int == count)
      #expect(
        outcome.errors.hasPrefix(
          "\(set): 1 training photos in Train, 4 validation photos in VALID, 1 test photos in Testing; "
            + "2 classes: blue 0 + 2 + 1, red 1 + 2 + 0\n"))
    }
  }

  @Test func aMisspeltNetwork() throws {
    let outcome = try place.agnesi("evaluate", "resnet81", place.folder.path("set"))
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("did you mean resnet18"), "\(outcome.errors)")
    let data = try place.agnesi("evaluate", "squeezenet1.O", "mnist")
    #expect(data.errors.contains("did you mean squeezenet1.0"), "\(data.errors)")
  }

  @Test func aTableMayNumberClasses() throws {
    _ = try place.folder.makeFolder("flat")
    try place.write(PhotoWorkplace.picture([0, 200, 0]), "flat/x.png")
    try place.folder.write(Array("file,label\nx.png,1\n".utf8), to: "flat/labels.csv")
    let outcome = try place.agnesi("evaluate", place.model, place.folder.path("flat"))
    #expect(outcome.output.hasPrefix("0 of 1 wrong, 0.00 %, 95 % interval 0.0 to 97.5 %\n"))
  }

  @Test func aClassThatTheNetworkDoesNotKnowIsAnError() throws {
    _ = try place.folder.makeFolder("odd/pink")
    try place.write(PhotoWorkplace.picture([200, 100, 100]), "odd/pink/x.png")
    let outcome = try place.agnesi("evaluate", place.model, place.folder.path("odd"))
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.hasSuffix("\nno class is called \"pink\"; the model has 3 classes\n"))
  }
}
