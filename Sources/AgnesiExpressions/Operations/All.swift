/// Every operation: what the generic tests run, and what saved graphs are read with.
///
/// Swift cannot list the types that conform to a protocol, so a new operation adds its line here; a
/// test compares the list with the folder.
package enum Operations {
  package static let all: [any Operation.Type] = [
    // Elementwise
    Add.self, Cast.self, Compare.self, Divide.self, Exp.self, Multiply.self, Negate.self,
    Select.self, Subtract.self,
    // Shape
    Broadcast.self, IndexValue.self, Reshape.self, SizeValue.self, Transpose.self,
    // Reductions and contractions
    Reduce.self, MatMul.self,
    // Networks
    ConvolutionForward.self, ConvolutionToInput.self, ConvolutionToKernels.self, MaxPool.self,
    MaxPoolTaken.self, MaxPoolToInput.self, SumPool.self, SumPoolToInput.self,
  ]

  package static let byName: [String: any Operation.Type] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })
}
