import AgnesiLoops

extension Size {
  /// The number that the formula is where all sizes are known, as they are once a function is called.
  ///
  /// A name that is missing is a mistake of the compiler, and 0 in its place would make wrong results of it.
  /// A quotient by 0 is of something empty, and 0.
  package func value(in sizes: [String: Int]) -> Int {
    if let value = evaluated(sizes) { return value }
    if let missing = symbols.first(where: { sizes[$0] == nil }) {
      internalError("the size \(missing) in \(self) is not known: \(sizes)")
    }
    return 0
  }
}
