import CAgnesi
import Testing

/// A chain of two convolutions whose tensors stay in the library's layouts.
@Suite struct LayoutTests {
  private let first = ConvolutionCase(
    channels: 3, filters: 20, size: [10, 10], begin: [1, 1], end: [1, 1])
  private let second = ConvolutionCase(
    channels: 20, filters: 33, size: [10, 10], stride: [2, 2], begin: [1, 1], end: [1, 1])
  private let any = Layout.any

  @Test func chainStaysInTheLibrarysLayout() throws {
    let (x, w1) = (numbers(first.sourceCount, "x"), numbers(first.weightCount, "w1"))
    let w2 = numbers(second.weightCount, "w2")
    let a = try #require(
      first.context(
        agnesi_convolution_forward, Int(AGNESI_RELU), layouts: [nil, nil, any]))
    let between = a.layout(2)
    let b = try #require(
      second.context(agnesi_convolution_forward, layouts: [between, nil, nil]))
    let middle = a.buffer(2)
    let y = b.buffer(2)
    #expect(a.call(a.buffer(0, x), a.buffer(1, w1), middle) == 0)
    #expect(b.call(middle, b.buffer(1, w2), y) == 0)
    let expected = second.forward(first.forward(x, w1, bias: nil, relu: true), w2, bias: nil)
    #expect(difference(y.values(second.destinationCount), expected) < 1e-4)
    if between.pointer != nil {
      #expect(!agnesi_context_needs_reorder(b.pointer, 0))
      #expect(agnesi_layout_bytes(between.pointer) == agnesi_context_argument_bytes(a.pointer, 2))
    }
  }

  @Test func reorderThereAndBack() throws {
    let a = try #require(first.context(agnesi_convolution_forward, layouts: [nil, any, any]))
    for argument in [1, 2] as [Int32] {
      let layout = a.layout(argument)
      guard layout.pointer != nil else { continue }
      let count = argument == 1 ? first.weightCount : first.destinationCount
      let values = numbers(count, "values")
      let there = try #require(Context.reorder(nil, layout))
      let back = try #require(Context.reorder(layout, nil))
      let inside = there.buffer(1)
      let result = back.buffer(1)
      #expect(there.call(there.buffer(0, values), inside) == 0)
      #expect(back.call(inside, result) == 0)
      #expect(result.values(count) == values)
    }
  }

  @Test func channelBlocksAreWhereTheyShouldBe() throws {
    let a = try #require(second.context(agnesi_convolution_forward, layouts: [any, nil, nil]))
    let layout = a.layout(0)
    let block = Int(agnesi_layout_channel_block(layout.pointer))
    try #require(block > 1, "no blocks on this processor: \(layout.text)")
    #expect(layout.text == "aBcd\(block)b")
    let values = numbers(second.sourceCount, "values")
    let there = try #require(Context.reorder(nil, layout))
    let inside = there.buffer(1, numbers(there.buffer(1).bytes / 4, "left over"))
    #expect(there.call(there.buffer(0, values), inside) == 0)
    let blocks = (second.channels + block - 1) / block
    let area = 100
    for n in 0..<second.batch {
      for c in 0..<(blocks * block) {
        for place in 0..<area {
          let at = ((n * blocks + c / block) * area + place) * block + c % block
          let isInside = c < second.channels
          let expected = isInside ? values[(n * second.channels + c) * area + place] : 0
          #expect(inside.floats[at] == expected)
        }
      }
    }
  }

  @Test func adjointsInGivenLayouts() throws {
    let upstream = numbers(second.destinationCount, "dy")
    let (x, w) = (numbers(second.sourceCount, "x"), numbers(second.weightCount, "w"))
    let forward = try #require(
      second.context(agnesi_convolution_forward, layouts: [any, any, any]))
    let (lx, lw) = (forward.layout(0), forward.layout(1))
    let backwardData = try #require(
      second.context(agnesi_convolution_backward_data, layouts: [nil, lw, lx]))
    let backwardWeights = try #require(
      second.context(agnesi_convolution_backward_weights, layouts: [lx, nil, lw]))

    let packed = try #require(Context.reorder(nil, lw))
    let weights = packed.buffer(1)
    #expect(packed.call(packed.buffer(0, w), weights) == 0)
    let blockedX = try #require(Context.reorder(nil, lx))
    let source = blockedX.buffer(1)
    #expect(blockedX.call(blockedX.buffer(0, x), source) == 0)

    let dx = backwardData.buffer(2)
    #expect(backwardData.call(backwardData.buffer(0, upstream), weights, dx) == 0)
    let dw = backwardWeights.buffer(2)
    #expect(backwardWeights.call(source, backwardWeights.buffer(1, upstream), dw) == 0)

    let plainX = try #require(Context.reorder(lx, nil))
    let plainW = try #require(Context.reorder(lw, nil))
    let (rx, rw) = (plainX.buffer(1), plainW.buffer(1))
    #expect(plainX.call(dx, rx) == 0)
    #expect(plainW.call(dw, rw) == 0)
    #expect(difference(rx.values(second.sourceCount), second.backwardData(upstream, w)) < 1e-4)
    #expect(difference(rw.values(second.weightCount), second.backwardWeights(x, upstream)) < 1e-4)
  }

  @Test func equality() throws {
    let a = try #require(second.context(agnesi_convolution_forward, layouts: [any, any, any]))
    let b = try #require(second.context(agnesi_convolution_forward, layouts: [any, any, any]))
    #expect(a.layout(0).equals(b.layout(0)))
    #expect(!a.layout(0).equals(b.layout(1)))
    #expect(Layout(nil).equals(Layout(nil)))
    #expect(!Layout(nil).equals(any))
    #expect(agnesi_layout_channel_block(nil) == 1)
    #expect(Layout(nil).text == "plain")
  }

  @Test func refusesLayoutsOfOtherSizes() throws {
    let a = try #require(second.context(agnesi_convolution_forward, layouts: [any, any, any]))
    let layout = a.layout(0)
    try #require(layout.pointer != nil)
    var it = first.description
    var status = agnesi_ok
    let context = withExtendedLifetime(layout) {
      agnesi_convolution_create(
        agnesi_convolution_forward, &it, 0, agnesi_algorithm_direct, [layout.pointer, nil, nil],
        2, &status)
    }
    #expect(context == nil)
    #expect(status == agnesi_invalid)
    #expect(agnesi_reorder_create(nil, nil, 2, &status) == nil)
    #expect(status == agnesi_invalid)
  }
}
