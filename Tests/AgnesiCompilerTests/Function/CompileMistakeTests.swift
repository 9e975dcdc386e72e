import Agnesi
import TestSupport
import Testing

/// The words of a mistake that `compile` or a call throws; source locations are left out.
private func words(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was thrown"
  } catch let error as GraphError {
    return error.text(withLocations: false)
  } catch {
    return "\(error)"
  }
}

/// What `compile` says about mistakes.
@Suite struct CompileMistakeTests {
  private let x = Tensor.input("x", [.batch, 4])
  private let y = Tensor.input("y", [.batch, 3])
  private let w = Tensor.parameter("w", [4, 2])

  private func compiling(
    _ inputs: [Tensor], _ outputs: [Tensor], _ updates: Updates = Updates()
  ) -> String {
    words { _ = try compile(inputs, to: outputs, updates: updates, on: .reference) }
  }

  @Test func shapes() {
    #expect(
      compiling([x, y], [x + y]) == """
        add: sizes of axis 1 differ, 4 ≠ 3
          left   "x" float32[batch, 4]
          right  "y" float32[batch, 3]
        """)
    #expect(
      compiling([y], [matmul(y, w)]) == """
        matmul: inner sizes differ, 3 ≠ 4
          left   "y" float32[batch, 3]
          right  "w" float32[4, 2]
        """)
    #expect(
      compiling([x], [matmul(x, .parameter("v", [2, 4]))]) == """
        matmul: inner sizes differ, 4 ≠ 2
          left   "x" float32[batch, 4]
          right  "v" float32[2, 4]
          hint: the right operand fits when transposed
        """)
  }

  @Test func whatIsBuiltOnAMistakeIsThatMistake() {
    let sum = exp((x + y).sum()) * 2
    #expect(compiling([x, y], [x, sum]).hasPrefix("add: sizes of axis 1 differ"))
  }

  @Test func dtypes() {
    #expect(
      compiling([x], [matmul(x, w.cast(to: .float64))]) == """
        matmul: needs two operands of one floating dtype, got float32 and float64
          left   "x" float32[batch, 4]
          right  float64[4, 2]
        """)
  }

  @Test func axes() {
    #expect(
      compiling([x], [x.sum(axes: [2])]) == """
        sum: axis 2 of a tensor of 2 axes
          operand  "x" float32[batch, 4]
        """)
  }

  @Test func gradients() {
    let cost = (x * x).sum()
    #expect(
      compiling([x], gradient(of: cost, withRespectTo: [w])) == """
        gradient: the cost does not depend on this variable in a differentiable way
          variable  "w" float32[4, 2]
          hint: pass disconnected: .zero where a gradient of zero is meant
        """)
    #expect(
      compiling([x], gradient(of: x * x, withRespectTo: [x])) == """
        gradient: the cost must be one floating value, got float32[batch, 4]
          hint: reduce it with mean() or sum()
        """)
  }

  @Test func inputs() {
    #expect(
      compiling([x], [x.sum() + y.sum()]) == """
        compile: the outputs depend on input "y", which is not listed
          hint: add it to the inputs, or replace it by givens
        """)
    #expect(
      compiling([x, y], [exp(x)]) == """
        compile: no output depends on input "y"
          hint: leave it out, or allow unused inputs in the options
        """)
    #expect(compiling([x, x], [exp(x)]) == "compile: an input is listed twice")
    let options = CompileOptions(allowsUnusedInputs: true)
    #expect(
      words { _ = try compile([x, y], to: [exp(x)], options: options, on: .reference) }
        == "nothing was thrown")
  }

  @Test func whatIsNoInput() {
    let text = compiling([w], [exp(w)])
    #expect(text.hasPrefix("compile: "))
    #expect(text.hasSuffix(" is not an input\n  hint: make inputs with Tensor.input"))
  }

  @Test func parameterNames() {
    let other = Tensor.parameter("w", [4, 2])
    #expect(
      compiling([], [w + other]) == """
        compile: two parameters are called "w"
          hint: to share one set of weights, build the layer with .shared(parameter); for two sets, give one another name, or build it inside Scope.named
        """)
    #expect(
      compiling([], [w], Updates([(other, other + 1)])).hasPrefix(
        "compile: two parameters are called"))
  }

  @Test func updates() {
    #expect(
      compiling([], [], Updates([(w, w + 1), (w, w + 2)])) == """
        updates: parameter "w" is updated twice
          parameter  "w" float32[4, 2]
          new value  float32[4, 2]
        """)
    #expect(
      compiling([], [], Updates([(w, w.sum(axes: [0]))])) == """
        updates: the shape of the new value differs from that of "w"
          parameter  "w" float32[4, 2]
          new value  float32[2]
        """)
    #expect(
      compiling([x], [], Updates([(x, x)])) == """
        updates: the target is no parameter
          target  "x" float32[batch, 4]
          hint: targets are made by Tensor.parameter
        """)
  }
}

/// What a compiled function says about values that do not fit.
@Suite struct CallMistakeTests {
  private let x = Tensor.input("x", [.batch, 4])
  private let label = Tensor.input("label", [.batch], .int32)
  private let step: Function

  init() throws {
    step = try compile(
      [x, label], to: ["sum": (x.sum(axes: [1]) + label.cast(to: .float32)).sum()],
      options: CompileOptions(name: "step"), on: .reference)
  }

  private func labels(_ count: Int) -> NDArray { NDArray(zeros: [count], .int32) }

  @Test func numberOfValues() {
    #expect(
      words { _ = try step(NDArray(zeros: [2, 4])) }.hasPrefix("step: takes 2 values, got 1\n"))
  }

  @Test func dtypesAndRanks() {
    #expect(
      words { _ = try step(NDArray(zeros: [2, 4], .float64), labels(2)) } == """
        step: input "x" is float32[batch, 4], got a value of float64[2, 4]
          hint: convert the value with cast(to: .float32)
        """)
    #expect(
      words { _ = try step(NDArray(zeros: [8]), labels(2)) }
        == "step: input \"x\" is float32[batch, 4], got a value of float32[8]")
  }

  @Test func sizes() {
    #expect(
      words { _ = try step(NDArray(zeros: [2, 5]), labels(2)) }
        == "step: input \"x\" is float32[batch, 4] with batch = 2, got a value of float32[2, 5]")
    #expect(
      words { _ = try step(NDArray(zeros: [2, 4]), labels(3)) }
        == "step: input \"label\" is int32[batch] with batch = 2, got a value of int32[3]")
  }

  @Test func names() throws {
    let values = ["x": NDArray(zeros: [2, 4]), "label": labels(2)]
    #expect(
      words { _ = try step.call(named: ["x": labels(2), "y": labels(2)]) } == """
        step: no input is called "y"
          hint: inputs are x, label
        """)
    #expect(
      words { _ = try step.call(named: ["x": NDArray(zeros: [2, 4])]) }
        == "step: input \"label\" has no value")
    let results = try step.call(named: values)
    #expect(
      words { _ = try results.named("total") } == """
        results: no output is called "total"
          hint: names are sum
        """)
    let unnamed = try compile([x], to: [exp(x)], on: .reference)(NDArray(zeros: [1, 4]))
    #expect(
      words { _ = try unnamed.named("exp") } == """
        results: no output is called "exp"
          hint: outputs have no names
        """)
  }

  /// A mistake that only numbers show.
  @Test func sizesThatMeetInTheFunction() throws {
    let other = Tensor.input("other", [.symbol("rows"), 4])
    let sum = try compile([x, other], to: [x + other], on: .reference)
    #expect(try sum(NDArray(zeros: [3, 4]), NDArray(zeros: [3, 4]))[0].shape == [3, 4])
    #expect(
      words { _ = try sum(NDArray(zeros: [2, 4]), NDArray(zeros: [3, 4])) } == """
        broadcast: axis 0 of size 2 does not become 3
          operand  "x" float32[2, 4]
        """)
    #expect(sum.callCount == 1)
    #expect(try sum(NDArray(zeros: [2, 4]), NDArray(zeros: [2, 4]))[0].shape == [2, 4])
  }
}

/// Mistakes that used to trap, or to pass in silence.
@Suite struct SilentMistakeTests {
  private func words(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was thrown"
    } catch let error as FunctionError {
      return error.text(withLocations: false)
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [any Backend].all) func aSizeThatNothingDetermines(backend: any Backend) {
    let draw = randomNormal([.batch, 2], name: "noise")
    #expect(
      words { _ = try compile([], to: [draw], on: backend) } == """
        compile: nothing says how large "batch" is, a size of "broadcast" float32[batch, 2]
          hint: list an input that has batch as the size of an axis, or write a number in its place
        """)
    let doubled = Tensor.input("x", [.batch * 2])
    #expect(
      words { _ = try compile([doubled], to: [exp(doubled)], on: backend) } == """
        compile: nothing says how large "batch" is, a size of "x" float32[batch * 2]
          hint: list an input that has batch as the size of an axis, or write a number in its place
        """)
  }

  @Test func whatWasNotAskedFor() throws {
    let x = Tensor.input("x", [2])
    let results = try compile([x], to: [exp(x)], on: .reference)(NDArray(zeros: [2]))
    #expect(
      words { _ = try results.value(of: exp(x)) }.hasPrefix(
        "results: the function does not compute "))
  }

  @Test(arguments: [any Backend].all) func aValueThatDoesNotFitItsParameter(
    backend: any Backend
  ) throws {
    let w = Tensor.parameter("w", [2], .ones)
    let parameter = try #require(w.parameter)
    let function = try compile([], to: [w + 1], on: backend)
    parameter.value = NDArray(zeros: [3])
    #expect(parameter.value == NDArray(filled: 1, shape: [2]))
    #expect(
      words { _ = try function() }
        == "parameter \"w\" is float32[2], got a value of float32[3]")
    parameter.value = NDArray(filled: 4, shape: [2])
    #expect(try function()[0] == NDArray(filled: 5, shape: [2]))
  }

  @Test func bytesOfPicturesHaveAnotherScale() throws {
    let x = Tensor.input("image", [.batch, 1, 2, 2])
    let function = try compile([x], to: [exp(x)], on: .reference)
    let hint =
      "convert the value with cast(to: .float32), which keeps 0 to 255; times 1.0 / 255 where "
      + "pictures are 0 to 1"
    #expect(
      words { _ = try function(NDArray(zeros: [1, 1, 2, 2], .uint8)) } == """
        function: input "image" is float32[batch, 1, 2, 2], got a value of uint8[1, 1, 2, 2]
          hint: \(hint)
        """)
  }
}

extension [any Backend] {
  fileprivate static var all: [any Backend] { [Reference(), CPU()] }
}
