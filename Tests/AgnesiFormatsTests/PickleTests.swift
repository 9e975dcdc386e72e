import AgnesiArrays
import AgnesiFormats
import TestSupport
import Testing

@Suite struct PickleTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(inMemory: true) }

  /// Lasagne's Recipes: Python 2 and 3, all protocols, both orders of axes and bytes.
  @Test(arguments: [
    "python2-0", "python2-1", "python2-2", "python3-0", "python3-2", "python3-4", "python3-5",
  ])
  func recipes(name: String) throws {
    let file = try Fixtures.read("\(name).pkl")
    #expect(file.format == .pickle)
    #expect(file.arrays.map(\.name) == (0...3).map { "param values/\($0)" } + ["mean value"])
    #expect(file["param values/0"] == Fixtures.ramp([4, 3, 2, 2]))
    #expect(file["param values/1"] == Fixtures.ramp([5, 7], first: 1))
    #expect(file["param values/1"]?.isContiguous == true)
    #expect(file["param values/2"] == Fixtures.ramp([3], .float64))
    #expect(file["param values/3"] == Fixtures.ramp([6], .int32))
    #expect(file["mean value"] == Fixtures.ramp([3]))
    #expect(
      file.texts == [
        "model name": ["small"],
        "synset words": ["kit fox", "café, café", "it's \"quoted\"\n"],
      ])
  }

  @Test(arguments: ["more.pkl", "more-python2.pkl"]) func otherThings(name: String) throws {
    let file = try Fixtures.read(name)
    #expect(file["list/0"] == Fixtures.ramp([2]))
    #expect(file["list/1"] == Fixtures.ramp([3]))
    #expect(file["scalar"] == NDArray(scalar: Float(2.5)))
    #expect(file["flags"] == NDArray([false, false, true, true, false]))
    #expect(file["numbers"] == NDArray([1, 2.5, 3]))
    #expect(file["counts"] == NDArray([1, 2, -3]))
    #expect(file["5/deep"] == Fixtures.ramp([2, 2]))
    #expect(file.arrays.count == 7)
    #expect(file.texts == ["epoch": ["7"]])
  }

  /// What the same array is called twice is stored once, and still two values.
  @Test func sharedArraysAreValues() throws {
    let file = try WeightFile(
      reading: folder.write(array(between: "]q\u{7}", "h\u{3}h\u{3}\u{2}"), to: "a"))
    var first = try #require(file["0"])
    let second = try #require(file["1"])
    first.withUnsafeMutableBytes { $0.storeBytes(of: 9, as: Float.self) }
    #expect(second.doubles == [0, 0])
  }

  /// `prefix`, a vector of two zeros kept as number 3, `suffix`, where a byte 2 stands for "append to".
  private func array(between prefix: String, _ suffix: String) -> [UInt8] {
    let make =
      "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\u{0}\u{85}U\u{1}btRq\u{3}"
      + "(K\u{1}K\u{2}\u{85}cnumpy\ndtype\n(U\u{2}f4K\u{0}K\u{1}tR(K\u{3}U\u{1}<NNNJ\u{ff}\u{ff}\u{ff}\u{ff}"
      + "J\u{ff}\u{ff}\u{ff}\u{ff}K\u{0}tb\u{89}U\u{8}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}tb"
    let rest = suffix.replacing("\u{2}", with: "e")
    let text = "\u{80}\u{2}" + make + "0" + prefix + "(" + rest + "."
    return text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
  }

  // MARK: Hostile files

  static let refused: [(pickle: String, problem: String)] = [
    (
      "cposix\nsystem\n(S'touch /tmp/owned'\ntR.",
      "it names \"posix.system\", and a class or function from a file would run code; only arrays, "
        + "numbers, texts, lists and dictionaries are read, at byte 0 (GLOBAL)"
    ),
    (
      "\u{80}\u{4}\u{8c}\u{8}builtins\u{8c}\u{4}eval\u{93}.",
      "it names \"builtins.eval\", and a class or function from a file would run code; only arrays, "
        + "numbers, texts, lists and dictionaries are read, at byte 18 (STACK_GLOBAL)"
    ),
    (
      "(S'ls'\nios\nsystem\n.",
      "it uses the instruction INST, which arrays, numbers, texts, lists and dictionaries do not need, "
        + "at byte 7 (INST)"
    ),
    (
      "\u{80}\u{2}ccollections\nOrderedDict\n)\u{81}.",
      "it uses the instruction NEWOBJ, which arrays, numbers, texts, lists and dictionaries do not "
        + "need, at byte 28 (NEWOBJ)"
    ),
    ("\u{80}\u{2}K\u{1})R.", "it calls an integer, at byte 5 (REDUCE)"),
    (
      "\u{80}\u{2}cnumpy\nndarray\n)R.",
      "it calls a type, which makes nothing that is read, at byte 18 (REDUCE)"
    ),
    ("\u{80}\u{2}]}b.", "it sets the state of a list, at byte 4 (BUILD)"),
    ("\u{80}\u{2}U\u{1}xQ.", "it refers to data outside of the file, at byte 5 (BINPERSID)"),
    ("\u{80}\u{6}N.", "its protocol is 6, known are 0 to 5, at byte 0 (PROTO)"),
    ("\u{80}\u{2}\u{1}.", "byte 2 holds 1, which is no instruction of a pickle"),
    ("\u{80}\u{2}.", "it takes a value from an empty stack"),
    ("\u{80}\u{2}(K\u{1}a.", "it takes a value from an empty stack, at byte 5 (APPEND)"),
    ("\u{80}\u{2}h\u{5}.", "it recalls value 5, which it never kept, at byte 2 (BINGET)"),
    ("\u{80}\u{2}t.", "it asks for a mark without one, at byte 2 (TUPLE)"),
    ("\u{80}\u{2}K\u{1}K\u{2}a.", "it appends to an integer, at byte 6 (APPEND)"),
    ("\u{80}\u{2}K\u{1}(K\u{2}K\u{3}u.", "it sets an item of an integer, at byte 9 (SETITEMS)"),
    ("\u{80}\u{2}}(K\u{2}u.", "a key has no value, at byte 6 (SETITEMS)"),
    (
      "\u{80}\u{2}T\u{ff}\u{ff}\u{ff}\u{7f}x",
      "it ends inside of something that begins before byte 7, at byte 2 (BINSTRING)"
    ),
    (
      "\u{80}\u{2}T\u{ff}\u{ff}\u{ff}\u{ff}x",
      "it ends inside of something that begins before byte 7, at byte 2 (BINSTRING)"
    ),
    (
      "\u{80}\u{4}\u{8e}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}",
      "it ends inside of something that begins before byte 11, at byte 2 (BINBYTES8)"
    ),
    ("\u{80}\u{2}N.", "it holds no arrays"),
    ("\u{80}\u{2}N.N.", "2 bytes follow its end at byte 4"),
    (
      "\u{80}\u{2}cnumpy\ndtype\n(U\u{2}O8K\u{0}K\u{1}tR.",
      "its arrays are of NumPy's type \"O8\", which has no dtype here, at byte 25 (REDUCE)"
    ),
    (
      "\u{80}\u{2}ctheano.sandbox.cuda.type\nCudaNdarray_unpickler\n.",
      "it names \"theano.sandbox.cuda.type.CudaNdarray_unpickler\", and a class or function from a file "
        + "would run code; only arrays, numbers, texts, lists and dictionaries are read, at byte 2 (GLOBAL)"
    ),
  ]

  @Test(arguments: refused) func whatIsNoDataIsRefusedByName(pickle: String, expected: String)
    throws
  {
    let bytes = pickle.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    #expect(problem(try folder.write(bytes, to: "hostile"), as: "a pickle") == expected)
  }

  /// Each level refers to the one below ten times.
  @Test func billionsOfReferencesTakeNoMemory() throws {
    var bytes: [UInt8] = [0x80, 2] + Array("K\u{1}q\u{0}".utf8)
    for level in 0..<20 {
      bytes += Array("](".utf8)
      for _ in 0..<10 { bytes += [UInt8(ascii: "h"), UInt8(level)] }
      // A dictionary among the items, so that no level is a plain list of numbers.
      bytes += Array("}eq".utf8) + [UInt8(level + 1)]
    }
    let path = try folder.write(bytes + [UInt8(ascii: ".")], to: "laughs")
    #expect(
      problem(path, as: "a pickle") == "its lists and dictionaries have more than 1048576 items")
  }

  @Test func depthIsBounded() throws {
    let path = try folder.write(
      [0x80, 2] + [UInt8](repeating: UInt8(ascii: "]"), count: 1_000_000)
        + [UInt8](repeating: UInt8(ascii: "a"), count: 999_999) + [UInt8(ascii: ".")], to: "deep")
    #expect(
      problem(path, as: "a pickle")
        == "its lists and dictionaries nest more than 32 levels deep")
  }

  @Test func aListThatHoldsItselfHasAnEnd() throws {
    let path = try folder.write([0x80, 2] + Array("]q\u{0}h\u{0}a.".utf8), to: "cycle")
    #expect(
      problem(path, as: "a pickle")
        == "its lists and dictionaries nest more than 32 levels deep")
  }

  @Test func instructionsAreCounted() throws {
    let path = try folder.write(
      [0x80, 2] + [UInt8](repeating: UInt8(ascii: "N"), count: 5_000_000) + [UInt8(ascii: ".")],
      to: "long")
    #expect(problem(path, as: "a pickle") == "it has more than 4194304 instructions")
  }

  @Test func shapesAndElementsMustAgree() throws {
    var bytes = array(between: "", "h\u{3}t")
    #expect(try WeightFile(reading: folder.write(bytes, to: "good"))["0"]?.shape == [2])
    let text = Array("K\u{2}\u{85}".unicodeScalars.map { UInt8($0.value) })
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: text) })
    bytes[place + 1] = 200
    #expect(
      problem(try folder.write(bytes, to: "bad"), as: "a pickle").hasPrefix(
        "an array float32[200] would lie in 8 bytes, at byte "))
  }

  @Test func everyTruncationIsAnError() throws {
    for name in ["python2-0.pkl", "python3-4.pkl", "more.pkl"] {
      let bytes = try Fixtures.bytes(name)
      for count in 0..<bytes.count {
        let path = try folder.write(bytes[..<count], to: "cut")
        #expect(throws: FormatError.self) { _ = try WeightFile(reading: path) }
      }
    }
  }
}
