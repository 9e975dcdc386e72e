/// What a backend chose among ways to compute the same thing with other roundings: a run that repeats
/// its choices repeats its bits. Stored in checkpoints.
public struct BackendChoices: Codable, Hashable, Sendable {
  /// Whether the backend never chose, and takes the most exact way everywhere.
  public var isStrict: Bool
  /// What was chosen, by what it was chosen for; the backend knows what both mean.
  public var made: [String: String]

  public init(isStrict: Bool = false, made: [String: String] = [:]) {
    self.isStrict = isStrict
    self.made = made
  }
}

extension Backend {
  /// None: the backend has one way for everything.
  public var choices: BackendChoices { BackendChoices() }

  /// The backend as it is: the backend has one way for everything.
  public func repeating(_ choices: BackendChoices) -> any Backend { self }
}
