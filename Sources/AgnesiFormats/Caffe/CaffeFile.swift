import AgnesiArrays

/// The weights in Caffe's binary files: a `NetParameter` (`.caffemodel`) with the blobs of its layers, in
/// the form since 2014 (`layer`) or the one before (`layers`), or a single `BlobProto` (`.binaryproto`),
/// in which means of images come.
///
/// Blobs are called `layer/0`, `layer/1`, …, as their layers and in their order; that of a
/// `.binaryproto` is called `data`. Nothing of the network's structure is read.
/// Source: Caffe, `src/caffe/proto/caffe.proto`.
struct CaffeFile {
  private let budget: MemoryBudget
  private(set) var contents = WeightContents()
  private var layerCount = 0

  /// Whether a file of this name is one of Caffe's: their bytes begin with nothing that would tell.
  static func isNamed(_ path: String) -> Bool {
    path.hasSuffix(".caffemodel") || path.hasSuffix(".binaryproto")
  }

  init(_ bytes: FileBytes, name: String, _ budget: MemoryBudget) throws(FormatProblem) {
    self.budget = budget
    if name.hasSuffix(".binaryproto") {
      contents.set("data", try blob(bytes, "data"))
      return
    }
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: contents.texts["name"] = [try field.text()]
      case 2: try readLayer(try field.bytes(), nameField: 4, blobsField: 6)
      case 100: try readLayer(try field.bytes(), nameField: 1, blobsField: 7)
      default: break
      }
    }
    if layerCount == 0 { throw FormatProblem("it has no layers") }
  }

  private mutating func readLayer(
    _ bytes: FileBytes, nameField: Int, blobsField: Int
  ) throws(FormatProblem) {
    defer { layerCount += 1 }
    try budget.charge(64, for: "a layer")
    var name = "layer \(layerCount)"
    var blobs: [FileBytes] = []
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      if field.number == nameField {
        name = try field.text()
      } else if field.number == blobsField {
        try budget.charge(512, for: "a blob")
        blobs.append(try field.bytes())
      }
    }
    for (number, bytes) in blobs.enumerated() {
      let path = "\(name)/\(number)"
      contents.set(path, try blob(bytes, path))
    }
  }

  /// One blob: its elements, and its shape in either form.
  private func blob(_ bytes: FileBytes, _ name: String) throws(FormatProblem) -> NDArray {
    var shape: [Int]?
    // Number, channels, height and width, which older files state.
    var legacy: [Int: Int] = [:]
    var (floats, doubles): ([FileBytes], [FileBytes]) = ([], [])
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1...4: legacy[field.number] = try field.integer()
      case 5: try field.appendFixed(size: 4, to: &floats, budget)
      case 7: shape = try dimensions(try field.bytes())
      case 8: try field.appendFixed(size: 8, to: &doubles, budget)
      default: break
      }
    }
    let isDouble = !doubles.isEmpty
    let parts = isDouble ? doubles : floats
    let size = isDouble ? 8 : 4
    let count = parts.reduce(0) { $0 + $1.count } / size
    let stated = legacy.isEmpty ? [count] : (1...4).map { legacy[$0] ?? 1 }
    return try NumberArrays(budget: budget).array(
      isDouble ? .float64 : .float32, shape ?? stated, joining: parts, name)
  }

  private func dimensions(_ bytes: FileBytes) throws(FormatProblem) -> [Int] {
    var sizes: [Int64] = []
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      if field.number == 1 { try field.appendIntegers(to: &sizes, budget) }
    }
    return sizes.map { Int($0) }
  }
}
