import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers
import AgnesiReference
import Foundation
import TestSupport

/// The text of a tensor's mistake, without places in the source.
func failureText(_ tensor: Tensor) -> String {
  tensor.failure?.text(withLocations: false) ?? "no mistake: \(tensor.type)"
}

/// The names of the parameters that `tensor` is made of.
func parameterNames(_ tensor: Tensor) -> [String] { tensor.parameters().map(\.name) }

/// The values of an expression by the references of its operations.
func value(
  _ tensor: Tensor, _ inputs: [Tensor: NDArray] = [:], batch: Int = 1
) throws -> NDArray {
  try referenceValues([tensor], inputs, sizes: ["batch": batch])[0]
}

/// The new values of updates, by the parameter's name, from the present values of the parameters.
/// Storing them is a step, without any compiler between.
func step(_ updates: Updates, _ inputs: [Tensor: NDArray] = [:], batch: Int = 1) throws {
  if let failure = updates.failure { throw failure }
  let values = try referenceValues(
    updates.pairs.map(\.value), inputs, sizes: ["batch": batch])
  for (pair, value) in zip(updates.pairs, values) { try pair.parameter.parameter?.assign(value) }
}

/// `chain` through JSON and back.
func roundTrip(_ chain: Chain) throws -> Chain {
  try JSONDecoder().decode(Chain.self, from: JSONEncoder().encode(chain))
}

func json(_ chain: Chain) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(chain), as: UTF8.self)
}

/// What reading a description complains about.
func decodingText(_ text: String) -> String {
  do {
    _ = try JSONDecoder().decode(Chain.self, from: Data(text.utf8))
    return "nothing was thrown"
  } catch DecodingError.dataCorrupted(let context) {
    return context.debugDescription
  } catch {
    return "\(error)"
  }
}

func isClose(_ a: [Double], _ b: [Double], within tolerance: Double = 1e-12) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}
