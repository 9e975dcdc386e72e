import CAgnesi
import Testing

private let cases: [ConvolutionCase] = [
  ConvolutionCase(),
  ConvolutionCase(size: [9, 7], kernel: [3, 2], begin: [1, 0], end: [1, 1]),
  ConvolutionCase(channels: 16, filters: 32, size: [6, 6], begin: [1, 1], end: [1, 1]),
  ConvolutionCase(
    channels: 7, filters: 6, size: [13, 9], kernel: [5, 3], stride: [2, 3], begin: [2, 0],
    end: [1, 2], dilation: [1, 2]),
  ConvolutionCase(
    batch: 1, channels: 8, filters: 12, groups: 4, size: [10, 10], stride: [2, 2], begin: [1, 1],
    end: [1, 1], dilation: [1, 2]),
  ConvolutionCase(channels: 6, filters: 6, groups: 6, begin: [1, 1], end: [1, 1]),
  ConvolutionCase(channels: 1, filters: 20, size: [12, 12], kernel: [5, 5]),
  ConvolutionCase(filters: 2, size: [5, 5], kernel: [1, 1]),
  ConvolutionCase(size: [7, 7], stride: [4, 4], end: [3, 3]),
]

private let empty: [ConvolutionCase] = [
  ConvolutionCase(batch: 0), ConvolutionCase(channels: 0), ConvolutionCase(filters: 0),
  ConvolutionCase(size: [2, 8]), ConvolutionCase(size: [0, 8]),
]

private let algorithms = [
  agnesi_algorithm_auto, agnesi_algorithm_direct, agnesi_algorithm_winograd,
]

@Suite struct ConvolutionTests {
  @Test(arguments: cases + empty, [0, 1, 2])
  func forward(_ it: ConvolutionCase, algorithm: Int) throws {
    let (x, w) = (numbers(it.sourceCount, "x"), numbers(it.weightCount, "w"))
    let b = numbers(it.filters, "b")
    let plain = try #require(it.context(agnesi_convolution_forward, 0, algorithms[algorithm]))
    let y = plain.buffer(2)
    #expect(plain.call(plain.buffer(0, x), plain.buffer(1, w), y) == 0)
    #expect(difference(y.values(it.destinationCount), it.forward(x, w, bias: nil)) < 1e-4)

    for relu in [false, true] {
      let flags = Int(AGNESI_BIAS) | (relu ? Int(AGNESI_RELU) : 0)
      let context = try #require(
        it.context(agnesi_convolution_forward, flags, algorithms[algorithm]))
      let y = context.buffer(3)
      #expect(
        context.call(context.buffer(0, x), context.buffer(1, w), context.buffer(2, b), y) == 0)
      let expected = it.forward(x, w, bias: b, relu: relu)
      #expect(difference(y.values(it.destinationCount), expected) < 1e-4)
    }
  }

  @Test(arguments: cases + empty, [0, 1, 2])
  func backwardData(_ it: ConvolutionCase, algorithm: Int) throws {
    let (upstream, w) = (numbers(it.destinationCount, "dy"), numbers(it.weightCount, "w"))
    let context = try #require(
      it.context(agnesi_convolution_backward_data, 0, algorithms[algorithm]))
    let result = context.buffer(2, numbers(it.sourceCount, "old"))
    #expect(context.call(context.buffer(0, upstream), context.buffer(1, w), result) == 0)
    #expect(difference(result.values(it.sourceCount), it.backwardData(upstream, w)) < 1e-4)
  }

  @Test(arguments: cases + empty, [0, 1, 2])
  func backwardWeights(_ it: ConvolutionCase, algorithm: Int) throws {
    let (x, upstream) = (numbers(it.sourceCount, "x"), numbers(it.destinationCount, "dy"))
    let context = try #require(
      it.context(agnesi_convolution_backward_weights, Int(AGNESI_BIAS), algorithms[algorithm]))
    let weights = context.buffer(2, numbers(it.weightCount, "old"))
    let bias = context.buffer(3, numbers(it.filters, "old"))
    #expect(context.call(context.buffer(0, x), context.buffer(1, upstream), weights, bias) == 0)
    #expect(difference(weights.values(it.weightCount), it.backwardWeights(x, upstream)) < 1e-4)
    #expect(difference(bias.values(it.filters), it.backwardBias(upstream)) < 1e-4)
  }

  @Test func scratchMemoryMayBeShared() throws {
    let it = ConvolutionCase(channels: 5, filters: 6)
    let (x, w) = (numbers(it.sourceCount, "x"), numbers(it.weightCount, "w"))
    let context = try #require(
      it.context(agnesi_convolution_forward, Int(AGNESI_EXTERNAL_SCRATCH)))
    #expect(agnesi_context_argument_count(context.pointer) == 4)
    let bytes = agnesi_context_scratch_bytes(context.pointer)
    #expect(bytes == agnesi_context_argument_bytes(context.pointer, 3))
    // At other addresses each time, and full of what others left there.
    for round in 0..<3 {
      let scratch = Buffer(bytes: bytes, numbers(bytes / 4, "scratch \(round)"))
      let y = context.buffer(2)
      #expect(context.call(context.buffer(0, x), context.buffer(1, w), y, scratch) == 0)
      #expect(difference(y.values(it.destinationCount), it.forward(x, w, bias: nil)) < 1e-4)
    }
  }

  @Test func threeAxes() throws {
    var it = agnesi_convolution()
    it.rank = 3
    (it.batch, it.channels, it.filters, it.groups) = (1, 1, 1, 1)
    it.size = (2, 2, 3)
    it.kernel = (2, 1, 2)
    it.stride = (1, 1, 1)
    it.dilation = (1, 1, 1)
    let context = try #require(
      Context(
        agnesi_convolution_create(
          agnesi_convolution_forward, &it, 0, agnesi_algorithm_direct, nil, 2, nil)))
    let x = context.buffer(0, (1...12).map(Float.init))
    let y = context.buffer(2)
    #expect(context.call(x, context.buffer(1, [1, 10, 100, 1000]), y) == 0)
    #expect(y.values(4) == [8721, 9832, 12054, 13165])
  }

  @Test func refusesContradictions() {
    func status(_ change: (inout agnesi_convolution) -> Void) -> agnesi_status {
      var it = ConvolutionCase(channels: 4, filters: 4).description
      change(&it)
      var status = agnesi_ok
      let context = agnesi_convolution_create(
        agnesi_convolution_forward, &it, 0, agnesi_algorithm_direct, nil, 1, &status)
      #expect((context == nil) == (status != agnesi_ok))
      agnesi_context_destroy(context)
      return status
    }
    #expect(status { _ in } == agnesi_ok)
    #expect(status { $0.groups = 3 } == agnesi_invalid)
    #expect(status { $0.groups = 0 } == agnesi_invalid)
    #expect(status { $0.rank = 4 } == agnesi_invalid)
    #expect(status { $0.stride.0 = 0 } == agnesi_invalid)
    #expect(status { $0.kernel.1 = 0 } == agnesi_invalid)
    #expect(status { $0.pad_end.1 = -1 } == agnesi_invalid)
    #expect(status { $0.batch = -1 } == agnesi_invalid)
    #expect(status { $0.size.0 = .max } == agnesi_invalid)
  }

  @Test func missingArgumentIsAnError() throws {
    let context = try #require(ConvolutionCase().context(agnesi_convolution_forward))
    let addresses = [UnsafeMutableRawPointer?](repeating: nil, count: 3)
    let pointer = UnsafeMutableRawPointer(context.pointer)
    #expect(agnesi_context_call(pointer, addresses, nil, 1) != 0)
  }

  @Test func timesItself() throws {
    let context = try #require(ConvolutionCase().context(agnesi_convolution_forward))
    let seconds = agnesi_context_seconds(context.pointer, 3)
    #expect(seconds > 0 && seconds < 1)
    #expect(String(cString: agnesi_context_implementation(context.pointer)) != "none")
  }
}
