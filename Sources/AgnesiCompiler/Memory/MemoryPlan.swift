import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Where each temporary lies in one block of memory, for given sizes.
///
/// Buffers whose lives do not meet share bytes; a kernel that reads a buffer for the last time, at
/// the index that it stores only, writes over it. Larger buffers are placed first, each at the lowest
/// place that is free during its life.
package struct MemoryPlan: Sendable {
  /// Bytes from the start of the block; nil for what lies elsewhere.
  package private(set) var offsets: [Int?]
  package private(set) var byteCount = 0

  private struct Life {
    var buffer: Int
    var first: Int
    var last: Int
    var bytes: Int
  }

  /// Starts of buffers are a cache line apart.
  private static let alignment = 64

  package init(_ program: LoweredProgram, sizes: [String: Int]) {
    offsets = [Int?](repeating: nil, count: program.buffers.count)
    var lives = Self.lives(of: program, sizes: sizes)
    let hosts = Self.joinInPlace(&lives, program)
    place(lives.values.sorted { ($0.bytes, $1.buffer) > ($1.bytes, $0.buffer) })
    for (guest, host) in hosts { offsets[guest] = offsets[Self.root(host, hosts)] }
  }

  private static func lives(of program: LoweredProgram, sizes: [String: Int]) -> [Int: Life] {
    var lives: [Int: Life] = [:]
    for (position, step) in program.steps.enumerated() {
      for id in step.arguments {
        let info = program.buffers[id.index]
        guard case .temporary = info.kind else { continue }
        let count = info.count.evaluated(sizes) ?? 0
        let life = Life(
          buffer: id.index, first: position, last: position, bytes: count * info.dtype.size)
        lives[id.index, default: life].last = position
      }
    }
    for copy in program.copies { lives[copy.from.index]?.last = program.steps.count }
    return lives
  }

  /// Buffers that take over another's memory, with that other; the life of the other then lasts as
  /// long as both.
  private static func joinInPlace(
    _ lives: inout [Int: Life], _ program: LoweredProgram
  ) -> [Int: Int] {
    let own = lives
    var hosts: [Int: Int] = [:]
    for (position, step) in program.steps.enumerated() {
      var dying = step.identityReads.map(\.index).sorted().filter {
        own[$0]?.last == position && lives[root($0, hosts)]?.last == position
      }
      for written in step.written.map(\.index).sorted() {
        guard let life = own[written], life.first == position else { continue }
        let width = program.buffers[written].dtype.size
        let fitting = dying.firstIndex {
          own[$0]?.bytes == life.bytes && program.buffers[$0].dtype.size == width
        }
        guard let fitting else { continue }
        let host = dying.remove(at: fitting)
        hosts[written] = host
        lives[root(host, hosts)]?.last = life.last
        lives[written] = nil
      }
    }
    return hosts
  }

  private static func root(_ buffer: Int, _ hosts: [Int: Int]) -> Int {
    var current = buffer
    while let next = hosts[current] { current = next }
    return current
  }

  /// First fit over the buffers whose lives overlap.
  private mutating func place(_ lives: [Life]) {
    var placed: [Life] = []
    for life in lives {
      let taken = placed.filter { $0.first <= life.last && life.first <= $0.last }
        .map { (start: offsets[$0.buffer] ?? 0, end: (offsets[$0.buffer] ?? 0) + $0.bytes) }
        .sorted { $0.start < $1.start }
      var offset = 0
      for range in taken {
        if offset + life.bytes <= range.start { break }
        offset = max(offset, (range.end + Self.alignment - 1) & ~(Self.alignment - 1))
      }
      offsets[life.buffer] = offset
      byteCount = max(byteCount, offset + life.bytes)
      placed.append(life)
    }
  }
}
