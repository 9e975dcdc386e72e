import AgnesiArrays
import AgnesiLoops

/// One use of an operation, with inputs: what the generic tests run on every executor.
public struct Example: Sendable {
  /// What is special about it: `odd sizes`, `empty`, `stride 2`.
  public var title: String
  public var inputs: [Input]
  public var build: @Sendable ([Tensor]) -> [Tensor]
  /// Whether the result has a gradient with respect to the floating inputs at the inputs' values.
  public var isDifferentiable: Bool
  /// Whether that gradient is smooth, so that second derivatives are checked too.
  public var isSmooth: Bool
  /// The largest allowed difference from the reference, in units in the last place of float32 (of
  /// float64 in float64), relative to the largest magnitude of the result.
  public var tolerance: Double

  /// Values drawn from a stream of the example's own, or given.
  public struct Input: Sendable {
    public var dtype: DType
    public var shape: [Int]
    public var values: Values

    public enum Values: Sendable {
      case uniform(ClosedRange<Double>)
      case whole(ClosedRange<Int>)
      /// Distinct values in a random order, at least 0.05 apart: no ties, no kinks nearby.
      case distinct
      case given([Double])
    }

    public init(_ shape: [Int], _ values: Values = .uniform(-2...2), _ dtype: DType = .float32) {
      self.shape = shape
      self.values = values
      self.dtype = dtype
    }

    /// The array; `floating` replaces float32 (to run an example in float64).
    package func array(stream: Philox, floating: DType = .float32) -> NDArray {
      let count = shape.product
      let target = dtype == .float32 ? floating : dtype
      func unit(_ index: Int) -> Double { Double(stream.word(UInt64(index))) / 0x1p32 }
      let drawn: [Double]
      switch values {
      case .uniform(let range):
        drawn = (0..<count).map {
          range.lowerBound + unit($0) * (range.upperBound - range.lowerBound)
        }
      case .whole(let range):
        drawn = (0..<count).map {
          (Double(range.lowerBound) + unit($0) * Double(range.count)).rounded(.down)
        }
      case .distinct:
        let order = (0..<count).sorted { unit($0) < unit($1) }
        drawn = order.map { (Double($0) - Double(count) / 2 + 0.3) * 0.07 }
      case .given(let list): drawn = list
      }
      return NDArray(rounding: drawn, shape: shape, target)
    }
  }

  public init(
    _ title: String, _ inputs: [Input], differentiable: Bool = true, smooth: Bool = true,
    tolerance: Double = 16, _ build: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.init(
      title, inputs, differentiable: differentiable, smooth: smooth, tolerance: tolerance,
      results: { [build($0)] })
  }

  public init(
    _ title: String, _ inputs: [Input], differentiable: Bool = true, smooth: Bool = true,
    tolerance: Double = 16, results: @escaping @Sendable ([Tensor]) -> [Tensor]
  ) {
    self.title = title
    self.inputs = inputs
    self.build = results
    isDifferentiable = differentiable
    isSmooth = differentiable && smooth
    self.tolerance = tolerance
  }
}
