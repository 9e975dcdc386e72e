/// The text of the error that `body` throws, for comparing it as a whole.
package func errorText(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was thrown"
  } catch {
    return "\(error)"
  }
}
