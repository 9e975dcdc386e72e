import Agnesi

/// A formula of many numbers, with nothing to multiply matrices by.
enum ElementwiseFormula {
  /// A step gives the value and the gradients along `w` and `b` back.
  static func job(count: Int) -> Job {
    let x = Tensor.input("x", [.symbol("count")])
    let w = Tensor.parameter("w", [], .constant(0.7))
    let b = Tensor.parameter("b", [], .constant(0.1))
    let value = (square(tanh(x * w + b)) * exp(-square(x))).sum()
    return Job(inputs: [x], batch: [Noise.normals(count)], network: value) {
      .init(outputs: [value] + gradient(of: value, withRespectTo: [w, b]))
    }
  }
}
