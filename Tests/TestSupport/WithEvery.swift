/// Runs `body` with each value; an error says for which one it was thrown.
///
/// Nested uses cover small domains completely:
/// `try withEvery("stride", [1, 2, 3]) { s in try withEvery("size", 0...5) { n in … } }`.
package func withEvery<Values: Sequence>(
  _ label: String, _ values: Values, _ body: (Values.Element) throws -> Void
) throws {
  for value in values {
    do {
      try body(value)
    } catch {
      throw Unfit("\(label) \(value): \(error)")
    }
  }
}

/// - Throws: ``Unfit`` with the text where the condition does not hold.
package func require(_ condition: Bool, _ text: @autoclosure () -> String) throws {
  if !condition { throw Unfit(text()) }
}
