import Agnesi
import ArgumentParser

/// What `--clip` says: a norm, or `none`.
struct GradientClip: ExpressibleByArgument, CustomStringConvertible {
  /// Nil leaves gradients as they are.
  var limit: Double?

  init(limit: Double?) { self.limit = limit }

  init?(argument: String) {
    guard argument.lowercased() != "none" else {
      limit = nil
      return
    }
    guard let number = Double(argument) else { return nil }
    limit = number
  }

  var description: String { limit.map { String($0) } ?? "none" }
  var defaultValueDescription: String { description }
}
