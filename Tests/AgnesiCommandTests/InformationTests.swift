import Foundation
import TestSupport
import Testing

/// The commands that only tell something, and the help.
struct InformationTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  @Test func summaryOfANotation() throws {
    let outcome = try workplace.agnesi("summary", "20C5 MP2 50C5 MP2 256FC 10FC")
    #expect(
      outcome.output == """
        layer                          output    parameters  multiply-adds  receptive field
        convolution1  20 of 5×5, relu  20×24×24         520        288,000  5×5, step 1
        maxPool1      2×2              20×12×12           0              0  6×6, step 2
        convolution2  50 of 5×5, relu  50×8×8        25,050      1,600,000  14×14, step 2
        maxPool2      2×2              50×4×4             0              0  16×16, step 4
        dense1        256 units, relu  256          205,056        204,800  28×28
        dense2        10 units         10             2,570          2,560  28×28
        total                                       233,196      2,095,360

        """)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test func summaryOfASavedModel() throws {
    try workplace.train("bars.safetensors")
    let outcome = try workplace.agnesi("summary", workplace.path("bars.safetensors"))
    #expect(
      outcome.output == """
        layer                   output  parameters  multiply-adds  receptive field
        dense1  16 units, relu  16           2,320          2,304  12×12
        dense2  10 units        10             170            160  12×12
        total                                2,490          2,464

        """)
    #expect(outcome.status == 0)
  }

  @Test func listsDataSets() throws {
    let folder = try workplace.folder.makeFolder("library")
    // Found first in the user's folder, before the place of a distribution's package.
    let clothes = try workplace.folder.makeFolder("library/fashion-mnist")
    try Bars.write(10, "train", to: clothes)
    try Bars.write(10, "t10k", to: clothes)
    let expected = """
      mnist: handwritten digits: 60000 + 10000 grey images of 28 × 28
        not in \(folder)/mnist
        to get it: download 12 MB from ossci-datasets.s3.amazonaws.com
      fashion-mnist: clothes: 60000 + 10000 grey images of 28 × 28
        found in \(folder)/fashion-mnist
      cifar10: photos of ten kinds: 50000 + 10000 colour images of 32 × 32
        not in \(folder)/cifar10
        to get it: download 170 MB from www.cs.toronto.edu

      """
    let outcome = try workplace.agnesi(["data"], environment: ["AGNESI_DATA": folder])
    #expect(outcome.output == expected)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test(arguments: [
    ([], "agnesi summary \"20C5 MP2 50C5 MP2 256FC 10FC\" --input 1x28x28"),
    (["train"], "agnesi train --resume digits.checkpoint.safetensors"),
    (["evaluate"], "agnesi evaluate digits.safetensors mnist --data folder --json"),
    (["predict"], "agnesi predict model.safetensors picture.npy"),
    (["summary"], "agnesi summary model.safetensors"),
    (["data"], "agnesi data --get mnist"),
    (["tune"], "agnesi tune model.safetensors --batch 1 --dry-run"),
  ])
  func helpShowsExamples(_ command: [String], _ example: String) throws {
    let outcome = try workplace.agnesi(command + ["--help"])
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    let parts = outcome.output.components(separatedBy: "EXAMPLES\n")
    try #require(parts.count == 2)
    #expect(parts[1].contains("  \(example)\n"))
    #expect(parts[0].hasPrefix("OVERVIEW: "))
  }

  @Test func version() throws {
    #expect(try workplace.agnesi("--version").output == "0.1.0\n")
  }
}
