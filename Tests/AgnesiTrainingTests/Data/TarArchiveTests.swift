import AgnesiArrays
import AgnesiTraining
import Foundation
import TestSupport
import Testing

@Suite struct TarArchiveTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// One entry of an archive, as tar writes it.
  private func entry(
    _ name: String, _ content: [UInt8] = [], type: Character = "0", size: String? = nil,
    prefix: String = ""
  ) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ offset: Int) {
      block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
    }
    func octal(_ value: Int, _ width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: width - digits.count) + digits
    }
    put(name, 0)
    put("0000644", 100)
    put(size ?? octal(content.count, 11), 124)
    put("        ", 148)
    put(String(type), 156)
    put("ustar\u{0}00", 257)
    put(prefix, 345)
    put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ", 148)
    let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    return block + content + padding
  }

  private var end: [UInt8] { [UInt8](repeating: 0, count: 1024) }

  private func unpack(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> String {
    let path = try folder.write(bytes, to: "archive.tar")
    let text = errorText {
      try TarArchive.unpack(path, into: folder.path("out"), limit: limit)
    }
    let start = "cannot read \(path) as tar: "
    return text.hasPrefix(start) ? String(text.dropFirst(start.count)) : text
  }

  @Test func filesAndFoldersAreUnpacked() throws {
    let large = (0..<2000).map { UInt8(truncatingIfNeeded: $0) }
    let bytes =
      entry("./", type: "5") + entry("pax_global_header", Array("12 x=y\n".utf8), type: "g")
      + entry("./a/", type: "5") + entry("a/one", [1, 2, 3]) + entry("b/c/two", large)
      + entry("three", prefix: "deep") + end
    #expect(try unpack(bytes) == "nothing was thrown")
    #expect(try folder.read("out/a/one") == [1, 2, 3])
    #expect(try folder.read("out/b/c/two") == large)
    #expect(try folder.read("out/deep/three") == [])
  }

  @Test func gzippedArchivesAreUnpacked() throws {
    let packed = (entry("one", [1]) + end).withUnsafeBytes { Gzip.packed($0) }
    #expect(try unpack(packed) == "nothing was thrown")
    #expect(try folder.read("out/one") == [1])
  }

  @Test func nothingIsWrittenOutside() throws {
    for name in ["../evil", "a/../../evil", "/tmp/evil", ".."] {
      #expect(
        try unpack(entry(name, [1]) + end)
          == "its entry \(name) would lie outside of the folder")
    }
    #expect(
      try unpack(entry("evil", [1], prefix: "/tmp") + end)
        == "its entry /tmp/evil would lie outside of the folder")
    #expect(folder.names == ["archive.tar", "out"])
  }

  @Test func linksAndDevicesAreRefused() throws {
    for type in ["1", "2"] as [Character] {
      #expect(
        try unpack(entry("a", type: type) + end)
          == "its entry a is a link, which is never unpacked")
    }
    #expect(
      try unpack(entry("a", type: "3") + end)
        == "its entry a has the type \"3\", which is not unpacked")
  }

  @Test func damageIsNamed() throws {
    var bytes = entry("one", [1]) + end
    bytes[0] ^= 1
    #expect(try unpack(bytes) == "the checksum of an entry is wrong")
    #expect(try unpack(Array(repeating: 7, count: 100)) == "it is cut short")
    #expect(try unpack(entry("one", [1, 2, 3])) == "it is cut short")
    #expect(try unpack(Array(entry("one", [1, 2, 3])[..<514])) == "it is cut short")
    #expect(
      try unpack(entry("one", size: "-0000000001") + end)
        == "the size of an entry is not a number")
    #expect(try unpack(entry("") + end) == "an entry has no name")
  }

  @Test func aBombStopsAtTheLimit() throws {
    let content = [UInt8](repeating: 0, count: 600)
    #expect(
      try unpack(entry("a", content) + entry("b", content) + end, limit: 1000)
        == "it unpacks to more bytes than are allowed here")
    #expect(
      try unpack(entry("a", size: "77777777777") + end)
        == "it unpacks to more bytes than are allowed here")
  }

  /// The whole way: the archive comes over the network and becomes a data set.
  @Test func aDownloadedArchiveBecomesADataSet() throws {
    let records = ([3] + [UInt8](repeating: 1, count: 3072))
    let archive = entry("cifar-10-batches-bin/data_batch_1.bin", records) + end
    let packed = archive.withUnsafeBytes { Gzip.packed($0) }
    let server = try TestServer { _ in .content(packed) }
    defer { server.stop() }
    let file = RemoteFile(
      "\(server.address)small.tar.gz", sha256: MessageDigest.of(packed), byteCount: packed.count)
    let set = KnownDataSet(
      name: "small", summary: "", format: .cifar10, classNames: [], files: [file])
    let registry = DataRegistry(
      folder: nil, environment: ["AGNESI_DATA": folder.path], known: [set])
    #expect(registry.entries[0].found == nil)
    #expect(try registry.openOrDownload("small").train.labels == [3])
    #expect(registry.entries[0].found?.origin == .user)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("small"))
    #expect(names == ["cifar-10-batches-bin"])
    // The second time it is there.
    server.stop()
    #expect(try registry.openOrDownload("small").train.count == 1)
  }
}
