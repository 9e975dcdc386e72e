import AgnesiArrays
import AgnesiCPU
import AgnesiCompiler
import AgnesiExpressions

// `compile` without `on:`: the CPU of this machine.

/// A function of `inputs` that computes `outputs` and assigns `updates`, on the CPU.
///
/// - Throws: `GraphError` for a mistake in a formula, `FunctionError` for one in this call.
public func compile(
  _ inputs: [Tensor], to outputs: [Tensor], updates: Updates = Updates(),
  givens: [Tensor: Tensor] = [:], options: CompileOptions = CompileOptions()
) throws -> Function {
  try compile(
    inputs, to: outputs, updates: updates, givens: givens, options: options, on: .cpu)
}

/// As above, with outputs that are fetched by name.
public func compile(
  _ inputs: [Tensor], to outputs: KeyValuePairs<String, Tensor>, updates: Updates = Updates(),
  givens: [Tensor: Tensor] = [:], options: CompileOptions = CompileOptions()
) throws -> Function {
  try compile(
    inputs, to: outputs, updates: updates, givens: givens, options: options, on: .cpu)
}

/// The value of one expression, for given inputs: compiles for a single use.
public func evaluate(
  _ tensor: Tensor, _ values: [Tensor: NDArray] = [:], on backend: any Backend = .cpu
) throws -> NDArray {
  let inputs = values.keys.sorted { $0.name < $1.name }
  let function = try compile(inputs, to: [tensor], on: backend)
  return try function.call(inputs.compactMap { values[$0] })[tensor]
}
