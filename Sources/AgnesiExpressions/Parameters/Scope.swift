/// Names and the seed of what is built inside: `Scope.named("dense1") { … }` makes `dense1.weight`.
public enum Scope {
  @TaskLocal static var path: [String] = []
  @TaskLocal package static var seed: UInt64 = 0

  /// Puts `name` and a dot before the names of all parameters and random streams made in `body`.
  public static func named<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    try $path.withValue(path + [name], operation: body)
  }

  /// Draws initial values and random streams made in `body` from `seed`.
  public static func seeded<Result>(
    _ seed: UInt64, _ body: () throws -> Result
  ) rethrows -> Result {
    try $seed.withValue(seed, operation: body)
  }

  package static func qualified(_ name: String) -> String {
    (path + [name]).joined(separator: ".")
  }
}
