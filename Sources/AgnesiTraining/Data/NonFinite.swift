import AgnesiArrays

/// Samples whose inputs or targets hold NaN or infinity.
public struct NonFiniteSamples: Sendable, Hashable {
  /// How many there are.
  public let count: Int
  /// The first of them, counted from 0.
  public let first: Int

  /// Those of an array `[samples, …]`; nil where all numbers are finite.
  ///
  /// - Complexity: O(elements), none for whole numbers.
  init?(_ array: NDArray) {
    guard array.dtype == .float32, array.count > 0 else { return nil }
    let size = array.count / array.shape[0]
    let rows = array.withUnsafeBytes { bytes in
      let bits = bytes.bindMemory(to: UInt32.self)
      return (0..<array.shape[0]).filter { row in
        // The largest exponent is that of NaN and infinity; without a branch this runs in vectors.
        let isFinite = bits[(row * size)..<((row + 1) * size)].reduce(into: true as Bool) {
          $0 = $0 && $1 & 0x7f80_0000 != 0x7f80_0000
        }
        return !isFinite
      }
    }
    guard let first = rows.first else { return nil }
    (count, self.first) = (rows.count, first)
  }
}

extension DataSet {
  /// Where the inputs and the targets are not finite: one sentence for each of the two, for a person.
  ///
  /// - Parameter part: what the samples are called, as in "3 of 100 validation samples".
  /// - Complexity: O(elements) of floating data.
  public func nonFiniteNotes(part: String) -> [String] {
    [("inputs", inputs), ("targets", targets)].compactMap { role, array in
      NonFiniteSamples(array).map { found in
        "NaN or infinity in the \(role) of \(found.count) of \(count) \(part) samples, the first is "
          + "sample \(found.first)"
      }
    }
  }
}

extension DataSplit {
  /// Where the parts are not finite, in sentences for a person; empty where all numbers are finite.
  ///
  /// Samples are counted from 0 in the part as it is, after samples were held out of it.
  public var nonFiniteNotes: [String] {
    train.nonFiniteNotes(part: "training") + nonFiniteNotesOfHeldOut
  }

  /// The same of the parts that nothing is learned from.
  package var nonFiniteNotesOfHeldOut: [String] {
    let parts = [("validation", validation), ("test", test)]
    return parts.flatMap { part, data in data?.nonFiniteNotes(part: part) ?? [] }
  }
}
