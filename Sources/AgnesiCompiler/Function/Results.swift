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
  /// - Precondition: `output` is one of the function's outputs.
  public subscript(_ output: Tensor) -> NDArray {
    guard let position = outputs.firstIndex(of: output) else {
      preconditionFailure("the function does not compute \(output)")
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
      throw FunctionError("results", "no output is called \"\(name)\"", hint: known)
    }
    return arrays[position]
  }

  public subscript(_ position: Int) -> NDArray { arrays[position] }
}
