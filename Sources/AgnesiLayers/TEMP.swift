import AgnesiExpressions

func dropout(_ x: Tensor, rate: Double, sharedAxes: [Int], name: String) -> Tensor { x }
extension Tensor { func argMax(axis: Int) -> Tensor { self.cast(to: .int64).max(axes: [axis]) } }
