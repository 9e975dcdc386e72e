import AgnesiArrays
import AgnesiExpressions
import TestSupport

/// The elements of a tensor made of constants, by the references.
func computed(_ tensor: Tensor, callNumber: Int = 0) throws -> [Double] {
  try referenceValues([tensor], callNumber: callNumber)[0].doubles
}

/// The elements of a tensor's shape as a description: `int64[2, 3]`.
func typeText(_ tensor: Tensor) -> String { tensor.type.description }

/// The words of the mistake that a tensor stands for.
func mistakeText(_ tensor: Tensor) -> String {
  tensor.failure?.text(withLocations: false) ?? "no mistake"
}

extension Tensor {
  /// float32 in row-major order; without a shape, a vector.
  static func floats(_ values: [Double], _ shape: [Int]? = nil) -> Tensor {
    .constant(NDArray(rounding: values, shape: shape ?? [values.count], .float32))
  }

  /// int64.
  static func wholes(_ values: [Int], _ shape: [Int]? = nil) -> Tensor {
    .constant(NDArray(values, shape: shape ?? [values.count]))
  }

  /// `0, 1, 2, …`, float32.
  static func counting(_ shape: Int...) -> Tensor {
    floats((0..<shape.reduce(1, *)).map(Double.init), shape)
  }
}
