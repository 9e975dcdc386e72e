import AgnesiCPU
import CAgnesi
import Testing

private let cases: [ConvolutionCase] = [
  ConvolutionCase(batch: 5, channels: 1, filters: 7, size: [9, 10], kernel: [5, 5]),
  ConvolutionCase(batch: 18, channels: 3, filters: 4),
  ConvolutionCase(
    batch: 3, channels: 2, filters: 11, size: [8, 7], begin: [1, 1], end: [1, 1]),
  ConvolutionCase(
    batch: 4, channels: 3, filters: 5, size: [11, 12], kernel: [3, 2], stride: [2, 3],
    begin: [2, 1], end: [1, 0], dilation: [2, 1]),
  ConvolutionCase(
    batch: 2, channels: 2, filters: 3, size: [9, 9], stride: [1, 2], begin: [2, 2], end: [2, 2],
    dilation: [1, 3]),
  ConvolutionCase(batch: 17, channels: 6, filters: 30, size: [1, 1], kernel: [1, 1]),
]

/// Stride 1, no padding, and something left over beside the windows.
private let behindPool: [ConvolutionCase] = [
  ConvolutionCase(batch: 5, channels: 1, filters: 7, size: [11, 10], kernel: [5, 5]),
  ConvolutionCase(batch: 18, channels: 3, filters: 4, size: [9, 8], kernel: [3, 2]),
  ConvolutionCase(batch: 16, channels: 2, filters: 3, size: [8, 8], kernel: [1, 4]),
  ConvolutionCase(batch: 3, channels: 2, filters: 2, size: [12, 13], kernel: [7, 7]),
]

private let targets: [LanesTarget] = [.avx512, .avx2, .neon]

extension ConvolutionCase {
  fileprivate var lanes: BatchInnermostShape {
    BatchInnermostShape(
      channels: channels, filters: filters, size: size, kernel: kernel, stride: stride,
      padBegin: begin, padEnd: end, dilation: dilation)
  }
}

/// Generated kernels against the naive loops.
@Suite(.enabled(if: CLibrary.compiler != nil, "no C compiler on the path"))
struct BatchInnermostTests {
  /// Compiles kernels, and runs them on numbered buffers.
  private struct Bench {
    let library: CLibrary
    let target: LanesTarget
    let samples: Int
    var blocks: Int { (samples + target.lanes - 1) / target.lanes }

    init?(_ kernels: [BatchInnermostKernel], target: LanesTarget, samples: Int) {
      let texts = [LanesC.prelude(target)] + kernels.map(\.text)
      guard let library = CLibrary(texts.joined(separator: "\n")) else { return nil }
      (self.library, self.target, self.samples) = (library, target, samples)
    }

    /// Memory for `elements` of each sample, in lanes.
    func buffer(_ elements: Int, _ values: [Float] = []) -> Buffer {
      let buffer = Buffer(bytes: blocks * target.lanes * elements * 4)
      fill(buffer, elements, values)
      return buffer
    }

    func fill(_ buffer: Buffer, _ elements: Int, _ values: [Float]) {
      for (place, value) in values.enumerated() {
        buffer.floats[position(place, elements)] = value
      }
    }

    /// A byte for each of `elements` of each sample, in lanes.
    func argmax(_ elements: Int, _ values: [UInt8]) -> Buffer {
      let buffer = Buffer(bytes: blocks * target.lanes * elements)
      for (place, value) in values.enumerated() {
        buffer.address.storeBytes(
          of: value, toByteOffset: position(place, elements), as: UInt8.self)
      }
      return buffer
    }

    private func position(_ place: Int, _ elements: Int) -> Int {
      let (sample, element) = (place / elements, place % elements)
      let (block, lane) = (sample / target.lanes, sample % target.lanes)
      return (block * elements + element) * target.lanes + lane
    }

    func values(_ buffer: Buffer, _ elements: Int) -> [Float] {
      Self.values(buffer, elements, samples: samples, lanes: target.lanes)
    }

    static func values(
      _ buffer: Buffer, _ elements: Int, samples: Int, lanes: Int
    ) -> [Float] {
      (0..<(samples * elements)).map { place in
        let (sample, element) = (place / elements, place % elements)
        let (block, lane) = (sample / lanes, sample % lanes)
        return buffer.floats[(block * elements + element) * lanes + lane]
      }
    }

    func run(_ kernel: BatchInnermostKernel, _ buffers: [Buffer], threads: Int32 = 2) {
      let addresses = buffers.map { $0.address as UnsafeMutableRawPointer? }
      let slots = buffers.indices.map { Int32($0) }
      let sizes = [Int64(blocks), Int64(samples)]
      slots.withUnsafeBufferPointer { slots in
        sizes.withUnsafeBufferPointer { sizes in
          var step = agnesi_step()
          step.kernel = library.symbol(kernel.name, as: agnesi_kernel.self)
          step.slots = slots.baseAddress
          step.slot_count = Int32(slots.count)
          step.sizes = sizes.baseAddress
          step.extent = Int64(kernel.extent * (kernel.isPerBlock ? blocks : 1))
          step.threads = threads
          #expect(agnesi_run_on(agnesi_shared_executor(), &step, 1, addresses, nil) == -1)
        }
      }
      withExtendedLifetime(buffers) {}
    }
  }

  @Test(arguments: cases, targets.indices)
  func allThreePasses(_ it: ConvolutionCase, target: Int) throws {
    let target = targets[target]
    let shape = it.lanes
    let forward = shape.forward(
      name: "forward", epilogue: ConvolutionEpilogue(bias: true, relu: true), target: target)
    let plain = shape.forward(name: "plain", target: target)
    let backwardData = shape.backwardData(name: "backward_data", target: target)
    let backwardWeights = shape.backwardWeights(
      name: "backward_weights", bias: true, target: target)
    let bench = try #require(
      Bench([forward, plain, backwardData, backwardWeights], target: target, samples: it.batch))

    let (x, w) = (numbers(it.sourceCount, "x"), numbers(it.weightCount, "w"))
    let (b, upstream) = (numbers(it.filters, "b"), numbers(it.destinationCount, "dy"))
    let (inside, outside) = (it.sourceCount / it.batch, it.destinationCount / it.batch)
    let (source, result) = (bench.buffer(inside, x), bench.buffer(outside))
    let (weights, bias) = (Buffer(bytes: 0, w), Buffer(bytes: 0, b))

    bench.run(forward, [source, weights, bias, result])
    #expect(
      difference(bench.values(result, outside), it.forward(x, w, bias: b, relu: true)) < 1e-5)
    bench.run(plain, [source, weights, result])
    #expect(difference(bench.values(result, outside), it.forward(x, w, bias: nil)) < 1e-5)

    let gradient = bench.buffer(outside, upstream)
    let dx = bench.buffer(inside, numbers(it.sourceCount, "old"))
    bench.run(backwardData, [gradient, weights, dx])
    #expect(difference(bench.values(dx, inside), it.backwardData(upstream, w)) < 1e-5)

    let dw = Buffer(bytes: 0, numbers(it.weightCount, "old"))
    let db = Buffer(bytes: 0, numbers(it.filters, "old"))
    bench.run(backwardWeights, [source, gradient, dw, db])
    #expect(difference(dw.values(it.weightCount), it.backwardWeights(x, upstream)) < 1e-5)
    #expect(difference(db.values(it.filters), it.backwardBias(upstream)) < 1e-5)

    // The same bits for any number of threads.
    let again = Buffer(bytes: it.weightCount * 4)
    bench.run(backwardWeights, [source, gradient, again, db], threads: 1)
    #expect(again.values(it.weightCount) == dw.values(it.weightCount))
  }

  @Test(arguments: cases.prefix(4), targets.indices)
  func poolingInRegisters(_ it: ConvolutionCase, target: Int) throws {
    let target = targets[target]
    let pool = PoolingCase(channels: it.filters, size: it.output)
    let epilogue = ConvolutionEpilogue(bias: true, relu: true, pool: pool.kernel, argmax: true)
    let forward = it.lanes.forward(name: "forward", epilogue: epilogue, target: target)
    let unpool = it.lanes.unpool(name: "unpool", pool: pool.kernel, target: target)
    let bench = try #require(Bench([forward, unpool], target: target, samples: it.batch))

    // Whole numbers, so that many maxima are equal and many are cut off.
    let x = numbers(it.sourceCount, "x").map { ($0 * 2).rounded() }
    let w = numbers(it.weightCount, "w").map { ($0 * 2).rounded() }
    let b = numbers(it.filters, "b").map { ($0 * 2).rounded() }
    let before = it.forward(x, w, bias: b, relu: true)
    let windows = pool.windows(batch: it.batch)
    let most = windows.map { $0.map { before[$0] }.max() ?? 0 }

    let outside = most.count / it.batch
    let inside = it.destinationCount / it.batch
    let (result, argmax) = (bench.buffer(outside), bench.buffer(outside))
    bench.run(
      forward,
      [
        bench.buffer(it.sourceCount / it.batch, x), Buffer(bytes: 0, w), Buffer(bytes: 0, b),
        result, argmax,
      ])
    #expect(bench.values(result, outside) == most)

    let upstream = numbers(most.count, "dy")
    var expected = [Float](repeating: 0, count: before.count)
    for ((window, most), upstream) in zip(zip(windows, most), upstream) where most > 0 {
      if let first = window.first(where: { before[$0] == most }) { expected[first] = upstream }
    }
    let gradient = bench.buffer(inside, numbers(before.count, "old"))
    bench.run(unpool, [bench.buffer(outside, upstream), argmax, gradient])
    #expect(bench.values(gradient, inside) == expected)
  }

  /// The ways back from pooled gradients, against the naive loops on unpooled ones.
  @Test(arguments: behindPool, targets.indices)
  func behindPooling(_ it: ConvolutionCase, target: Int) throws {
    let target = targets[target]
    for pool in [[2, 2], [3, 2], [1, 4]] {
      let backwardData = it.lanes.backwardData(name: "backward_data", behind: pool, target: target)
      let backwardWeights = it.lanes.backwardWeights(
        name: "backward_weights", bias: true, behind: pool, target: target)
      let bench = try #require(
        Bench([backwardData, backwardWeights], target: target, samples: it.batch))

      let pooled = [it.output[0] / pool[0], it.output[1] / pool[1]]
      let count = it.filters * pooled[0] * pooled[1]
      let upstream = numbers(it.batch * count, "dy")
      // One place more than there are stands for none.
      let area = pool[0] * pool[1]
      let places = numbers(it.batch * count, "codes").map { Int(($0 + 1) / 2 * Float(area + 1)) }
      let (before, outside) = (it.destinationCount / it.batch, it.output[0] * it.output[1])
      var unpooled = [Float](repeating: 0, count: it.destinationCount)
      for (index, place) in places.enumerated() where place < area {
        let (plane, window) = (index / (pooled[0] * pooled[1]), index % (pooled[0] * pooled[1]))
        let row = window / pooled[1] * pool[0] + place / pool[1]
        let column = window % pooled[1] * pool[1] + place % pool[1]
        unpooled[plane * outside + row * it.output[1] + column] = upstream[index]
      }
      #expect(before == it.filters * outside)

      let (x, w) = (numbers(it.sourceCount, "x"), numbers(it.weightCount, "w"))
      let inside = it.sourceCount / it.batch
      let all = bench.blocks * target.lanes * count
      let gradient = bench.buffer(count, numbers(all, "beyond the last sample"))
      bench.fill(gradient, count, upstream)
      let argmax = bench.argmax(count, places.map { $0 < area ? UInt8($0) : 255 })

      let dx = bench.buffer(inside, numbers(it.sourceCount, "old"))
      bench.run(backwardData, [gradient, argmax, Buffer(bytes: 0, w), dx])
      #expect(difference(bench.values(dx, inside), it.backwardData(unpooled, w)) < 1e-5)

      let dw = Buffer(bytes: 0, numbers(it.weightCount, "old"))
      let db = Buffer(bytes: 0, numbers(it.filters, "old"))
      bench.run(backwardWeights, [bench.buffer(inside, x), gradient, argmax, dw, db])
      #expect(difference(dw.values(it.weightCount), it.backwardWeights(x, unpooled)) < 1e-5)
      #expect(difference(db.values(it.filters), it.backwardBias(unpooled)) < 1e-5)
    }
  }

  @Test(arguments: [1, 16, 19], targets.indices)
  func thereAndBack(samples: Int, target: Int) throws {
    let target = targets[target]
    let elements = 300
    let pack = BatchInnermostTransfer.pack(name: "pack", elements: elements, target: target)
    let unpack = BatchInnermostTransfer.unpack(name: "unpack", elements: elements, target: target)
    let bench = try #require(Bench([pack, unpack], target: target, samples: samples))
    let values = numbers(samples * elements, "x")
    let all = bench.blocks * target.lanes
    let lanes = bench.buffer(elements, numbers(all * elements, "left over"))
    bench.run(pack, [Buffer(bytes: 0, values), lanes])
    #expect(bench.values(lanes, elements) == values)
    // Lanes beyond the last sample are copies of it.
    let last = Array(values.suffix(elements))
    let everything = Bench.values(lanes, elements, samples: all, lanes: target.lanes)
    for sample in samples..<all {
      #expect(Array(everything[(sample * elements)..<((sample + 1) * elements)]) == last)
    }
    let back = Buffer(bytes: values.count * 4)
    bench.run(unpack, [lanes, back])
    #expect(back.values(values.count) == values)
  }
}
