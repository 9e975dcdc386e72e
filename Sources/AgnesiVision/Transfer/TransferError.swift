import Foundation

/// What cannot be transferred, and why.
public struct TransferError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
  /// What is wrong, with the values that disagree.
  public let message: String
  /// What to do about it, where that is certain.
  public let hint: String?
  /// What was being done.
  public let subject: String

  init(_ message: String, hint: String? = nil, subject: String = "transfer") {
    self.message = message
    self.hint = hint
    self.subject = subject
  }

  /// A network that takes one number of pictures only.
  init(fixedBatch batch: Int) {
    self.init(
      "the network takes \(batch) \(batch == 1 ? "picture" : "pictures") at a time, so only its head can "
        + "be trained",
      hint: "--head-only, or export the network with a batch of any size")
  }

  /// The error as one sentence and a hint.
  public var description: String {
    "\(subject): \(message)" + (hint.map { "\n  hint: \($0)" } ?? "")
  }

  /// The same, for Foundation.
  public var errorDescription: String? { description }
}
