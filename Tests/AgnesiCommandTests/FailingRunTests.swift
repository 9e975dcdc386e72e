import Agnesi
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs that cannot succeed, or only with a warning: what is said, and what is left.
struct FailingRunTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  @Test func tooLargeRate() throws {
    let checkpoint = workplace.path("bars.checkpoint.safetensors")
    let outcome = try workplace.agnesi(
      workplace.training("bars.safetensors", rate: "1e30"))
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    let pattern =
      #/
      the\ loss\ (became\ NaN|became\ infinite|exploded)\ (at|by)\ step\ \d+\ \(epoch\ 1\).*\n
      \ \ losses\ before:\ .*\n
      \ \ learning\ rate:\ .*\n
      \ \ what\ to\ try,\ likeliest\ first:\n
      (\ \ \ \ \d\.\ .*\n)+
    /#
    let words = outcome.errors.dropFirst(workplace.dataNote.count)
    let match = try #require(words.prefixMatch(of: pattern), "\(outcome.errors)")
    #expect(words.contains(". a learning rate ten times smaller, "))
    #expect(
      words[match.range.upperBound...] == """
          the last good state is in \(checkpoint)
          go on with a smaller rate: agnesi train --resume \(checkpoint) --rate RATE

        """)
    // No epoch was good, so there is no model; the state is that of the beginning.
    #expect(workplace.folder.names == ["bars", "bars.checkpoint.safetensors"])
    let resumed = try workplace.agnesi("train", "--resume", checkpoint, "--rate", "0.02")
    #expect(resumed.status == 0, "\(resumed.errors)")
    try workplace.train("whole.safetensors")
    #expect(try file("bars.safetensors") == file("whole.safetensors"))
  }

  /// A run that fails after good epochs has its report.
  @Test func tooLargeRateAfterGoodEpochs() throws {
    let report = workplace.path("report.html")
    let begun = try workplace.agnesi(
      workplace.training("bars.safetensors") + ["--report", report])
    try #require(begun.status == 0, "\(begun.errors)")
    try FileManager.default.removeItem(atPath: report)
    let checkpoint = workplace.path("bars.checkpoint.safetensors")
    let outcome = try workplace.agnesi(
      "train", "--resume", checkpoint, "--epochs", "3", "--rate", "1e30")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasSuffix("--rate RATE\n  report in \(report)\n"))
    let page = String(decoding: try workplace.folder.read("report.html"), as: UTF8.self)
    #expect(page.contains("Training ended before its last epoch: the loss "))
    #expect(page.contains("epoch 2"))
  }

  private func file(_ name: String) throws -> [UInt8] { try workplace.folder.read(name) }

  @Test func outputsThatCannotBeWritten() throws {
    let missing = workplace.path("missing")
    var arguments = workplace.training("missing/bars.safetensors")
    try workplace.expect(
      "cannot write \(missing)/bars.safetensors: No such file or directory; the folder "
        + "\(missing) does not exist", from: arguments)
    arguments = workplace.training("bars")
    try workplace.expect("cannot write \(workplace.data): Is a directory", from: arguments)
    arguments = workplace.training("bars.safetensors") + ["--report", "\(missing)/report.html"]
    try workplace.expect(
      "cannot write \(missing)/report.html: No such file or directory; the folder "
        + "\(missing) does not exist", from: arguments)
    #expect(workplace.folder.names == ["bars"])
  }

  #if os(Linux)
    /// A folder in which even the superuser can create nothing.
    private static let readOnly = "/sys"

    @Test func readOnlyOutputFolder() throws {
      let output = "\(Self.readOnly)/bars.safetensors"
      let isOpen = open(output, O_WRONLY | O_CREAT, 0o600)
      let code = errno
      try #require(isOpen < 0)
      let hint =
        code == EACCES ? "; no file may be created in the folder \(Self.readOnly)" : ""
      try workplace.expect(
        "cannot write \(output): \(String(cString: strerror(code)))\(hint)",
        from: ["train", workplace.data, "--output", output])
    }

    @Test func readOnlyCacheIsOneWarning() throws {
      let cache = "\(Self.readOnly)/agnesi"
      let isMade = mkdir(cache, 0o700)
      let reason = String(cString: strerror(errno))
      try #require(isMade < 0)
      let outcome = try workplace.agnesi(
        workplace.training("bars.safetensors"), environment: ["AGNESI_CACHE": cache])
      #expect(outcome.status == 0)
      let warning = """
        agnesi: compiled code cannot be kept in \(cache): \(reason)
          it is compiled again by each process; set AGNESI_CACHE to a folder that can be written

        """
      #expect(outcome.errors.hasPrefix(workplace.dataNote + warning + "epoch 1/2"))
      #expect(outcome.errors.components(separatedBy: "AGNESI_CACHE").count == 2)
    }

    /// A limit on the size of files stands for a full disk.
    @Test func fullDiskLeavesTheModelThatWasThere() throws {
      let network = "64FC 10FC"
      let trained = try workplace.agnesi(
        workplace.training("bars.safetensors", network: network))
      try #require(trained.status == 0, "\(trained.errors)")
      let before = try file("bars.safetensors")
      let command = try #require(BuildProducts.path("agnesi"))
      let limited = ["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "bash", command]
      let outcome = try BuildProducts.run(
        "/bin/bash",
        // Another rate, because another seed might need the compiler, whose files are larger.
        limited + workplace.training("bars.safetensors", network: network, rate: "0.03"),
        environment: Workplace.oneThread)
      #expect(outcome.status == 1)
      #expect(
        outcome.errors == """
          \(workplace.dataNote)cannot write \(workplace.path("bars.checkpoint.safetensors")): File too large; \
          the file that was there before is unchanged

          """)
      #expect(try file("bars.safetensors") == before)
      #expect(
        workplace.folder.names == ["bars", "bars.checkpoint.safetensors", "bars.safetensors"])
    }
  #endif

  @Test func missingCompiler() throws {
    let cache = try workplace.folder.makeFolder("cache")
    try workplace.expect(
      """
      compile: the C compiler /nothing/cc cannot be run: No such file or directory
        hint: set AGNESI_CC to the path of clang or gcc, or unset it
      """, from: workplace.training("bars.safetensors"),
      environment: ["AGNESI_CC": "/nothing/cc", "AGNESI_CACHE": cache],
      after: workplace.dataNote)
    try workplace.expect(
      """
      compile: no C compiler: there is no clang beside swiftc, and no clang, cc or gcc on PATH
        hint: apt-get install clang (or gcc), or set AGNESI_CC to a compiler's path
      """, from: workplace.training("bars.safetensors"),
      environment: ["AGNESI_CC": "", "PATH": cache, "AGNESI_CACHE": cache],
      after: workplace.dataNote)
    #expect(workplace.folder.names == ["bars", "cache"])
  }

  /// A model of every run, what is not finite is named, and programs get JSON.
  @Test func notANumberInTheValidationData() throws {
    let data = try workplace.folder.makeFolder("numbers")
    for (part, count, broken) in [("train", 100, -1), ("validation", 50, 7), ("test", 50, 30)] {
      let values = (0..<(2 * count)).map { $0 / 2 == broken ? .nan : Float($0 / 2 % 5) }
      try NPYFile.write(NDArray(values, shape: [count, 2]), to: "\(data)/\(part)-inputs.npy")
      let labels = NDArray((0..<count).map { Int32($0 % 5 / 3) })
      try NPYFile.write(labels, to: "\(data)/\(part)-labels.npy")
    }
    let outcome = try workplace.agnesi(
      "train", data, "--network", "8FC 2FC", "--epochs", "2", "--batch", "20", "--output",
      workplace.path("numbers.safetensors"), "--report", workplace.path("report.html"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.hasPrefix(
        """
        100 training, 50 validation and 50 test samples in \(data), 2 classes
        NaN or infinity in the inputs of 1 of 50 validation samples, the first is sample 7
        NaN or infinity in the inputs of 1 of 50 test samples, the first is sample 30

        """), "\(outcome.errors)")
    #expect(
      workplace.folder.names == [
        "bars", "numbers", "numbers.checkpoint.safetensors", "numbers.safetensors", "report.html",
      ])
    let evaluation = try workplace.agnesi(
      "evaluate", workplace.path("numbers.safetensors"), data, "--json")
    #expect(evaluation.status == 0, "\(evaluation.errors)")
    let json = try JSONSerialization.jsonObject(with: Data(evaluation.output.utf8))
    let found = try #require(json as? [String: Any])
    #expect(found["loss"] is NSNull)
    #expect(found["count"] as? Int == 50)
  }

  private func numbers(_ folder: String, train: [Int], test: [Int]) throws -> String {
    let data = try workplace.folder.makeFolder(folder)
    for (part, count, broken) in [("train", 100, train), ("test", 30, test)] {
      let values = (0..<(2 * count)).map { broken.contains($0 / 2) ? .nan : Float($0 / 2 % 5) }
      try NPYFile.write(NDArray(values, shape: [count, 2]), to: "\(data)/\(part)-inputs.npy")
      let labels = NDArray((0..<count).map { Int32($0 % 5 / 3) })
      try NPYFile.write(labels, to: "\(data)/\(part)-labels.npy")
    }
    return data
  }

  /// No rate and no way of standardising help: the data are named, as they are in their file.
  @Test(arguments: [[], ["--no-standardize"]]) func notANumberInTheTrainingData(
    others: [String]
  ) throws {
    let data = try numbers("numbers", train: [77, 93], test: [])
    try workplace.expect(
      """
      train: NaN or infinity in the inputs of 2 of 100 training samples, the first is sample 77, and so \
      no loss would be a number
        hint: replace the numbers that are NaN or infinite, or leave these samples out
      """,
      from: [
        "train", data, "--network", "2FC", "--output", workplace.path("n.safetensors"),
      ] + others, after: "100 training and 30 test samples in \(data), 2 classes\n")
  }

  /// What the network says of no numbers is one class, for which the rate is not to blame.
  @Test func onlyNotANumberInTheTestData() throws {
    let data = try numbers("numbers", train: [], test: Array(0..<30))
    let model = workplace.path("n.safetensors")
    let outcome = try workplace.agnesi(
      "train", data, "--network", "2FC", "--epochs", "2", "--output", model)
    #expect(outcome.status == 0)
    let sentence = """
      the model takes all 30 test samples for class "0": NaN or infinity in the inputs of 30 of 30 test \
      samples, the first is sample 0

      """
    #expect(outcome.errors.hasSuffix(sentence), "\(outcome.errors)")
    #expect(!outcome.errors.contains("learning rate"))
    let evaluation = try workplace.agnesi("evaluate", model, data)
    #expect(evaluation.errors.hasSuffix(sentence), "\(evaluation.errors)")
  }

  /// In the words of the notation, with the token that wants most.
  @Test func resultsThatNoMemoryHolds() throws {
    for (network, place) in [
      ("20C3p20000 GAP 10FC", "token 1, \"20C3p20000\""),
      ("2C3 U30000 GAP 10FC", "token 2, \"U30000\""),
    ] {
      let outcome = try workplace.agnesi(
        workplace.training("bars.safetensors", network: network))
      #expect(outcome.status == 1)
      #expect(!outcome.errors.contains("built at") && !outcome.errors.contains(".swift"))
      #expect(outcome.errors.contains("train: there is not enough memory for "))
      #expect(
        outcome.errors.contains("\n  \(place), of the network \"\(network)\", makes "),
        "\(outcome.errors)")
      #expect(outcome.errors.hasSuffix("or smaller mini-batches (--batch)\n"))
    }
  }

  /// Terabytes of weights, which the command refuses before it draws them.
  @Test func aNetworkThatNoMemoryHolds() throws {
    let outcome = try workplace.agnesi(
      workplace.training("bars.safetensors", network: "1000000FC 1000000FC 10FC"))
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    let words = outcome.errors.dropFirst(workplace.dataNote.count)
    let pattern =
      #/
      the\ network\ has\ 1000\ G\ values\ .*\n
      train:\ there\ is\ not\ enough\ memory\ for\ training\ step:\ \d+\ parameters\ would\ take\ 8\.00\ TB,\ .*\ of\ memory\ are\ left\n
      \ \ the\ largest\ is\ parameter\ ".*":\ float32\[1000000,\ 1000000\],\ 4\.00\ TB\n
      \ \ token\ 2,\ "1000000FC",\ of\ the\ network\ ".*",\ has\ 1000\ G\ values,\ .*\n
      /#
    #expect(words.wholeMatch(of: pattern) != nil, "\(outcome.errors)")
    #expect(workplace.folder.names == ["bars"])
  }
}
