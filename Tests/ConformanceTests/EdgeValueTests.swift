import Agnesi
import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLoops
import AgnesiReference
import TestSupport
import Testing

/// Executors agree bit by bit at the edges of each dtype, where exactness is defined.
@Suite struct EdgeValueTests {
  @Test(arguments: DType.allCases) func loopsAgreeWithTheReference(_ dtype: DType) throws {
    let cases = EdgeCase.all(dtype)
    #expect(cases.count > (dtype == .bool ? 8 : 20))
    for item in cases {
      let types = try item.types
      let expected = try item.operation.reference(item.operands, types: types)
      guard let actual = try loweredValues(item.operation, item.operands, types: types) else {
        continue
      }
      for (want, got) in zip(expected, actual) {
        let text = bitDifference(want, got)
        #expect(text == nil, "\(item.operation): \(text ?? "")")
      }
    }
  }

  @Test(arguments: DType.allCases) func compiledCodeAgreesWithTheReference(_ dtype: DType) throws {
    var (inputs, values, outputs): ([Tensor], [NDArray], [Tensor]) = ([], [], [])
    var known: [(NDArray, Tensor)] = []
    let cases = EdgeCase.all(dtype)
    for item in cases {
      let operands = item.operands.map { array -> Tensor in
        if let input = known.first(where: { $0.0.isIdentical(to: array) }) { return input.1 }
        let input = Tensor.input("x\(inputs.count)", array.shape.map { Size($0) }, array.dtype)
        inputs.append(input)
        values.append(array)
        known.append((array, input))
        return input
      }
      outputs.append(Tensor.make(item.operation, operands)[0])
    }
    let actual = try compile(inputs, to: outputs, on: .cpu).call(values)
    for (item, got) in zip(cases, actual.arrays) {
      let want = try item.operation.reference(item.operands, types: try item.types)[0]
      let text = bitDifference(want, got)
      #expect(text == nil, "\(item.operation): \(text ?? "")")
    }
  }

  /// Numbers in the formula itself, which are written into the code or folded.
  @Test(arguments: DType.allCases.filter(\.isInteger))
  func numbersInFormulas(_ dtype: DType) throws {
    let edges = EdgeValues.all(dtype)
    let x = Tensor.input("x", [Size(edges.count)], dtype)
    let numbers = (0..<edges.count).map { Tensor.constant(edges[rows: $0..<($0 + 1)].reshaped([])) }
    let outputs = numbers.flatMap { number in
      [(x + number) + number, x .== number, (number + number) * x]
    }
    let plain = CompileOptions(rewriting: .none)
    let expected = try compile([x], to: outputs, options: plain, on: .reference)(edges)
    for backend in [Reference(), CPU()] as [any Backend] {
      let actual = try compile([x], to: outputs, on: backend)(edges)
      for (position, (want, got)) in zip(expected.arrays, actual.arrays).enumerated() {
        let text = bitDifference(want, got)
        #expect(text == nil, "\(outputs[position].formula()): \(text ?? "")")
      }
    }
  }
}
