/// Every operation: what the generic tests run, and what saved graphs are read with.
///
/// Swift cannot list the types that conform to a protocol, so a new operation adds its line here; a
/// test compares the list with the folder.
package enum Operations {
  package static let all: [any Operation.Type] =
    elementwise + shape + reductionsAndContractions + indexing + random + networks

  private static let elementwise: [any Operation.Type] = [
    Absolute.self, Add.self, ArcCosine.self, ArcSine.self, ArcTangent.self, ArcTangent2.self,
    Bitwise.self, Cast.self, Ceiling.self, Compare.self, ComplementaryErrorFunction.self,
    Cosine.self, Digamma.self, Divide.self, ErrorFunction.self, Exp.self, Exp2.self,
    ExpMinusOne.self, Floor.self, FloorDivide.self, GradientClip.self, GradientScale.self,
    HyperbolicCosine.self, HyperbolicSine.self, HyperbolicTangent.self,
    InverseHyperbolicCosine.self, InverseHyperbolicSine.self, InverseHyperbolicTangent.self,
    IsNaN.self, Log.self, Log10.self, Log2.self, LogGamma.self, LogOnePlus.self, Maximum.self,
    Minimum.self, Modulo.self, Multiply.self, Negate.self, Not.self, Power.self, Rectify.self,
    RectifyGradient.self, Round.self,
    Select.self, Sigmoid.self, Sign.self, Sine.self, Softplus.self, SquareRoot.self,
    StopGradient.self, Subtract.self, Tangent.self, Truncate.self,
  ]

  private static let shape: [any Operation.Type] = [
    Broadcast.self, Concatenate.self, IndexValue.self, Pad.self, Reshape.self, SizeValue.self,
    Slice.self, Transpose.self,
  ]

  private static let reductionsAndContractions: [any Operation.Type] = [
    Reduce.self, MatMul.self,
  ]

  private static let networks: [any Operation.Type] = [
    ConvolutionForward.self, ConvolutionBackwardData.self, ConvolutionBackwardWeights.self,
    MaxPool.self, MaxPoolTaken.self, MaxPoolBackward.self, SumPool.self, SumPoolBackward.self,
  ]

  private static let indexing: [any Operation.Type] = [
    ArgReduce.self, CumulativeSum.self, Gather.self, ScatterAdd.self, ScatterAlongAxis.self,
    Sort.self, TakeAlongAxis.self, TopK.self,
  ]

  private static let random: [any Operation.Type] = [
    RandomWord.self
  ]

  package static let byName: [String: any Operation.Type] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })
}
