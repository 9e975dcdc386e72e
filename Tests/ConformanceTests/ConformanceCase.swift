import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import TestSupport
import Testing

/// One example of one operation.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
  let operation: String
  let example: Example
  var testDescription: String { "\(operation): \(example.title)" }

  static let all: [ConformanceCase] = Operations.all.flatMap { operation in
    operation.examples.map { ConformanceCase(operation: operation.name, example: $0) }
  }

  static let differentiable = all.filter(\.example.isDifferentiable)
  static let smooth = all.filter(\.example.isSmooth)

  /// The example with inputs and values.
  struct Built {
    let inputs: [Tensor]
    let values: [NDArray]
    let outputs: [Tensor]
    let sizes: [String: Int]

    var walk: ReferenceWalk { ReferenceWalk(bindings, sizes: sizes, callNumber: 3) }

    private var bindings: [Tensor: NDArray] {
      Dictionary(uniqueKeysWithValues: zip(inputs, values).map { ($0, $1) })
    }
  }

  /// - Parameters:
  ///   - floating: the dtype of floating inputs.
  ///   - symbolic: whether first axes have names; equal sizes share one.
  func built(_ floating: DType, symbolic: Bool = false) -> Built {
    var (inputs, values): ([Tensor], [NDArray]) = ([], [])
    var sizes: [String: Int] = [:]
    for (position, input) in example.inputs.enumerated() {
      let array = input.array(
        stream: Philox(seed: UInt64(position), name: example.title), floating: floating)
      let shape = array.shape.enumerated().map { axis, size -> Size in
        guard symbolic, axis == 0, size > 1 else { return Size(size) }
        sizes["rows\(size)"] = size
        return .symbol("rows\(size)")
      }
      inputs.append(.input("x\(position)", shape, array.dtype))
      values.append(array)
    }
    return Built(inputs: inputs, values: values, outputs: example.build(inputs), sizes: sizes)
  }
}
