/// The bytes of a block without an end that nobody uses.
struct FreeRanges {
  /// In order, neither empty nor touching; the last one has no end.
  private var ranges = [0..<Int.max]

  /// The start of the lowest `count` bytes that are free, which then are not.
  mutating func take(_ count: Int) -> Int {
    guard count > 0, let index = ranges.firstIndex(where: { $0.count >= count }) else { return 0 }
    let start = ranges[index].lowerBound
    if ranges[index].count == count {
      ranges.remove(at: index)
    } else {
      ranges[index] = (start + count)..<ranges[index].upperBound
    }
    return start
  }

  /// - Parameter range: bytes that were taken.
  mutating func giveBack(_ range: Range<Int>) {
    if range.isEmpty { return }
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].lowerBound < range.lowerBound { low = middle + 1 } else { high = middle }
    }
    var merged = range
    if low < ranges.count, ranges[low].lowerBound == range.upperBound {
      merged = merged.lowerBound..<ranges[low].upperBound
      ranges.remove(at: low)
    }
    if low > 0, ranges[low - 1].upperBound == range.lowerBound {
      ranges[low - 1] = ranges[low - 1].lowerBound..<merged.upperBound
    } else {
      ranges.insert(merged, at: low)
    }
  }
}
