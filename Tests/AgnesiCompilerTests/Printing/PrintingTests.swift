import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Testing

@Suite struct ListingTests {
  private let x = Tensor.input("x", [.batch, 4])
  private let w = Tensor.parameter("w", [4, 2])

  @Test func oneLineForEachNode() {
    let y = matmul(x, w).sum(axes: [1]).cast(to: .float64)
    #expect(
      y.listing() == """
        %0 = input "x" : float32[batch, 4]
        %1 = parameter "w" : float32[4, 2]
        %2 = matmul(%0, %1) : float32[batch, 2]
        %3 = sum(%2, axes: [1]) : float32[batch]
        %4 = cast(%3, target: float64) : float64[batch]
        return %4
        """)
  }

  @Test func bodiesOnRequest() {
    let pair = Tensor.composite("pair", [x], attributes: ["factor": .number(2)], resultCount: 2) {
      [exp($0[0]), -$0[0]]
    }
    let outputs = [pair[1], pair[0] * pair[1]]
    #expect(
      outputs.listing() == """
        %0 = input "x" : float32[batch, 4]
        %1, %2 = pair(%0, factor: 2) : float32[batch, 4], float32[batch, 4]
        %3 = multiply(%1, %2) : float32[batch, 4]
        return %2, %3
        """)
    #expect(
      outputs.listing(ListingOptions(bodies: true)) == """
        %0 = input "x" : float32[batch, 4]
        %1, %2 = pair(%0, factor: 2) : float32[batch, 4], float32[batch, 4]
          %3 = exp(%0) : float32[batch, 4]
          %4 = negate(%0) : float32[batch, 4]
          return %3, %4
        %5 = multiply(%1, %2) : float32[batch, 4]
        return %2, %5
        """)
  }

  @Test func locationsOnRequest() {
    let y = exp(x)
    let lines = y.listing(ListingOptions(locations: true)).split(separator: "\n")
    #expect(lines[1].hasPrefix("%1 = exp(%0) : float32[batch, 4]  // PrintingTests.swift:"))
  }

  @Test func constantsShowTheirFirstValues() {
    let values = Tensor.constant(NDArray([Float(1), 2.5, 3, -4, 5]))
    #expect(values.listing().hasPrefix("%0 = constant [1, 2.5, 3, -4, …] : float32[5]\n"))
  }

  @Test func numbersHaveTheDigitsOfTheirDtype() {
    #expect(Tensor.constant(0.1).listing().hasPrefix("%0 = constant 0.1 : float32[]\n"))
    #expect((x * 0.1).formula() == "x * 0.1")
    #expect(Tensor.constant(-0.0).listing().hasPrefix("%0 = constant -0.0 : float32[]\n"))
  }

  @Test func attributesWithPartsArePrintedPartByPart() {
    let image = Tensor.input("image", [.batch, 1, 8, 8])
    let y = convolution2D(image, Tensor.parameter("kernels", [3, 1, 3, 3]), stride: [2, 2])
    #expect(
      y.node.text { $0.name } == """
        convolution(image, kernels, stride: [2, 2], padBegin: [0, 0], padEnd: [0, 0], \
        dilation: [1, 1], groups: 1)
        """)
  }

  @Test func drawsHaveNames() {
    let draw = Tensor.randomWord(RandomStream("noise"), 0, [3])
    #expect(
      draw.node.text { _ in "%0" } == "randomWord(%0, name: noise, seed: 0, number: 0, shape: [3])")
  }

  @Test func failuresAreShown() {
    let wrong = matmul(w, w)
    #expect(
      wrong.listing() == """
        %0 = parameter "w" : float32[4, 2]
        %1 = matmul(%0, %0) : unknown  failed: inner sizes differ, 2 ≠ 4
        return %1
        """)
  }
}

@Suite struct FormulaTests {
  private let x = Tensor.input("x", [3, 3])
  private let y = Tensor.input("y", [3, 3])

  @Test func operatorsStandBetweenTheirOperands() {
    #expect((x + y * 2).formula() == "x + y * 2")
    #expect(((x + y) * 2).formula() == "(x + y) * 2")
    #expect((x - (y - x)).formula() == "x - (y - x)")
    #expect((x - y - x).formula() == "x - y - x")
    #expect((x / (y * x)).formula() == "x / (y * x)")
    #expect((-x * y).formula() == "-x * y")
    #expect((-(x + y)).formula() == "-(x + y)")
    #expect((x * -1).formula() == "x * -1")
    #expect(exp(1 - x).formula() == "exp(1 - x)")
    #expect((x .< y + 1).formula() == "x .< y + 1")
    #expect((x .> y).formula() == "y .< x")
  }

  @Test func othersAreCalls() {
    #expect(matmul(x, y.transposed()).formula() == "matmul(x, transpose(y, axes: [1, 0]))")
    #expect(x.sum(axes: [0]).formula() == "sum(x, axes: [0])")
  }

  @Test func longOnesAreCut() {
    let long = (0..<100_000).reduce(x) { value, _ in exp(value) }
    #expect(long.formula(limit: 3) == "exp(exp(exp(…)))")
  }
}

@Suite struct DrawingTests {
  @Test func nodesAndEdges() {
    let x = Tensor.input("x", [3])
    #expect(
      [exp(x)].graphviz() == """
        digraph {
          node [fontname="Helvetica"];
          n0 [label="input \\"x\\"", shape=ellipse];
          n1 [label="exp", shape=box];
          n0 -> n1 [label="float32[3]"];
          out0 [label="output 0", shape=plaintext];
          n1 -> out0 [label="float32[3]"];
        }
        """)
  }
}

@Suite struct VerifierTests {
  private let x = Tensor.input("x", [3])

  private func message(_ tensor: Tensor) -> String? {
    do {
      try [tensor].verify()
      return nil
    } catch {
      return error.text(withLocations: false)
    }
  }

  @Test func whatUsersBuildIsRight() { #expect(message(exp(x) + x.sum()) == nil) }

  @Test func wildcardsAreNot() {
    #expect(
      message(exp(Tensor.any("a")))
        == "any: stands for something else: it belongs into patterns only")
  }

  @Test func failedOnesAreNot() {
    let failed = x + Tensor.input("y", [4])
    #expect(message(exp(failed)) == failed.failure?.text(withLocations: false))
  }

  @Test func wrongTypesAreNot() {
    let right = exp(x).node
    let wrong = Node(
      right.operation, right.operands, types: [TensorType(.float32, [4])], location: right.location)
    #expect(
      message(wrong.results[0]) == """
        exp: is recorded as [float32[4]], but its operands make it [float32[3]]
          operand 0  "x" float32[3]
        """)
  }

  @Test func bodiesAreVerifiedToo() {
    let wrong = Tensor.composite("wrong", [x]) { _ in
      let right = exp(x).node
      return Node(
        right.operation, right.operands, types: [TensorType(.float32, [4])],
        location: right.location
      ).results[0]
    }
    #expect(message(wrong)?.hasPrefix("exp: is recorded as [float32[4]]") == true)
  }
}
