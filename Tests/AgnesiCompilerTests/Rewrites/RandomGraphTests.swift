import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import AgnesiReference
import Testing

/// Random formulas of everything that rules look at: the passes must keep their values, whatever
/// rules meet.
private struct RandomGraph {
  private let stream: Philox
  private var position: UInt64 = 0
  private let dtype: DType
  private let inputs: [Tensor]
  private var pool: [Tensor]

  init(seed: UInt64, dtype: DType) {
    stream = Philox(seed: seed, name: "graph")
    self.dtype = dtype
    inputs = [Tensor.input("a", [2, 3], dtype), Tensor.input("b", [2, 3], dtype)]
    pool = inputs
  }

  private mutating func pick(_ count: Int) -> Int {
    position += 1
    return Int(stream.word(position)) % count
  }

  private mutating func operand() -> Tensor {
    // Late values are taken more often, so that formulas become deep.
    let start = max(0, pool.count - 4)
    return pick(3) == 0 ? pool[pick(pool.count)] : pool[start + pick(pool.count - start)]
  }

  private mutating func number() -> Tensor {
    let numbers: [Double] = dtype.isFloating ? [0, 1, -1, 2, 0.5, -3] : [0, 1, 2, 3, 5, 7]
    return .constant(numbers[pick(numbers.count)], dtype)
  }

  private mutating func next() -> Tensor {
    let (x, y) = (operand(), operand())
    switch pick(dtype.isFloating ? 20 : 12) {
    case 0: return x + y
    case 1: return x - y
    case 2: return x * number()
    case 3: return x + number()
    case 4: return number() - x
    case 5: return dtype.isSigned ? -x : x * y
    case 6: return maximum(x, y)
    case 7: return select(x .< y, x, number())
    case 8: return x.transposed().transposed()
    case 9: return x.reshaped([6]).reshaped([2, 3]) + x.reshaped([3, 2]).reshaped([2, 3])
    case 10: return x.max(axes: [0], keepingAxes: true).broadcast(to: [2, 3])
    case 11: return y - x.max(axes: [1], keepingAxes: true)
    case 12: return tanh(x)
    case 13: return tanh(x) * select(y .> 0, x, .constant(0, dtype))
    case 14: return log(1 + exp(tanh(x)))
    case 15: return 1 / (1 + exp(-tanh(x)))
    case 16: return abs(-x)
    case 17: return tanh(x) / 4
    case 18: return tanh(x.sum(axes: [1], keepingAxes: true)) * 0.5 + tanh(y)
    default: return sqrt(square(tanh(x)))
    }
  }

  mutating func outputs() -> [Tensor] {
    for _ in 0..<14 { pool.append(next()) }
    return Array(pool.suffix(3))
  }

  var values: [Tensor: NDArray] {
    let range: Example.Input.Values = dtype.isFloating ? .uniform(-1...1) : .whole(0...4)
    return Dictionary(
      uniqueKeysWithValues: inputs.enumerated().map { number, tensor in
        let stream = Philox(seed: UInt64(number), name: "values")
        return (tensor, Example.Input([2, 3], range, dtype).array(stream: stream))
      })
  }
}

@Suite struct RandomGraphTests {
  @Test(arguments: [DType.float64, .float32, .int32, .uint8, .int64])
  func passesKeepValues(_ dtype: DType) throws {
    for seed in 0..<60 {
      var graph = RandomGraph(seed: UInt64(seed), dtype: dtype)
      let outputs = graph.outputs()
      var log = RewriteLog()
      let rewritten = try Pipeline(isVerifying: true).apply(to: outputs, log: &log)
      #expect(log.isComplete)
      let values = try ReferenceExecutor.run(outputs: outputs + rewritten, inputs: graph.values)
      for (number, output) in outputs.enumerated() {
        let distance = difference(values[number], values[number + outputs.count])
        let allowed: Double = dtype.isFloating ? 64 : 0
        #expect(
          distance <= allowed,
          "seed \(seed): \(distance) in\n\(output.listing())\n\(rewritten[number].listing())")
      }
      var again = RewriteLog()
      _ = try Pipeline(isVerifying: true).apply(to: rewritten, log: &again)
      #expect(again.firings.isEmpty, "seed \(seed): \(again)")
    }
  }
}
