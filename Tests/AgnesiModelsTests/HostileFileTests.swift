import AgnesiArrays
import AgnesiExpressions
import AgnesiModels
import TestSupport
import Testing

/// Files that are wrong, by accident or on purpose: an error that says what, never a trap.
@Suite struct HostileFileTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.path("model.safetensors") }

  /// The text of the error; the path is left out.
  private func text(
    _ functions: String, tensors: [(name: String, array: NDArray)] = [], version: String = "1"
  ) throws -> String {
    let metadata = ["agnesi.version": version, "agnesi.functions": functions]
    try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: path)
    return errorText { _ = try Model(reading: path) }.replacing(path, with: "FILE")
  }

  /// One function of these nodes; the first is its input, the last its output.
  private func function(_ nodes: [String], inputs: String = "[[0,0]]") -> String {
    let list = nodes.joined(separator: ",")
    return """
      {"f":{"names":["y"],"graph":{"nodes":[\(list)],"inputs":\(inputs),\
      "outputs":[[\(nodes.count - 1),0]]}}}
      """
  }

  private func input(_ shape: String) -> String {
    """
    {"op":"input","name":"x","type":{"dtype":"float32","shape":\(shape),"isKnown":true}}
    """
  }

  private func node(_ name: String, _ operands: String, _ attributes: String = "{}") -> String {
    """
    {"op":"\(name)","operands":\(operands),"attributes":\(attributes)}
    """
  }

  private let parameter = """
    {"op":"parameter","parameter":{"name":"w","dtype":"float32","shape":[2],"tags":3}}
    """

  @Test func soundFilesAreRead() throws {
    #expect(
      try text(function([input("[2]"), node("exp", "[[0,0]]")])) == "nothing was thrown")
    let array = NDArray(zeros: [2])
    #expect(
      try text(function([input("[2]"), parameter]), tensors: [("w", array)])
        == "nothing was thrown")
  }

  @Test func noModel() throws {
    try SafetensorsFile(tensors: [("w", NDArray(zeros: [2]))], metadata: [:]).write(to: path)
    #expect(
      errorText { _ = try Model(reading: path) }.replacing(path, with: "FILE") == """
        model FILE: the file holds tensors, but no functions of Agnesi
          hint: only files that Agnesi saved can be evaluated
        """)
  }

  @Test func anotherVersion() throws {
    #expect(
      try text("{}", version: "2")
        == "model FILE: version 2 of the format, this program reads 1")
  }

  @Test func truncatedText() throws {
    let whole = function([input("[2]"), node("exp", "[[0,0]]")])
    for length in 0..<whole.count {
      let found = try text(String(whole.prefix(length)))
      #expect(found.hasPrefix("model FILE: its functions cannot be read: "), "\(length): \(found)")
    }
  }

  @Test func aTruncatedFileOfEveryLength() throws {
    let functions = function([input("[2]"), parameter])
    _ = try text(functions, tensors: [("w", NDArray(zeros: [2]))])
    let bytes = try folder.read("model.safetensors")
    for length in 0..<bytes.count {
      try folder.write(bytes.prefix(length), to: "short")
      #expect(throws: (any Error).self) { _ = try Model(reading: folder.path("short")) }
    }
  }

  @Test func referencesToLaterNodes() throws {
    for reference in ["[1,0]", "[2,0]", "[-1,0]", "[0,1]", "[0,-1]", "[9223372036854775807,0]"] {
      #expect(
        try text(function([input("[2]"), node("exp", "[\(reference)]")]))
          == "model FILE: node 1 refers to a node that is not before it")
    }
  }

  @Test func wrongNumbersOfOperands() throws {
    #expect(
      try text(function([input("[2]"), node("exp", "[]")])) == "model FILE: exp has 0 operands")
    #expect(
      try text(function([input("[2]"), node("add", "[[0,0]]")]))
        == "model FILE: add has 1 operands")
  }

  @Test func unknownOperation() throws {
    #expect(
      try text(function([input("[2]"), node("teleport", "[[0,0]]")]))
        == "model FILE: the operation \"teleport\" is unknown to this version")
  }

  @Test func wrongShapes() throws {
    let two = [input("[2]"), input("[3]").replacing("\"x\"", with: "\"z\"")]
    #expect(
      try text(function(two + [node("add", "[[0,0],[1,0]]")], inputs: "[[0,0],[1,0]]")) == """
        model FILE: node 2 is wrong: add: sizes of axis 0 differ, 2 ≠ 3
          left   "x" float32[2]
          right  "z" float32[3]
        """)
  }

  @Test func parametersAndTensors() throws {
    let functions = function([input("[2]"), parameter])
    #expect(try text(functions) == "model FILE: parameter \"w\" has no tensor")
    #expect(
      try text(functions, tensors: [("w", NDArray(zeros: [3]))])
        == "model FILE: parameter \"w\" is float32[2], its tensor float32[3]")
    let other = parameter.replacing("[2]", with: "[4611686018427387904,4]")
    #expect(
      try text(function([input("[2]"), other]), tensors: [("w", NDArray(zeros: [2]))])
        == "model FILE: parameter \"w\" is float32[4611686018427387904, 4], its tensor float32[2]")
    #expect(
      try text(
        function([input("[2]"), parameter, other]), tensors: [("w", NDArray(zeros: [2]))])
        == "model FILE: parameter \"w\" is recorded with two types")
  }

  @Test func namesOfOutputs() throws {
    let functions = function([input("[2]")]).replacing("[\"y\"]", with: "[]")
    #expect(
      try text(functions)
        == "model FILE: function \"f\" names another number of outputs than it has")
  }

  @Test func inputsThatAreNone() throws {
    #expect(
      try text(function([input("[2]"), node("exp", "[[0,0]]")], inputs: "[[1,0]]"))
        == "model FILE: what is handed to a graph is not an input")
    #expect(
      try text(function([input("[2]")], inputs: "[[0,0],[0,0]]"))
        == "model FILE: an input of a graph is listed twice")
    #expect(
      try text(function([input("[2]")], inputs: "[]"))
        == "model FILE: a graph depends on input \"x\", which is not handed to it")
  }

  /// A composite around a body, `depth` times.
  private func nested(_ depth: Int) -> String {
    var body = #"{"nodes":[\#(input("[2]"))],"inputs":[[0,0]],"outputs":[[0,0]]}"#
    for _ in 0..<depth {
      let composite = #"""
        {"op":"composite","operands":[[0,0]],"composite":{"name":"c","attributes":{},\#
        "updates":[],"body":\#(body)}}
        """#.replacing("\n", with: "")
      body = #"""
        {"nodes":[\#(input("[2]")),\#(composite)],"inputs":[[0,0]],"outputs":[[1,0]]}
        """#
    }
    return #"{"f":{"names":["y"],"graph":\#(body)}}"#
  }

  @Test func compositesInsideOfComposites() throws {
    #expect(try text(nested(20)) == "nothing was thrown")
    #expect(try text(nested(100)) == "model FILE: composites nested deeper than 32")
    #expect(
      try text(nested(400)).hasPrefix("model FILE: its functions cannot be read: "))
  }

  @Test func bodiesThatDoNotFit() throws {
    let wrong = "model FILE: the composite \"c\" does not fit its body"
    let operand = #""operands":[[0,0]],"composite""#
    #expect(
      try text(nested(1).replacing(operand, with: #""operands":[],"composite""#)) == wrong)
    #expect(
      try text(
        nested(1).replacing(#""updates":[]"#, with: #""updates":[{"operand":7,"result":0}]"#))
        == wrong)
    let inference = #""inference":{"nodes":[\#(input("[3]"))],"inputs":[[0,0]],"outputs":[[0,0]]}"#
    #expect(
      try text(nested(1).replacing(#""updates":[]"#, with: "\"updates\":[],\(inference)"))
        == wrong)
  }

  @Test func sizesThatOverflow() throws {
    let huge = "[4611686018427387904,4611686018427387904,3]"
    #expect(
      try text(function([input(huge), node("exp", "[[0,0]]")])) == """
        model FILE: node 0 is float32[4611686018427387904, 4611686018427387904, 3], \
        which is no possible size
        """)
    #expect(
      try text(function([input("[-9223372036854775808]")]))
        == "model FILE: node 0 is float32[-9223372036854775807], which is no possible size")
  }

  @Test func formulasOfSizesThatOverflow() throws {
    func term(_ coefficient: String, _ factors: Int) -> String {
      let symbols = [String](repeating: #"{"symbol":{"_0":"batch"}}"#, count: factors)
      return """
        {"constant":9223372036854775807,"terms":[{"coefficient":\(coefficient),\
        "factors":[\(symbols.joined(separator: ","))]}]}
        """
    }
    for coefficient in ["9223372036854775807", "-9223372036854775808"] {
      let shape = "[\(term(coefficient, 1)),\(term(coefficient, 2)),\(term(coefficient, 0))]"
      let found = try text(
        function([input(shape), node("exp", "[[0,0]]"), node("negate", "[[1,0]]")]))
      #expect(found == "nothing was thrown" || found.hasPrefix("model FILE: "), "\(found)")
    }
  }

  private static let names: [String] = Operations.all.compactMap { operation in
    operation.examples.isEmpty ? nil : operation.name
  }

  /// Every whole number of every operation's file, replaced by one that no arithmetic survives.
  @Test(arguments: Self.names)
  func wildNumbers(_ name: String) throws {
    let example = try #require(Operations.byName[name]?.examples.first)
    let inputs = example.inputs.enumerated().map { position, input in
      Tensor.input("x\(position)", input.shape.map { Size($0) }, input.dtype)
    }
    let outputs = example.build(inputs).enumerated().map { (name: "y\($0)", tensor: $1) }
    let own = TemporaryFolderPath(folder, name)
    try Model(functions: ["f": .init(inputs: inputs, outputs: outputs)]).write(to: own.path)
    let file = try SafetensorsFile(reading: own.path)
    let text = try #require(file.metadata["agnesi.functions"])
    for wild in ["-1", "1073741824", "9223372036854775807", "-9223372036854775808"] {
      let changed = Self.numbers(of: text, replacedBy: wild)
      let metadata = ["agnesi.version": "1", "agnesi.functions": changed]
      try SafetensorsFile(tensors: file.tensors, metadata: metadata).write(to: own.path)
      // Whether the file can be read does not matter: the process lives on, and says why if not.
      #expect(!errorText { _ = try Model(reading: own.path) }.isEmpty)
    }
  }

  /// JSON with every number that is not inside of a text replaced.
  private static func numbers(of text: String, replacedBy wild: String) -> String {
    var result = ""
    var isInNumber = false
    for character in text {
      if isInNumber, character.isNumber || ".eE+-".contains(character) { continue }
      isInNumber = (character.isNumber || character == "-") && "[,:".contains(result.last ?? " ")
      result += isInNumber ? wild : String(character)
    }
    return result
  }

  private struct TemporaryFolderPath {
    let path: String
    init(_ folder: TemporaryFolder, _ name: String) { path = folder.path("\(name).safetensors") }
  }
}
