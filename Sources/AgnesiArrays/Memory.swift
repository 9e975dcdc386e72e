#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Memory that is not there: what wants it, how much, and how much there is.
public struct MemoryError: Error, Sendable {
  /// What wants it: an operation, a parameter, a function, a file.
  public let subject: String
  /// What is to be held, such as `float32[100000, 100000]`.
  public let content: String
  /// The bytes that takes; nil where they are too many to count.
  public let wanted: Int?
  /// The bytes that are left; nil where the system does not tell.
  public let available: Int?
  /// The largest of several things that are to be held; nil where there is one.
  public let largest: String?
  /// Where the user wrote it; nil where nobody did or knows.
  public var origin: String? { place?.text() }
  /// Looked up only when somebody asks: that takes long.
  private let place: Memory.Place?

  package init(
    _ subject: String, _ content: String, wanted: Int?, available: Int?, largest: String? = nil,
    place: Memory.Place? = nil
  ) {
    self.subject = subject
    self.content = content
    self.wanted = wanted
    self.available = available
    self.largest = largest
    self.place = place
  }
}

extension MemoryError: CustomStringConvertible, LocalizedError {
  public var description: String {
    guard place?.isInFile != true else { return textForReaders }
    guard let origin, !origin.isEmpty else { return text }
    return "\(text)\n  built at \(origin)"
  }

  /// The words for somebody who has no program: with the part of a file that asks for so much, without
  /// places in code.
  package var textForReaders: String {
    guard let place, place.isInFile else { return text }
    return "\(text)\n  asked for by \(place.text())"
  }

  public var errorDescription: String? { description }

  /// The words without the origin, which depends on where the code stands.
  public var text: String {
    let size = wanted.map(Memory.text) ?? "more than \(Memory.text(.max))"
    let left = available.map { ", \(Memory.text($0)) of memory are left" } ?? ""
    let first = "\(subject): \(content) would take \(size)\(left)"
    return largest.map { "\(first)\n  the largest is \($0)" } ?? first
  }
}

/// Asks for memory before it is taken.
///
/// Systems hand out more memory than there is and end the process that touches too much of it, so that
/// an allocation that succeeds proves nothing.
package enum Memory {
  /// Something that is to be held.
  package struct Demand: Sendable {
    package var subject: String
    private let what: Content
    /// Nil where there are too many to count.
    package var bytes: Int?

    /// Put into words only where there is a shortage: calls of functions check their results.
    private enum Content {
      case text(String)
      case array(DType, [Int])
    }

    package var content: String {
      switch what {
      case .text(let text): text
      case .array(let dtype, let shape): "\(dtype)\(shape)"
      }
    }

    package init(_ subject: String, _ content: String, bytes: Int?) {
      self.subject = subject
      what = .text(content)
      self.bytes = bytes
    }

    /// An array.
    package init(_ subject: String, _ dtype: DType, _ shape: [Int]) {
      self.subject = subject
      what = .array(dtype, shape)
      bytes = ByteOrder.byteCount(shape, elementSize: dtype.size)
    }
  }

  /// Where something was asked for.
  package struct Place: Sendable {
    /// Whether that is a part of a file; else a place in code.
    package var isInFile: Bool
    /// The place in words.
    package var text: @Sendable () -> String

    package init(isInFile: Bool, _ text: @escaping @Sendable () -> String) {
      self.isInFile = isInFile
      self.text = text
    }
  }

  /// Less than this is not looked at: asking the system takes longer than most small arrays live.
  package static let small = 64 << 20

  /// What tests take for the memory that is left.
  @TaskLocal package static var assumed: Int?

  /// The bytes that this process can still take; nil where the system does not tell.
  package static var available: Int? { assumed ?? SystemMemory.available }

  /// Whether so many bytes are not worth asking for.
  package static func isNegligible(_ bytes: Int) -> Bool { bytes < small && assumed == nil }

  /// Checks one thing.
  package static func check(
    _ demand: Demand, place: Place? = nil
  ) throws(MemoryError) {
    if let error = shortage(demand, place: place) { throw error }
  }

  /// What is wrong with one thing; nil where there is room for it.
  package static func shortage(
    _ demand: Demand, place: Place? = nil
  ) -> MemoryError? {
    let left = left(for: demand.bytes)
    if left.isEnough { return nil }
    return MemoryError(
      demand.subject, demand.content, wanted: demand.bytes, available: left.bytes, place: place)
  }

  /// Checks several things that are to be held at once.
  ///
  /// - Parameter content: what they are together, in the plural.
  package static func check(
    _ demands: [Demand], of content: String, for subject: String
  ) throws(MemoryError) {
    let total = demands.reduce(0 as Int?) { sum, demand in
      guard let sum, let bytes = demand.bytes else { return nil }
      let (result, overflows) = sum.addingReportingOverflow(bytes)
      return overflows ? nil : result
    }
    let left = left(for: total)
    if left.isEnough { return }
    // Those that cannot be counted are the largest.
    let largest = demands.max { ($0.bytes ?? .max) < ($1.bytes ?? .max) }
    throw MemoryError(
      subject, content, wanted: total, available: left.bytes,
      largest: largest.map { demand in
        let size = demand.bytes.map(text) ?? "more than \(text(.max))"
        return "\(demand.subject): \(demand.content), \(size)"
      })
  }

  private static func left(for wanted: Int?) -> (isEnough: Bool, bytes: Int?) {
    if let wanted, isNegligible(wanted) { return (true, nil) }
    let available = available
    guard let wanted else { return (false, available) }
    return (available.map { wanted <= $0 } ?? true, available)
  }

  /// A number of bytes with three digits, in powers of ten: `40.0 GB`.
  package static func text(_ bytes: Int) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 999.5, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    if unit == 0 { return "\(bytes) bytes" }
    let digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    let scale = [1.0, 10, 100][digits]
    let whole = Int((value * scale).rounded())
    if digits == 0 { return "\(whole) \(units[unit])" }
    let fraction = String(whole % Int(scale))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(whole / Int(scale)).\(zeros)\(fraction) \(units[unit])"
  }
}

extension Sequence where Element == Int {
  /// The product, such as the number of elements of a shape; `Int.max` where it is too large, which no
  /// allocation survives unnoticed.
  package var product: Int {
    var result = 1
    var isTooLarge = false
    for factor in self {
      if factor == 0 { return 0 }
      let (product, overflows) = result.multipliedReportingOverflow(by: factor)
      isTooLarge = isTooLarge || overflows
      result = overflows ? 1 : product
    }
    return isTooLarge ? .max : result
  }
}

extension Int {
  /// The sum of two numbers that are not negative; `Int.max` where it is too large.
  package func saturatingSum(_ other: Int) -> Int {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? .max : sum
  }

  /// The product of two numbers that are not negative; `Int.max` where it is too large.
  package func saturatingProduct(_ other: Int) -> Int {
    let (product, overflows) = multipliedReportingOverflow(by: other)
    return overflows ? .max : product
  }
}
