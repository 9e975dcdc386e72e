import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops

/// Where each temporary lies in one block of memory, for given sizes.
///
/// Buffers whose lives do not meet share bytes; a kernel that reads a buffer for the last time, at
/// the index that it stores only, writes over it. Buffers are placed in the order in which they are
/// born, and, unless there are very many, in the order of their size; the shorter block is taken.
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
    let places = Self.places(Array(lives.values), steps: program.steps.count)
    for (buffer, offset) in places.offsets { offsets[buffer] = offset }
    byteCount = places.byteCount
    for (guest, host) in hosts { offsets[guest] = offsets[Self.root(host, hosts)] }
  }

  private static func lives(of program: LoweredProgram, sizes: [String: Int]) -> [Int: Life] {
    var lives: [Int: Life] = [:]
    for (position, step) in program.steps.enumerated() {
      for id in step.arguments {
        let info = program.buffers[id.index]
        guard case .temporary = info.kind else { continue }
        let count = info.count.value(in: sizes)
        let life = Life(
          buffer: id.index, first: position, last: position, bytes: count * info.dtype.size)
        lives[id.index, default: life].last = position
      }
    }
    for copy in program.copies { lives[copy.from.index]?.last = program.steps.count }
    // What hoisted steps leave to the others is still there in the next call.
    for step in program.steps.prefix(program.hoistedCount) {
      for id in step.written where lives[id.index]?.last ?? 0 >= program.hoistedCount {
        lives[id.index]?.last = program.steps.count
      }
    }
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

  // MARK: Places

  private struct Places {
    var offsets: [Int: Int] = [:]
    var byteCount = 0
  }

  /// Placing by size compares every two buffers.
  private static let comparedBuffers = 2000

  private static func places(_ lives: [Life], steps: Int) -> Places {
    // Of equal ones the older first, so that a plan repeats.
    let bySize = lives.sorted { ($0.bytes, $1.buffer) > ($1.bytes, $0.buffer) }
    let old = placedByBirth(bySize, steps: steps)
    if lives.count > comparedBuffers { return old }
    let large = placedBySize(bySize)
    return large.byteCount <= old.byteCount ? large : old
  }

  /// Each at the lowest place that is free during its life.
  private static func placedBySize(_ lives: [Life]) -> Places {
    var result = Places()
    var placed: [(life: Life, start: Int)] = []
    for life in lives {
      let taken = placed.filter { $0.life.first <= life.last && life.first <= $0.life.last }
        .sorted { $0.start < $1.start }
      var offset = 0
      for (other, start) in taken {
        if offset + life.bytes <= start { break }
        offset = max(offset, aligned(start + other.bytes))
      }
      result.offsets[life.buffer] = offset
      result.byteCount = max(result.byteCount, offset + life.bytes)
      placed.append((life, offset))
    }
    return result
  }

  /// Each at the lowest place that is free when its life begins.
  private static func placedByBirth(_ lives: [Life], steps: Int) -> Places {
    var births = [[Life]](repeating: [], count: steps + 1)
    var deaths = [[Life]](repeating: [], count: steps + 1)
    for life in lives {
      births[life.first].append(life)
      deaths[life.last].append(life)
    }
    var result = Places()
    var free = FreeRanges()
    for step in 0...steps {
      for life in births[step] {
        let offset = free.take(aligned(life.bytes))
        result.offsets[life.buffer] = offset
        result.byteCount = max(result.byteCount, offset + life.bytes)
      }
      for life in deaths[step] {
        guard let start = result.offsets[life.buffer] else { continue }
        free.giveBack(start..<(start + aligned(life.bytes)))
      }
    }
    return result
  }

  private static func aligned(_ offset: Int) -> Int {
    (offset + alignment - 1) & ~(alignment - 1)
  }
}
