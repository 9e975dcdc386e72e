/// What the header of a `.npy` file says.
struct NPYHeader {
  let dtype: DType
  let isBigEndian: Bool
  let isColumnMajor: Bool
  let shape: [Int]

  /// Why a header is refused.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// NumPy's names of the types, without the byte order.
  private static let names: [(name: String, dtype: DType)] = [
    ("b1", .bool), ("i1", .int8), ("i2", .int16), ("i4", .int32), ("i8", .int64), ("u1", .uint8),
    ("u2", .uint16), ("u4", .uint32), ("u8", .uint64), ("f2", .float16), ("f4", .float32),
    ("f8", .float64), ("V2", .bfloat16),
  ]

  static func descriptor(of dtype: DType) -> String {
    let name = names.first { $0.dtype == dtype }?.name ?? ""
    return (dtype.size == 1 ? "|" : "<") + name
  }

  init(_ text: [UInt8]) throws(Problem) {
    var parser = PythonLiteral(text)
    let entries = try parser.dictionary()
    try parser.expectEnd()
    for (index, entry) in entries.enumerated() {
      guard ["descr", "fortran_order", "shape"].contains(entry.key) else {
        throw Problem(description: "its header has the unknown key '\(entry.key)'")
      }
      if entries[..<index].contains(where: { $0.key == entry.key }) {
        throw Problem(description: "its header has the key '\(entry.key)' twice")
      }
    }
    func value(_ key: String) throws(Problem) -> PythonLiteral.Value {
      if let entry = entries.first(where: { $0.key == key }) { return entry.value }
      throw Problem(description: "its header lacks the key '\(key)'")
    }
    (dtype, isBigEndian) = try Self.type(value("descr"))
    guard case .bool(let order) = try value("fortran_order") else {
      throw Problem(description: "its 'fortran_order' is neither True nor False")
    }
    isColumnMajor = order
    shape = try Self.sizes(value("shape"))
  }

  private static func type(_ value: PythonLiteral.Value) throws(Problem) -> (DType, Bool) {
    guard case .string(let descriptor) = value else {
      throw Problem(description: "its 'descr' is not a string")
    }
    guard let order = descriptor.first, "<>|=".contains(order),
      let known = dtype(named: descriptor.dropFirst())
    else {
      throw Problem(
        description: "its elements are of NumPy's type '\(descriptor)', which has no dtype here")
    }
    return (known, order == ">")
  }

  /// The dtype that NumPy calls `name`, without the byte order.
  static func dtype(named name: some StringProtocol) -> DType? {
    names.first { $0.name == name }?.dtype
  }

  private static func sizes(_ value: PythonLiteral.Value) throws(Problem) -> [Int] {
    guard case .tuple(let items) = value else {
      throw Problem(description: "its 'shape' is not a tuple")
    }
    var result: [Int] = []
    for item in items {
      guard case .integer(let size) = item, size >= 0 else {
        throw Problem(description: "its 'shape' holds something that is not a size")
      }
      result.append(size)
    }
    return result
  }
}

/// Reads the few forms of Python literals that occur in the header of a `.npy` file.
struct PythonLiteral {
  enum Value {
    case string(String), bool(Bool), integer(Int), tuple([Value])
  }

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func dictionary() throws(NPYHeader.Problem) -> [(key: String, value: Value)] {
    try expect("{")
    var entries: [(key: String, value: Value)] = []
    while try !accept("}") {
      guard case .string(let key) = try value() else { throw problem("a quoted key") }
      try expect(":")
      entries.append((key, try value()))
      if try !accept(",") {
        try expect("}")
        break
      }
    }
    return entries
  }

  mutating func expectEnd() throws(NPYHeader.Problem) {
    skipSpace()
    if position < bytes.count { throw problem("its end") }
  }

  private mutating func value() throws(NPYHeader.Problem) -> Value {
    skipSpace()
    guard position < bytes.count else { throw problem("a value") }
    switch bytes[position] {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "("): return .tuple(try tuple())
    // The fields of a structure.
    case UInt8(ascii: "["):
      throw NPYHeader.Problem(
        description: "its elements are structures; only plain numbers are read")
    default: return try word()
    }
  }

  private mutating func string() throws(NPYHeader.Problem) -> String {
    let quote = bytes[position]
    let start = position + 1
    guard let end = bytes[start...].firstIndex(of: quote) else { throw problem("a closing quote") }
    position = end + 1
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// Sizes only, so that nothing nests.
  private mutating func tuple() throws(NPYHeader.Problem) -> [Value] {
    try expect("(")
    var items: [Value] = []
    while try !accept(")") {
      items.append(try word())
      if try !accept(",") {
        try expect(")")
        break
      }
    }
    return items
  }

  private mutating func word() throws(NPYHeader.Problem) -> Value {
    skipSpace()
    let start = position
    while position < bytes.count, isWordByte(bytes[position]) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    if word == "True" { return .bool(true) }
    if word == "False" { return .bool(false) }
    // Python 2 wrote long integers as 60000L.
    if let number = Int(word.hasSuffix("L") ? String(word.dropLast()) : word) {
      return .integer(number)
    }
    position = start
    throw problem("a number, True, False or a string")
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func accept(_ character: Character) throws(NPYHeader.Problem) -> Bool {
    skipSpace()
    guard position < bytes.count else { throw problem("'\(character)'") }
    guard bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Character) throws(NPYHeader.Problem) {
    if try !accept(character) { throw problem("'\(character)'") }
  }

  private func problem(_ expected: String) -> NPYHeader.Problem {
    NPYHeader.Problem(description: "its header lacks \(expected) at byte \(position)")
  }
}
