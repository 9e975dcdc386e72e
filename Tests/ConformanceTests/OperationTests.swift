import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Foundation
import TestSupport
import Testing

/// What every example of every operation promises, without an executor.
@Suite struct OperationTests {
  private static let floats = DType.allCases.filter(\.isFloating)

  /// `ReferenceWalk` compares each node's types with what its reference gives.
  @Test(arguments: ConformanceCase.all, floats)
  func typeRuleIsThatOfTheReference(_ item: ConformanceCase, _ floating: DType) throws {
    let built = item.built(floating)
    var walk = built.walk
    _ = try walk.values(of: built.outputs)
  }

  /// Examples that ask for a number where a size is only a name, so that a mistake is right.
  private static let needsNumbers: Set<String> = ["reshape: split"]

  @Test(arguments: ConformanceCase.all)
  func typeRuleHoldsForNamedSizes(_ item: ConformanceCase) throws {
    let (named, plain) = (item.built(.float32, symbolic: true), item.built(.float32))
    if Self.needsNumbers.contains(item.testDescription) { return }
    var (first, second) = (named.walk, plain.walk)
    let (values, expected) = (
      try first.values(of: named.outputs), try second.values(of: plain.outputs)
    )
    for (value, want) in zip(values, expected) {
      #expect(difference(want, value, ulps: 0) == nil)
    }
  }

  @Test(arguments: ConformanceCase.all, floats)
  func loopsMeanWhatTheReferenceSays(_ item: ConformanceCase, _ floating: DType) throws {
    let built = item.built(floating)
    var walk = built.walk
    try expectLoweringsAgree(built.outputs, &walk, tolerance: item.example.tolerance)
  }

  @Test(arguments: ConformanceCase.differentiable)
  func gradientIsThatOfDifferences(_ item: ConformanceCase) throws {
    let built = item.built(.float64)
    try CentralDifferences(inputs: built.inputs, values: built.values).check(built.outputs)
  }

  @Test(arguments: ConformanceCase.smooth)
  func secondDerivativesAreThoseOfDifferences(_ item: ConformanceCase) throws {
    let built = item.built(.float64)
    var differences = CentralDifferences(inputs: built.inputs, values: built.values)
    differences.tolerance = 1e-5
    differences.directions = 3
    try differences.checkSecond(built.outputs)
  }

  /// Adjoints are operations too, with loops of their own.
  @Test(arguments: ConformanceCase.differentiable)
  func loopsOfGradientsMeanWhatTheReferenceSays(_ item: ConformanceCase) throws {
    let built = item.built(.float64)
    let costs = built.outputs.filter(\.dtype.isFloating).map { ($0 * $0).sum() }
    let cost = costs.dropFirst().reduce(costs.first ?? .constant(0, .float64), +)
    let variables = built.inputs.filter(\.dtype.isFloating)
    let gradients = gradient(of: cost, withRespectTo: variables, disconnected: .zero)
    var walk = built.walk
    try expectLoweringsAgree(gradients, &walk, tolerance: item.example.tolerance * 4)
  }

  /// Runs every node's loops on the reference's operands.
  private func expectLoweringsAgree(
    _ outputs: [Tensor], _ walk: inout ReferenceWalk, tolerance: Double
  ) throws {
    for node in outputs.topologicalNodes() where !node.operands.isEmpty || !node.isLeaf {
      let expected = try walk.values(of: node.results)
      let (operation, types) = walk.known(node)
      if operation is Composite { continue }
      let operands = try walk.operands(of: node)
      guard let values = try loweredValues(operation, operands, types: types) else { continue }
      for (want, got) in zip(expected, values) {
        let text = difference(want, got, ulps: tolerance)
        #expect(text == nil, "\(operation.label): \(text ?? "")")
      }
    }
  }

  @Test(arguments: ConformanceCase.all)
  func operationsSurviveBeingSaved(_ item: ConformanceCase) throws {
    let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    for node in item.built(.float32).outputs.topologicalNodes() {
      guard Operations.byName[type(of: node.operation).name] != nil else { continue }
      try expectSurvives(node.operation, encoder, decoder)
    }
  }

  private func expectSurvives(
    _ operation: some AgnesiExpressions.Operation, _ encoder: JSONEncoder, _ decoder: JSONDecoder
  ) throws {
    let data = try encoder.encode(operation)
    let read = try decoder.decode(type(of: operation), from: data)
    // A draw that was read is another one than that which was built in this process.
    if operation.isRandom {
      #expect(try encoder.encode(read) == data)
    } else {
      #expect(read == operation)
    }
  }
}

extension Node {
  /// Inputs and the like, which an executor knows.
  fileprivate var isLeaf: Bool {
    operation is Input || operation is Constant || operation is CallNumber
  }
}
