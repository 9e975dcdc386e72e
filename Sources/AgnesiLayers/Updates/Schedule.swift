import AgnesiArrays
import Foundation

/// How the learning rate changes during training: a factor for the largest rate, as a function of
/// the step and the number of all steps.
public enum Schedule: Hashable, Sendable, Codable {
  /// Always 1.
  case constant
  /// Multiplied by `factor` where each of these parts of training is over.
  case steps(at: [Double] = [0.5, 0.75], factor: Double = 0.1)
  /// From 1 to `end` by equal factors.
  case exponential(end: Double = 0.01)
  /// A line from almost 0 to 1 in the first part `warmUp`, then half a cosine down to `end`.
  /// Source: Loshchilov & Hutter, *SGDR*, 2017, eq. 5.
  case cosine(warmUp: Double = 0.05, end: Double = 0)
  /// From `start` to 1 in the part `rise`, then to almost 0, both along half cosines.
  /// Source: Smith & Topin, *Super-convergence*, 2018.
  case oneCycle(rise: Double = 0.3, start: Double = 0.1)
  /// A line from 1 to 0.
  case linear

  /// The factor for the rate.
  ///
  /// - Parameters:
  ///   - step: from 0; beyond the last step its factor stays.
  ///   - total: the number of all steps.
  /// - Returns: in `0...1`; above 0 in every step but for an `end` of 0 after the last one.
  public func factor(step: Int, of total: Int) -> Double {
    let count = Double(max(total, 1))
    // The middle of the step, so that the first and last are neither at 0 nor at the ends.
    let done = (min(max(Double(step), 0), count - 1) + 0.5) / count
    switch self {
    case .constant: return 1
    case .steps(let ends, let factor):
      return ends.filter { done >= $0 }.reduce(1) { product, _ in product * factor }
    case .exponential(let end): return pow(end, done)
    case .cosine(let warmUp, let end):
      if done < warmUp { return done / warmUp }
      return Self.cosine(from: 1, to: end, (done - warmUp) / (1 - warmUp))
    case .oneCycle(let rise, let start):
      if done < rise { return Self.cosine(from: start, to: 1, done / rise) }
      return Self.cosine(from: 1, to: 0, (done - rise) / (1 - rise))
    case .linear: return 1 - done
    }
  }

  /// Half a cosine between two values, `part` in `0...1`.
  private static func cosine(from first: Double, to last: Double, _ part: Double) -> Double {
    last + (first - last) * (1 + cos(Double.pi * part)) / 2
  }
}

extension Schedule {
  /// Every schedule with usual numbers, by the name that the command knows it by.
  private static let usual: [(name: String, schedule: Schedule)] = [
    ("constant", .constant), ("steps", .steps()), ("exponential", .exponential()),
    ("cosine", .cosine()), ("one-cycle", .oneCycle()), ("linear", .linear),
  ]

  /// The names that ``named(_:)`` knows.
  public static let names = usual.map(\.name)

  /// What ``named(_:)`` knows it by.
  public var name: String {
    switch self {
    case .constant: "constant"
    case .steps: "steps"
    case .exponential: "exponential"
    case .cosine: "cosine"
    case .oneCycle: "one-cycle"
    case .linear: "linear"
    }
  }

  /// The schedule of that name, with usual numbers.
  ///
  /// - Throws: ``UnknownName``.
  public static func named(_ name: String) throws -> Schedule {
    guard let found = usual.first(where: { $0.name == name.lowercased() }) else {
      throw UnknownName(kind: "schedule", name: name, known: names)
    }
    return found.schedule
  }
}

/// A name that is none of a short list.
public struct UnknownName: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was named: `schedule`.
  public let kind: String
  /// The name that was given.
  public let name: String
  /// The names that there are.
  public let known: [String]

  /// What is not known, and the nearest names, or all where none is near.
  public var description: String {
    let all = "there are \(known.joined(separator: ", "))"
    return "no \(kind) is called \"\(name)\"\n  hint: "
      + NearestNames.question(name, in: known, otherwise: all)
  }
}
