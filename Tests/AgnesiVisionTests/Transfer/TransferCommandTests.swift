import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi transfer`, from photos to a model that `agnesi classify` uses.
@Suite struct TransferCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["tall", "wide"] { _ = try folder.makeFolder("photos/\(name)") }
    try DrawnPictures.write(60, validation: nil, to: folder)
    try DrawnPictures.taughtModel().write(to: folder.path("old.safetensors"))
  }

  private func agnesi(_ arguments: String...) throws -> BuildProducts.Outcome {
    let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
    return try BuildProducts.run(command, arguments, environment: ["AGNESI_THREADS": "1"])
  }

  private struct Last: Decodable {
    var accuracy: Double
    var classes: [String]
    var training: Int
    var validation: Int
  }

  private func last(_ output: String) throws -> Last {
    let line = try #require(output.split(separator: "\n").last)
    return try JSONDecoder().decode(Last.self, from: Data(line.utf8))
  }

  @Test func theHeadAloneAsJSON() throws {
    let (model, page) = (folder.path("new.safetensors"), folder.path("report.html"))
    let outcome = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--head-only", "--json",
      "--seed", "3", "--output", model, "--report", page)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let last = try last(outcome.output)
    #expect(last.classes == ["tall", "wide"])
    #expect(last.training == 48 && last.validation == 12)
    #expect(last.accuracy >= 0.9)
    // Each line is an object; a hundred epochs, two phases, the end.
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 103)
    for line in lines {
      #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
    }
    let report = String(decoding: try folder.read("report.html"), as: UTF8.self)
    #expect(report.contains("Validation error") && report.contains("Confusion matrix"))
    #expect(!report.contains("class=\"broken\""))

    let classified = try agnesi("classify", model, folder.path("photos/tall"), "--json")
    #expect(classified.status == 0, "\(classified.errors)")
    #expect(classified.output.split(separator: "\n").count == 30)
    #expect(classified.output.contains("\"name\":\"tall\""))
    // Equal runs save equal bytes.
    let again = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--head-only", "--seed",
      "3", "--output", folder.path("again.safetensors"))
    #expect(again.status == 0, "\(again.errors)")
    #expect(try folder.read("again.safetensors") == folder.read("new.safetensors"))
    #expect(again.output.hasPrefix("validation accuracy "))
  }

  @Test func everythingAndFromScratch() throws {
    let outcome = try agnesi(
      "transfer", folder.path("old.safetensors"), folder.path("photos"), "--epochs", "2",
      "--rate", "0.01", "--batch", "12", "--json", "--output", folder.path("new.safetensors"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\"phase\":\"everything\""))
    _ = try last(outcome.output)
    let scratch = try agnesi(
      "transfer", "8C3p1 BN MP2 16C3p1 BN GAP", folder.path("photos"), "--from-scratch",
      "--no-augment", "--size", "24", "--epochs", "6", "--rate", "0.02", "--batch", "12",
      "--output", folder.path("scratch.safetensors"))
    #expect(scratch.status == 0, "\(scratch.errors)")
    #expect(scratch.output.contains("model saved in \(folder.path("scratch.safetensors"))"))
    let model = try PictureModel(try Model(reading: folder.path("scratch.safetensors")))
    #expect(model.classNames == ["tall", "wide"])
  }

  @Test func wrongUse() throws {
    func errors(_ arguments: String...) throws -> String {
      let command = try #require(BuildProducts.path("agnesi"), "the command was not built")
      let outcome = try BuildProducts.run(
        command, ["transfer", folder.path("old.safetensors"), folder.path("photos")] + arguments)
      #expect(outcome.status != 0)
      return outcome.errors
    }
    #expect(try errors("--cut", "nothing").contains("it names no such layer"))
    #expect(try errors("--freeze", "nothing").contains("none before the cut has that name"))
    #expect(try errors("--head-only", "--from-scratch").contains("forgets it"))
    #expect(try errors("--rate", "-1").contains("it must be positive"))
    #expect(
      try errors("--from-scratch").contains("does not say how its first values were drawn"))
    let missing = try agnesi("transfer", "no-such-network", folder.path("photos"))
    #expect(missing.status == 1)
    #expect(missing.errors.contains("the zoo has no network of that name"))
  }
}
