import AgnesiArrays
import Foundation

/// Probabilities that are NaN or infinite, of which nothing can be told.
public struct ProbabilityError: Error, Sendable, Hashable, CustomStringConvertible, LocalizedError {
  public var description: String {
    "the network's probabilities are not numbers\n  hint: its weights hold NaN or infinity, values grow"
      + " beyond float32, or it looks up places that its tables do not have"
  }
  public var errorDescription: String? { description }

  /// - Throws: this error where a value is NaN or infinite.
  static func check(_ probabilities: NDArray) throws(ProbabilityError) {
    if probabilities.scalars(as: Float.self).contains(where: { !$0.isFinite }) {
      throw ProbabilityError()
    }
  }
}
