import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import TestSupport

/// The value of a function of constants.
func evaluated(_ tensor: Tensor) throws -> NDArray { try referenceValues([tensor])[0] }

/// The values of tensors of known sizes.
func evaluated(_ outputs: [Tensor], _ inputs: [Tensor: NDArray]) throws -> [NDArray] {
  try referenceValues(outputs, inputs, callNumber: 7)
}

extension Tensor {
  /// A float64 constant.
  static func doubles(_ values: [Double], _ shape: [Int]) -> Tensor {
    .constant(NDArray(rounding: values, shape: shape, .float64))
  }

  /// An int32 constant.
  static func labels(_ values: [Int32]) -> Tensor { .constant(NDArray(values)) }

  /// The error's words, without the places in the code.
  var failureText: String { failure?.text(withLocations: false) ?? "no failure" }
}

/// An example with its inputs in float64.
struct PreparedExample {
  let inputs: [Tensor]
  let values: [NDArray]
  let outputs: [Tensor]

  init(_ example: Example) {
    values = example.inputs.enumerated().map { position, input in
      input.array(
        stream: Philox(seed: UInt64(position), name: example.title), floating: .float64)
    }
    inputs = values.enumerated().map { position, array in
      .input("x\(position)", array.shape.map { Size($0) }, array.dtype)
    }
    outputs = example.build(inputs)
  }
}
