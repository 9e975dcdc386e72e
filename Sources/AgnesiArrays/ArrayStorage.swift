#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A block of memory. What is allocated here starts on a cache line, so that vector loads never straddle
/// two; foreign memory is aligned as its elements are.
///
/// Unchecked because mutation goes through `NDArray`, which copies unless it is the only owner.
package final class ArrayStorage: @unchecked Sendable {
  package let base: UnsafeMutableRawPointer
  package let byteCount: Int
  /// What keeps foreign memory alive; nil where the storage allocated its own.
  private let owner: AnyObject?

  package static let alignment = 64

  /// Zeroed memory for `count` bytes.
  package convenience init(zeroed count: Int) {
    self.init(uninitialized: count)
    memset(base, 0, count)
  }

  /// Memory for `count` bytes that will be written before it is read.
  ///
  /// - Precondition: it is there. Who can throw asks first (``Memory``); an initialiser of arrays
  ///   cannot, and says what was missing before the system ends the process without a word.
  package init(uninitialized count: Int) {
    let bytes = count < .max - Self.alignment ? count : nil
    if count >= Memory.small,
      let shortage = Memory.shortage(Memory.Demand("array", "its memory", bytes: bytes))
    {
      fatalError(shortage.text)
    }
    let rounded = max(Self.alignment, (count + Self.alignment - 1) & ~(Self.alignment - 1))
    base = .allocate(byteCount: rounded, alignment: Self.alignment)
    byteCount = count
    owner = nil
  }

  /// Memory that somebody else owns, such as a mapped file.
  package init(foreign base: UnsafeMutableRawPointer, byteCount: Int, owner: AnyObject) {
    self.base = base
    self.byteCount = byteCount
    self.owner = owner
  }

  /// Whether somebody else owns the memory.
  package var isForeign: Bool { owner != nil }

  package var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  deinit {
    if owner == nil { base.deallocate() }
  }
}
