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
    #expect(outcome.errors.hasPrefix("cannot read the picture \(set)/val/blue/2.png: "))
    // Of the mistake: the other two of three logits are 6.25 lower.
    #expect(
      outcome.output == """
        1 of 3 wrong, 33.33 %
        mean cross-entropy 2.0872 nats
          1 × red taken for green

        """)
  }

  @Test func jsonHasAllNumbers() throws {
    let outcome = try place.agnesi("evaluate", place.model, place.folder.path("set"), "--json")
    let object = try #require(outcome.objects.first)
    #expect(object["count"] as? Int == 3)
    #expect(object["failed"] as? Int == 1)
    #expect(object["mistakes"] as? Int == 1)
    #expect(object["top5Mistakes"] as? Int == 0)
    let train = try place.agnesi(
      "evaluate", place.model, place.folder.path("set"), "--json", "--part", "train")
    #expect(train.objects.first?["count"] as? Int == 1)
  }

  @Test func aTableMayNumberClasses() throws {
    _ = try place.folder.makeFolder("flat")
    try place.write(PhotoWorkplace.picture([0, 200, 0]), "flat/x.png")
    try place.folder.write(Array("file,label\nx.png,1\n".utf8), to: "flat/labels.csv")
    let outcome = try place.agnesi("evaluate", place.model, place.folder.path("flat"))
    #expect(outcome.output.hasPrefix("0 of 1 wrong, 0.00 %\n"))
  }

  @Test func aClassThatTheNetworkDoesNotKnowIsAnError() throws {
    _ = try place.folder.makeFolder("odd/pink")
    try place.write(PhotoWorkplace.picture([200, 100, 100]), "odd/pink/x.png")
    let outcome = try place.agnesi("evaluate", place.model, place.folder.path("odd"))
    #expect(outcome.status == 1)
    #expect(outcome.errors == "no class is called \"pink\"; the model has 3 classes\n")
  }
}
