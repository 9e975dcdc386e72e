import AgnesiArrays

/// Reads one of Python's pickles, protocols 0 to 5, as data.
///
/// A pickle is a program for a small stack machine, which in Python may name any function and have it
/// called. This machine knows only how to put numbers, texts, lists and dictionaries together; the few
/// names that arrays and tensors need stand for data (``PickleGlobal``). All else is refused by name.
///
/// Each instruction makes a bounded number of values and there are at most ``mostInstructions``, so
/// memory is bounded; nothing recurses.
struct PickleReader {
  /// Pickles of weights have some thousands, and a word list some hundred thousands.
  static let mostInstructions = 1 << 22

  /// Where the next byte lies; after reading, the byte behind the pickle.
  var position: Int { cursor.position }

  private(set) var heap = PickleHeap()
  private var cursor: ByteCursor
  private let budget: MemoryBudget
  private let allowsStorages: Bool
  private var stack: [PickleValue] = []
  /// The heights of the stack at which marks lie.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// - Parameter allowsStorages: whether persistent names, which are PyTorch's storages, may occur.
  init(
    _ bytes: FileBytes, at position: Int = 0, allowsStorages: Bool = false, _ budget: MemoryBudget
  ) {
    cursor = ByteCursor(bytes, at: position)
    self.allowsStorages = allowsStorages
    self.budget = budget
  }

  /// The value of the pickle.
  mutating func read() throws(FormatProblem) -> PickleValue {
    for _ in 0..<Self.mostInstructions {
      let start = cursor.position
      let code = try cursor.next(UInt8.self)
      guard let opcode = PickleOpcode(rawValue: code) else {
        throw FormatProblem("byte \(start) holds \(code), which is no instruction of a pickle")
      }
      if opcode == .stop { return try popped() }
      do {
        if try !simple(opcode), try !structural(opcode) { try special(opcode) }
      } catch let problem {
        throw FormatProblem("\(problem), at byte \(start) (\(opcode.name))")
      }
    }
    throw FormatProblem("it has more than \(Self.mostInstructions) instructions")
  }

  // MARK: Plain values

  /// Instructions that put one value on the stack.
  private mutating func simple(_ opcode: PickleOpcode) throws(FormatProblem) -> Bool {
    switch opcode {
    case .none: stack.append(.none)
    case .newtrue: stack.append(.bool(true))
    case .newfalse: stack.append(.bool(false))
    case .int: stack.append(try decimal())
    case .long: stack.append(try decimal())
    case .binint: stack.append(.integer(Int(try cursor.next(Int32.self))))
    case .binint1: stack.append(.integer(Int(try cursor.next(UInt8.self))))
    case .binint2: stack.append(.integer(Int(try cursor.next(UInt16.self))))
    case .long1: stack.append(try longInteger(Int(try cursor.next(UInt8.self))))
    case .long4: stack.append(try longInteger(Int(try cursor.next(Int32.self))))
    case .float:
      let text = try cursor.line().text
      guard let number = Double(text) else {
        throw FormatProblem("\(FormatProblem.quoted(text)) is no number")
      }
      stack.append(.float(number))
    case .binfloat:
      stack.append(.float(Double(bitPattern: try cursor.next(UInt64.self).byteSwapped)))
    default: return try string(opcode)
    }
    return true
  }

  private mutating func string(_ opcode: PickleOpcode) throws(FormatProblem) -> Bool {
    switch opcode {
    case .string: stack.append(heap.bytes(try PickleText.unescapedString(cursor.line())))
    case .unicode: stack.append(heap.text(PickleText.unescapedUnicode(try cursor.line())))
    case .shortBinstring, .shortBinbytes:
      stack.append(heap.bytes(try cursor.take(Int(try cursor.next(UInt8.self)))))
    case .binstring: stack.append(heap.bytes(try cursor.take(Int(try cursor.next(Int32.self)))))
    case .binbytes: stack.append(heap.bytes(try cursor.take(Int(try cursor.next(UInt32.self)))))
    case .binbytes8, .bytearray8: stack.append(heap.bytes(try cursor.take(try wideCount())))
    case .shortBinunicode:
      stack.append(heap.text(try cursor.take(Int(try cursor.next(UInt8.self)))))
    case .binunicode: stack.append(heap.text(try cursor.take(Int(try cursor.next(UInt32.self)))))
    case .binunicode8: stack.append(heap.text(try cursor.take(try wideCount())))
    default: return false
    }
    return true
  }

  private mutating func wideCount() throws(FormatProblem) -> Int {
    Int(clamping: try cursor.next(UInt64.self))
  }

  /// `12`, `12L`, and the bools of protocol 0: `01` and `00`.
  private mutating func decimal() throws(FormatProblem) -> PickleValue {
    let text = try cursor.line().text
    if text == "01" { return .bool(true) }
    if text == "00" { return .bool(false) }
    let digits = text.hasSuffix("L") ? text.dropLast() : text[...]
    if let number = Int(digits) { return .integer(number) }
    let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { 0x30...0x39 ~= $0 || $0 == 0x2d }
    if isNumber { return .largeInteger }
    throw FormatProblem("\(FormatProblem.quoted(text)) is no integer")
  }

  /// An integer in two's complement, the small byte first.
  private mutating func longInteger(_ count: Int) throws(FormatProblem) -> PickleValue {
    let bytes = try cursor.take(count).buffer
    if count > 8 { return .largeInteger }
    var number = bytes.last.map { $0 >= 0x80 } == true ? -1 : 0
    for byte in bytes.reversed() { number = number << 8 | Int(byte) }
    return .integer(number)
  }

  // MARK: Stack, memo and containers

  /// Instructions that put values together or move them.
  private mutating func structural(_ opcode: PickleOpcode) throws(FormatProblem) -> Bool {
    switch opcode {
    case .mark: marks.append(stack.count)
    case .pop:
      // Python pops a mark where one is on top.
      if marks.last == stack.count { marks.removeLast() } else { _ = try popped() }
    case .popMark: _ = try poppedToMark()
    case .dup: stack.append(try top())
    case .emptyList: stack.append(heap.list([]))
    case .emptyTuple: stack.append(heap.tuple([]))
    case .emptyDict: stack.append(heap.dictionary([]))
    case .list:
      let items = try poppedToMark()
      stack.append(heap.list(items))
    case .tuple:
      let items = try poppedToMark()
      stack.append(heap.tuple(items))
    case .tuple1: try pushTuple(1)
    case .tuple2: try pushTuple(2)
    case .tuple3: try pushTuple(3)
    case .dict:
      let items = try pairs(poppedToMark())
      stack.append(heap.dictionary(items))
    case .append: try extendList([popped()])
    case .appends: try extendList(poppedToMark())
    case .setitem:
      let value = try popped()
      try extendDictionary([popped(), value])
    case .setitems: try extendDictionary(poppedToMark())
    default: return try memoInstruction(opcode)
    }
    return true
  }

  private mutating func memoInstruction(_ opcode: PickleOpcode) throws(FormatProblem) -> Bool {
    switch opcode {
    case .put: memo[try memoNumber()] = try top()
    case .binput: memo[Int(try cursor.next(UInt8.self))] = try top()
    case .longBinput: memo[Int(try cursor.next(UInt32.self))] = try top()
    case .memoize: memo[memo.count] = try top()
    case .get: try recall(memoNumber())
    case .binget: try recall(Int(try cursor.next(UInt8.self)))
    case .longBinget: try recall(Int(try cursor.next(UInt32.self)))
    default: return false
    }
    return true
  }

  private mutating func memoNumber() throws(FormatProblem) -> Int {
    let text = try cursor.line().text
    if let number = Int(text), number >= 0 { return number }
    throw FormatProblem("\(FormatProblem.quoted(text)) is no number of a value")
  }

  private mutating func recall(_ number: Int) throws(FormatProblem) {
    guard let value = memo[number] else {
      throw FormatProblem("it recalls value \(number), which it never kept")
    }
    stack.append(value)
  }

  private mutating func pushTuple(_ count: Int) throws(FormatProblem) {
    var items: [PickleValue] = []
    for _ in 0..<count { items.append(try popped()) }
    stack.append(heap.tuple(items.reversed()))
  }

  private mutating func extendList(_ items: [PickleValue]) throws(FormatProblem) {
    guard case .list(let index) = try top() else {
      throw FormatProblem("it appends to \(try top().kind)")
    }
    heap.sequences[index] += items
  }

  private mutating func extendDictionary(_ items: [PickleValue]) throws(FormatProblem) {
    let pairs = try pairs(items)
    guard case .dictionary(let index) = try top() else {
      throw FormatProblem("it sets an item of \(try top().kind)")
    }
    heap.dictionaries[index] += pairs
  }

  private func pairs(
    _ items: [PickleValue]
  ) throws(FormatProblem) -> [(key: PickleValue, value: PickleValue)] {
    guard items.count % 2 == 0 else { throw FormatProblem("a key has no value") }
    return stride(from: 0, to: items.count, by: 2).map { (items[$0], items[$0 + 1]) }
  }

  private func top() throws(FormatProblem) -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else { throw Self.empty }
    return value
  }

  private mutating func popped() throws(FormatProblem) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else { throw Self.empty }
    return value
  }

  private mutating func poppedToMark() throws(FormatProblem) -> [PickleValue] {
    guard let height = marks.popLast() else {
      throw FormatProblem("it asks for a mark without one")
    }
    defer { stack.removeLast(stack.count - height) }
    return Array(stack[height...])
  }

  private static let empty = FormatProblem("it takes a value from an empty stack")

  // MARK: Names and calls

  /// Instructions by which Python reaches beyond plain data.
  private mutating func special(_ opcode: PickleOpcode) throws(FormatProblem) {
    switch opcode {
    case .proto:
      let version = try cursor.next(UInt8.self)
      if version > 5 { throw FormatProblem("its protocol is \(version), known are 0 to 5") }
    // How much may be read at once, which does not matter for bytes in memory.
    case .frame: _ = try cursor.next(UInt64.self)
    case .global:
      let module = try cursor.line().text
      stack.append(try named(module, cursor.line().text))
    case .stackGlobal:
      let name = heap.string(try popped())
      guard let module = heap.string(try popped()), let name else {
        throw FormatProblem("it names a class or function by something that is not text")
      }
      stack.append(try named(module, name))
    case .reduce:
      let arguments = try popped()
      let function = try popped()
      stack.append(try PickleCall(budget: budget).result(of: function, arguments, &heap))
    case .build:
      let state = try popped()
      try PickleCall(budget: budget).setState(state, of: top(), &heap)
    case .binpersid:
      let name = try popped()
      guard allowsStorages else {
        throw FormatProblem("it refers to data outside of the file")
      }
      stack.append(try PickleCall(budget: budget).storage(name, &heap))
    default:
      throw FormatProblem(
        "it uses the instruction \(opcode.name), which arrays, numbers, texts, lists and "
          + "dictionaries do not need")
    }
  }

  private func named(_ module: String, _ name: String) throws(FormatProblem) -> PickleValue {
    if let global = PickleGlobal(module: module, name: name) { return .global(global) }
    let hint = allowsStorages ? " (torch.save(model.state_dict(), …) writes these alone)" : ""
    throw FormatProblem(
      "it names \(FormatProblem.quoted("\(module).\(name)")), and a class or function from a file "
        + "would run code; only arrays, numbers, texts, lists and dictionaries are read\(hint)")
  }
}
