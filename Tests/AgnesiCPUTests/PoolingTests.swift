import CAgnesi
import Testing

/// A pooling over two axes, with the obvious loops for it and its adjoint.
struct PoolingCase: CustomTestStringConvertible, Sendable {
  var channels = 3
  var size = [8, 8]
  var kernel = [2, 2]
  var stride = [2, 2]
  var begin = [0, 0]
  var end = [0, 0]
  let batch = 2

  var testDescription: String { "\(channels)×\(size) k\(kernel) s\(stride) p\(begin)\(end)" }

  var description: agnesi_pooling {
    var it = agnesi_pooling()
    it.rank = 2
    it.batch = Int64(batch)
    it.channels = Int64(channels)
    it.size = triple(size)
    it.kernel = triple(kernel)
    it.stride = triple(stride)
    it.pad_begin = triple(begin)
    it.pad_end = triple(end)
    return it
  }

  var output: [Int] {
    var it = description
    return (0..<2).map { Int(agnesi_pooling_output(&it, Int32($0))) }
  }

  var sourceCount: Int { batch * channels * size[0] * size[1] }
  var destinationCount: Int { batch * channels * output[0] * output[1] }

  /// The places in the source that each place of the destination sees.
  func windows(batch: Int = 2) -> [[Int]] {
    (0..<(batch * channels)).flatMap { map in
      pairs(output[0], output[1]).map { i, j in
        pairs(kernel[0], kernel[1]).compactMap { u, v in
          let y = i * stride[0] - begin[0] + u
          let x = j * stride[1] - begin[1] + v
          guard y >= 0, x >= 0, y < size[0], x < size[1] else { return nil }
          return (map * size[0] + y) * size[1] + x
        }
      }
    }
  }

  /// How much each place of a window counts.
  func shares(_ algorithm: agnesi_pooling_algorithm, _ window: [Int], _ source: [Float]) -> [Float]
  {
    switch algorithm {
    case agnesi_pooling_maximum:
      let values = window.map { source[$0] }
      let first = values.firstIndex(of: values.max() ?? 0)
      return values.indices.map { $0 == first ? 1 : 0 }
    case agnesi_pooling_average:
      return window.map { _ in 1 / Float(window.count) }
    default:
      return window.map { _ in 1 / Float(kernel[0] * kernel[1]) }
    }
  }

  func forward(_ algorithm: agnesi_pooling_algorithm, _ source: [Float]) -> [Float] {
    windows().map { window in
      zip(shares(algorithm, window, source), window).reduce(0) { $0 + $1.0 * source[$1.1] }
    }
  }

  func backward(_ algorithm: agnesi_pooling_algorithm, _ source: [Float], _ upstream: [Float])
    -> [Float]
  {
    var result = [Float](repeating: 0, count: source.count)
    for (window, upstream) in zip(windows(), upstream) {
      for (share, place) in zip(shares(algorithm, window, source), window) {
        result[place] += share * upstream
      }
    }
    return result
  }

  func context(
    _ kind: agnesi_pooling_kind, _ algorithm: agnesi_pooling_algorithm, flags: Int = 0,
    layouts: [Layout?]? = nil
  ) -> Context? {
    var it = description
    return withExtendedLifetime(layouts) {
      Context(
        agnesi_pooling_create(
          kind, &it, algorithm, UInt32(flags), layouts?.map { $0?.pointer }, 2, nil))
    }
  }
}

private let cases: [PoolingCase] = [
  PoolingCase(), PoolingCase(channels: 20, size: [24, 24]),
  PoolingCase(size: [9, 7], kernel: [3, 2], stride: [2, 1], begin: [1, 0], end: [1, 1]),
  PoolingCase(channels: 17, size: [6, 5], kernel: [3, 3], stride: [1, 1], begin: [1, 1]),
  PoolingCase(size: [5, 5], kernel: [2, 2], stride: [3, 3]),
  PoolingCase(channels: 0), PoolingCase(size: [1, 8]),
]

private let algorithms = [
  agnesi_pooling_maximum, agnesi_pooling_average, agnesi_pooling_average_padded,
]

@Suite struct PoolingTests {
  /// Numbers of which many are equal, so that it matters which of them is the maximum.
  private func source(_ it: PoolingCase) -> [Float] {
    numbers(it.sourceCount, "x").map { ($0 * 2).rounded() }
  }

  @Test(arguments: cases, [0, 1, 2])
  func forwardAndBackward(_ it: PoolingCase, algorithm: Int) throws {
    let algorithm = algorithms[algorithm]
    let isMaximum = algorithm == agnesi_pooling_maximum
    let (x, upstream) = (source(it), numbers(it.destinationCount, "dy"))
    let forward = try #require(it.context(agnesi_pooling_forward, algorithm))
    let backward = try #require(it.context(agnesi_pooling_backward, algorithm))
    let y = forward.buffer(1)
    let dx = backward.buffer(isMaximum ? 2 : 1, numbers(it.sourceCount, "old"))
    if isMaximum {
      let workspace = forward.buffer(2)
      #expect(
        agnesi_context_argument_bytes(forward.pointer, 2)
          == agnesi_context_argument_bytes(backward.pointer, 1))
      #expect(forward.call(forward.buffer(0, x), y, workspace) == 0)
      #expect(backward.call(backward.buffer(0, upstream), workspace, dx) == 0)
    } else {
      #expect(forward.call(forward.buffer(0, x), y) == 0)
      #expect(backward.call(backward.buffer(0, upstream), dx) == 0)
    }
    #expect(difference(y.values(it.destinationCount), it.forward(algorithm, x)) < 1e-6)
    #expect(difference(dx.values(it.sourceCount), it.backward(algorithm, x, upstream)) < 1e-6)
  }

  @Test(arguments: cases.prefix(4), [0, 1])
  func inAConvolutionsLayout(_ it: PoolingCase, algorithm: Int) throws {
    let algorithm = algorithms[algorithm]
    let convolution = ConvolutionCase(
      channels: it.channels, filters: it.channels, size: it.size, kernel: [1, 1])
    let any = Layout.any
    let wish = try #require(
      convolution.context(agnesi_convolution_forward, layouts: [any, any, any]))
    let layout = wish.layout(2)
    let (x, upstream) = (source(it), numbers(it.destinationCount, "dy"))
    guard layout.pointer != nil else { return }
    let there = try #require(Context.reorder(nil, layout))
    let inside = there.buffer(1)
    #expect(there.call(there.buffer(0, x), inside) == 0)

    let isMaximum = algorithm == agnesi_pooling_maximum
    let forward = try #require(
      it.context(agnesi_pooling_forward, algorithm, layouts: [layout, nil, nil]))
    let backLayouts = isMaximum ? [nil, nil, layout] : [nil, layout]
    let backward = try #require(
      it.context(agnesi_pooling_backward, algorithm, layouts: backLayouts))
    #expect(!agnesi_context_needs_reorder(forward.pointer, 0))
    let y = forward.buffer(1)
    let dx = backward.buffer(isMaximum ? 2 : 1)
    if isMaximum {
      let workspace = forward.buffer(2)
      #expect(forward.call(inside, y, workspace) == 0)
      #expect(backward.call(backward.buffer(0, upstream), workspace, dx) == 0)
    } else {
      #expect(forward.call(inside, y) == 0)
      #expect(backward.call(backward.buffer(0, upstream), dx) == 0)
    }
    let back = try #require(Context.reorder(layout, nil))
    let result = back.buffer(1)
    #expect(back.call(dx, result) == 0)
    #expect(difference(y.values(it.destinationCount), it.forward(algorithm, x)) < 1e-6)
    #expect(difference(result.values(it.sourceCount), it.backward(algorithm, x, upstream)) < 1e-6)
  }

  @Test func inferenceNeedsNoWorkspace() throws {
    let it = PoolingCase()
    let context = try #require(
      it.context(agnesi_pooling_forward, agnesi_pooling_maximum, flags: Int(AGNESI_INFERENCE)))
    #expect(agnesi_context_argument_count(context.pointer) == 2)
    let x = source(it)
    let y = context.buffer(1)
    #expect(context.call(context.buffer(0, x), y) == 0)
    #expect(y.values(it.destinationCount) == it.forward(agnesi_pooling_maximum, x))
  }

  @Test func refusesWindowsOfPaddingOnly() {
    var it = PoolingCase(begin: [2, 0]).description
    var status = agnesi_ok
    let context = agnesi_pooling_create(
      agnesi_pooling_forward, &it, agnesi_pooling_average, 0, nil, 1, &status)
    #expect(context == nil)
    #expect(status == agnesi_invalid)
  }
}
