import AgnesiArrays
import AgnesiExpressions

/// What a call computed; fetched by the expression that was asked for, by name, or by position.
public struct Results: Sendable {
  private let outputs: [Tensor]
  private let names: [String]
  public let arrays: [NDArray]

  init(outputs: [Tensor], names: [String], arrays: [NDArray]) {
    self.outputs = outputs
    self.names = names
    self.arrays = arrays
  }

  /// The value of an expression that the function was compiled for.
  ///
  /// - Precondition: `output` is one of the function's outputs. Like Swift's own subscripts it cannot throw
  ///   where programs do not say `try`; ``value(of:)`` does.
  public subscript(_ output: Tensor) -> NDArray {
    do {
      return try value(of: output)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// The value of an expression that the function was compiled for.
  ///
  /// - Throws: ``FunctionError`` for another expression, with those that there are. Expressions are equal
  ///   only to themselves: the same formula written twice is two.
  public func value(of output: Tensor) throws -> NDArray {
    guard let position = outputs.firstIndex(of: output) else {
      let known = outputs.map { "\($0)" }.joined(separator: ", ")
      throw FunctionError(
        "results", "the function does not compute \(output)",
        hint: "it computes \(known); ask with the tensor that compile was given",
        location: output.node.location)
    }
    return arrays[position]
  }

  /// The value of a named output.
  ///
  /// - Throws: ``FunctionError`` that lists the names there are.
  public func named(_ name: String) throws -> NDArray {
    guard let position = names.firstIndex(of: name) else {
      let known =
        names.isEmpty ? "outputs have no names" : "names are \(names.joined(separator: ", "))"
      throw FunctionError(
        "results", "no output is called \"\(name)\"",
        hint: NearestNames.question(name, in: names, otherwise: known))
    }
    return arrays[position]
  }

  public subscript(_ position: Int) -> NDArray { arrays[position] }
}
