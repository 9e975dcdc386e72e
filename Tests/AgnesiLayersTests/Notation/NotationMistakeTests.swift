import AgnesiArrays
import AgnesiExpressions
import AgnesiLayers
import TestSupport
import Testing

/// Layers that do not fit what comes to them, in the words of the notation.
@Suite struct NotationMistakeTests {
  private static func wording(
    _ notation: String, _ sample: Shape, _ dtype: DType = .float32
  ) throws -> String? {
    let input = Tensor.input("input", [.batch] + sample, dtype)
    return try Notation.parse(notation).outputs(input).lazy.compactMap(\.failure).first?.wording
  }

  private static let cases: [(notation: String, sample: Shape, text: String)] = [
    (
      "20c5  MP2 mp7 10FC", [1, 12, 12],
      """
      token 3, "mp7", of the network "20c5 MP2 mp7 10FC": gets 20×4×4, too small for windows of 7×7
        hint: padding makes it fit, as in MP7p2; or fewer or smaller poolings and strides before it
      """
    ),
    (
      "MP2 MP3s2p1 AP5x3s1p1 10FC", [1, 4, 8],
      """
      token 3, "AP5x3s1p1", of the network "MP2 MP3s2p1 AP5x3s1p1 10FC": gets 1×1×2 and pads it \
      by 1, too small for windows of 5×3
        hint: padding makes it fit, as in AP5x3s1p2x1; or fewer or smaller poolings and strides \
      before it
      """
    ),
    (
      "AP2p2 10FC", [1, 4, 4],
      """
      token 1, "AP2p2", of the network "AP2p2 10FC": has a padding of 2×2, which is not smaller \
      than its windows of 2×2
        hint: a smaller number behind p
      """
    ),
    (
      "MP2 8C7 10FC", [3, 8, 8],
      """
      token 2, "8C7", of the network "MP2 8C7 10FC": gets 3×4×4, too small for kernels of 7×7
        hint: padding makes it fit, as in 8C7p2; or fewer or smaller poolings and strides before it
      """
    ),
    (
      "8C3d4s2 10FC", [3, 8, 8],
      """
      token 1, "8C3d4s2", of the network "8C3d4s2 10FC": gets 3×8×8, too small for kernels of 3×3, \
      which span 9×9
        hint: padding makes it fit, as in 8C3s2p1d4; or fewer or smaller poolings and strides \
      before it
      """
    ),
    (
      "20C3 BN 30C3g7 10FC", [1, 8, 8],
      """
      token 3, "30C3g7", of the network "20C3 BN 30C3g7 10FC": gets 20 channels; these and 30 \
      kernels do not fall into 7 equal groups
        hint: the number behind g must divide both
      """
    ),
    (
      "256FC 20C5 10FC", [1, 28, 28],
      """
      token 2, "20C5", of the network "256FC 20C5 10FC": needs images, channels × height × width, \
      and gets 256
        hint: behind 256FC there are no images; put it before
      """
    ),
    (
      "20C5 GAP U2 10FC", [1, 28, 28],
      """
      token 3, "U2", of the network "20C5 GAP U2 10FC": needs images, channels × height × width, \
      and gets 20
        hint: behind GAP there are no images; put it before
      """
    ),
    (
      "flatten GAP 10FC", [1, 28, 28],
      """
      token 2, "GAP", of the network "flatten GAP 10FC": needs images, channels × height × width, \
      and gets 784
        hint: behind flatten there are no images; put it before
      """
    ),
    (
      "D0.1 20C5 10FC", [64],
      """
      token 2, "20C5", of the network "D0.1 20C5 10FC": needs images, channels × height × width, \
      and gets 64
        hint: the samples are no images, which take layers such as 256FC only
      """
    ),
    (
      "10FC", [],
      """
      token 1, "10FC", of the network "10FC": needs samples of at least one axis
      """
    ),
  ]

  @Test(arguments: cases.indices) func texts(_ index: Int) throws {
    let (notation, sample, text) = Self.cases[index]
    let found = try #require(try Self.wording(notation, sample))
    #expect(found == "notation: " + text)
  }

  @Test func wholeNumbersAreNamed() throws {
    #expect(
      try Self.wording("20C5 10FC", [1, 28, 28], .int32) == """
        notation: token 1, "20C5", of the network "20C5 10FC": needs floating-point numbers, and \
        gets int32
          hint: data of whole numbers can be standardised (--standardize)
        """)
  }

  private static let tokens = [
    "8C3", "8C3s2", "8C3p1", "8C9", "8C3psame", "8C3pfull", "8C3d5", "6C3g3", "4C5x1", "10FC",
    "MP2", "MP3s2p1", "MP9", "MP2p2", "AP2", "AP9x2", "AP2p3", "GAP", "BN", "D0.5", "U2", "U3x2",
    "flatten",
  ]

  /// Every kind of token behind every other and on samples of all kinds: either it fits, or the
  /// message names the token in the notation's words, and no word of Swift.
  @Test func everyMistakeIsInTheNotationsWords() throws {
    let all = Self.tokens + ["relu", "lrelu0.2", "tanh", "softmax", "linear"]
    let samples: [Shape] = [
      [], [5], [1, 1, 1], [3, 2, 9], [2, 2, 2, 2], [1, 0, 4],
    ]
    var failures = 0
    for sample in samples {
      for dtype in [DType.float32, .int32] {
        for first in [nil] + all.map(Optional.some) {
          for second in all {
            let notation = [first, second].compactMap { $0 }.joined(separator: " ")
            let input = Tensor.input("input", [.batch] + sample, dtype)
            let outputs = try Notation.parse(notation).outputs(input)
            guard let failure = outputs.lazy.compactMap(\.failure).first else { continue }
            failures += 1
            let wording = failure.wording ?? ""
            #expect(wording.hasPrefix("notation: token "), "\(notation) of \(sample) \(dtype)")
            #expect(wording.contains(" of the network \"\(notation)\": "))
            for word in ["Tensor", ".swift", "(to:", "partialWindows", "Reshape", "cast", "batch"] {
              #expect(!wording.contains(word), "\(wording)")
            }
          }
        }
      }
    }
    #expect(failures > 500)
  }

  /// A network that was read from a description has a notation, too; what no notation says has none.
  @Test func otherChains() throws {
    let image = Tensor.input("image", [.batch, 1, 3, 3])
    let chain = Chain([MaxPool2D(2), Convolution2D(filters: 4, kernel: 2)])
    #expect(
      chain.outputs(image).last?.failure?.wording?.hasPrefix(
        "notation: token 2, \"4C2\", of the network \"MP2 4C2\": gets 1×1×1") == true)
    let other = Chain([Reshape([1, 1, 9]), MaxPool2D(2)])
    #expect(other.outputs(image).last?.failure?.wording == nil)
    // What it was read from does not make a chain another one.
    #expect(try Notation.parse("mp2  4c2") == Notation.parse("MP2 4C2"))
  }
}
