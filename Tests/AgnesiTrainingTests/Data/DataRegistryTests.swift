import AgnesiTraining
import Foundation
import TestSupport
import Testing

@Suite struct DataRegistryTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func theUsersFolderFollowsTheEnvironment() {
    func userFolder(_ environment: [String: String]) -> String {
      DataRegistry(environment: environment).userFolder
    }
    let home = ["HOME": "/home/maria"]
    #expect(userFolder(home) == "/home/maria/.local/share/agnesi")
    #expect(userFolder(["XDG_DATA_HOME": "/data/"]) == "/data/agnesi")
    #expect(
      userFolder(["XDG_DATA_HOME": "relative", "HOME": "/home/maria"])
        == "/home/maria/.local/share/agnesi")
    #expect(userFolder(["XDG_DATA_HOME": "/data", "AGNESI_DATA": "/own/"]) == "/own")
  }

  @Test func placesComeInTheOrderOfTheSearch() throws {
    let registry = DataRegistry(environment: ["AGNESI_DATA": folder.path])
    let entry = try #require(registry.entries.first { $0.dataSet.name == "fashion-mnist" })
    #expect(
      entry.places.map(\.folder)
        == ["\(folder.path)/fashion-mnist", "/usr/share/datasets/fashion-mnist"])
    #expect(entry.places.map(\.origin) == [.user, .package])
    #expect(registry.entries.map(\.dataSet.name) == ["mnist", "fashion-mnist", "cifar10"])

    let named = DataRegistry(folder: folder.path + "/", environment: [:])
    let places = try #require(named.entries.first { $0.dataSet.name == "fashion-mnist" }).places
    #expect(places.map(\.folder) == ["\(folder.path)/fashion-mnist", folder.path])
    #expect(places.map(\.origin) == [.named, .named])
  }

  @Test func theNamedFolderHoldsTheFilesOrAFolderOfTheName() throws {
    try Samples.writeIDX(to: folder.makeFolder("mnist"))
    let outer = DataRegistry(folder: folder.path, environment: [:])
    #expect(try outer.open("mnist").train.count == 6)
    #expect(try outer.open("MNIST").train.name == "mnist")
    let inner = DataRegistry(folder: folder.path("mnist"), environment: [:])
    #expect(try inner.open("mnist").train.classNames.count == 10)
    #expect(inner.entries[0].found?.folder == folder.path("mnist"))
    let user = DataRegistry(environment: ["AGNESI_DATA": folder.path])
    #expect(try user.open("mnist").train.count == 6)
  }

  @Test func aFolderOfAnotherSetDoesNotPassForThisOne() throws {
    try Samples.writeIDX(to: folder.makeFolder("mnist"))
    let registry = DataRegistry(folder: folder.path("mnist"), environment: [:])
    #expect(registry.entries[1].found == nil)
    #expect(
      errorText { _ = try registry.open("fashion-mnist") }
        == "cannot open the data set fashion-mnist: it is not in "
        + "\(folder.path("mnist/fashion-mnist")); to get it: sudo apt install "
        + "dataset-fashion-mnist, or agnesi data --get fashion-mnist (31 MB from "
        + "raw.githubusercontent.com)")
  }

  @Test func anyFolderCanBeOpened() throws {
    try Samples.writeIDX(to: folder.makeFolder("mine"))
    let registry = DataRegistry(folder: folder.path, environment: [:])
    #expect(try registry.open(folder.path("mine/")).train.name == "mine")
    #expect(try registry.open("mine").train.classNames == [])
  }

  @Test func whatIsNotFoundIsNamedWithAWayOut() throws {
    let registry = DataRegistry(folder: folder.path, environment: [:])
    #expect(
      errorText { _ = try registry.open("mnist") }
        == "cannot open the data set mnist: it is neither in \(folder.path("mnist")) nor in "
        + "\(folder.path); to get it: agnesi data --get mnist (12 MB from "
        + "ossci-datasets.s3.amazonaws.com)")
    #expect(
      errorText { _ = try registry.open("minst") }
        == "cannot open the data set minst: there is no folder and no known data set of that "
        + "name; did you mean mnist?")
    #expect(
      errorText { _ = try registry.open("fashion_mnist") }
        == "cannot open the data set fashion_mnist: there is no folder and no known data set of "
        + "that name; did you mean fashion-mnist?")
    #expect(
      errorText { _ = try registry.open("whales") }
        == "cannot open the data set whales: there is no folder and no known data set of that "
        + "name; known are mnist, fashion-mnist and cifar10")
    #expect(
      errorText { _ = try registry.open("") }
        == "cannot open the data set : there is no folder and no known data set of that name; "
        + "known are mnist, fashion-mnist and cifar10")
    let empty = try folder.makeFolder("empty")
    #expect(
      errorText { _ = try registry.open(empty) }
        == "cannot open the data set \(empty): the folder holds none of the formats that are "
        + "known; these are train-images-idx3-ubyte and the like (IDX), data_batch_1.bin and the "
        + "like (CIFAR-10), and train-inputs.npy with train-labels.npy")
  }
}
