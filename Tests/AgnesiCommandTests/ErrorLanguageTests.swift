import Agnesi
import Foundation
import TestSupport
import Testing

/// Whatever is wrong, the command speaks its own language: tokens, options and files, and nothing of
/// the Swift that it is written in.
struct ErrorLanguageTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace(trainingCount: 200) }

  /// What only somebody who reads the sources could use.
  private static let foreign = [
    ".swift", "Tensor", "(to:", "cast(", "partialWindows", "Reshape(", ".float32)", "Optional(",
    "Scope.", "ONNXModel", "built at", "called from", "NSError", "Swift.", "Error(", "AgnesiLayers",
  ]

  /// - Parameter mayWork: of changes that some commands do not notice.
  private func check(
    _ arguments: [String], says text: String? = nil, mayWork: Bool = false,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try workplace.agnesi(arguments)
    #expect(outcome.status != 0 || mayWork, "\(arguments)", sourceLocation: sourceLocation)
    let all = outcome.errors + outcome.output
    #expect(!outcome.errors.isEmpty || !outcome.output.isEmpty, sourceLocation: sourceLocation)
    for word in Self.foreign {
      #expect(!all.contains(word), "\(arguments): \(all)", sourceLocation: sourceLocation)
    }
    if let text {
      #expect(all.contains(text), "\(arguments): \(all)", sourceLocation: sourceLocation)
    }
  }

  @Test func networksThatDoNotFit() throws {
    for (network, text) in [
      (
        "20C5 MP2 MP2 MP3 10FC",
        """
        notation: token 4, "MP3", of the network "20C5 MP2 MP2 MP3 10FC": gets 20×2×2, too small for \
        windows of 3×3
          hint: padding makes it fit, as in MP3p1; or fewer or smaller poolings and strides before it

        """
      ),
      (
        "64FC 8C3 10FC",
        """
        notation: token 2, "8C3", of the network "64FC 8C3 10FC": needs images, channels × height × \
        width, and gets 64
          hint: behind 64FC there are no images; put it before

        """
      ),
      (
        "8C13 10FC",
        """
        notation: token 1, "8C13", of the network "8C13 10FC": gets 1×12×12, too small for kernels \
        of 13×13
          hint: padding makes it fit, as in 8C13p1; or fewer or smaller poolings and strides before it

        """
      ),
    ] {
      let output = workplace.path("bars.safetensors")
      try check(
        ["train", workplace.data, "--network", network, "--output", output], says: text)
      try check(["summary", network, "--input", "1x12x12"], says: text)
      try check(["tune", network, "--input", "1x12x12"], says: text)
    }
    #expect(workplace.folder.names == ["bars"])
  }

  @Test func photosThatDoNotFitANetwork() throws {
    let photos = try workplace.folder.makeFolder("photos")
    for name in ["ants", "bees"] {
      let folder = try workplace.folder.makeFolder("photos/\(name)")
      for number in 0..<6 {
        let pixels = NDArray(zeros: [3, 20, 20], .uint8)
        try Picture(pixels).write(to: "\(folder)/\(number).png")
      }
    }
    let output = workplace.path("insects.safetensors")
    try check(
      [
        "transfer", "8C3 MP2 MP2 MP7", photos, "--from-scratch", "--size", "16", "--epochs", "1",
        "--output", output,
      ],
      says: """
        notation: token 4, "MP7", of the network "8C3 MP2 MP2 MP7": gets 8×3×3, too small for \
        windows of 7×7
          hint: padding makes it fit, as in MP7p2; or fewer or smaller poolings and strides before it

        """)
    try check(["classify", "8C3 MP2", photos])
    try check(["classify", workplace.path("none.onnx"), photos])
    try check(["explain", "resnet18", workplace.path("photos/ants/0.pgn")])
  }

  /// Model files with something else in them, which their readers refuse.
  @Test func filesThatAreWrong() throws {
    let model = workplace.path("bars.safetensors")
    let outcome = try workplace.agnesi(workplace.training("bars.safetensors", epochs: 1))
    try #require(outcome.status == 0, "\(outcome.errors)")
    let bytes = try workplace.folder.read("bars.safetensors")
    let text = String(decoding: bytes, as: UTF8.self)
    // Changes that keep the length, so that the file stays whole.
    for (word, other) in [
      ("matmul", "matmux"), (#"\"float32\""#, #"\"float99\""#), ("[144,16]", "[141,16]"),
      (#"\"shape\""#, #"\"shope\""#), ("softmax", "sofdmax"), (#"\"int32\""#, #"\"bool_\""#),
      ("dense1.bias", "dense1.bisa"), ("agnesi.functions", "agnesi.functionx"),
    ] where text.contains(word) {
      var changed = Data(bytes)
      while let place = changed.range(of: Data(word.utf8)) {
        changed.replaceSubrange(place, with: Data(other.utf8))
      }
      let path = try workplace.folder.write(Array(changed), to: "changed.safetensors")
      try check(["summary", path], mayWork: true)
      try check(["evaluate", path, workplace.data], mayWork: true)
      try check(["export", path, workplace.path("x.onnx")], mayWork: true)
    }
    let onnx = workplace.path("bars.onnx")
    try #require(try workplace.agnesi("export", model, onnx).status == 0)
    let exported = try workplace.folder.read("bars.onnx")
    for (word, other) in [("MatMul", "MatMux"), ("Relu", "Rulu"), ("Gemm", "Gexm"), ("Add", "Atd")]
    {
      var changed = Data(exported)
      guard let place = changed.range(of: Data(word.utf8)) else { continue }
      changed.replaceSubrange(place, with: Data(other.utf8))
      let path = try workplace.folder.write(Array(changed), to: "changed.onnx")
      try check(["summary", path])
      try check(["evaluate", path, workplace.data])
    }
    let cut = try workplace.folder.write(exported.prefix(exported.count / 2), to: "cut.onnx")
    try check(["summary", cut])
  }
}
