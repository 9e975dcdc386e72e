import AgnesiArrays
import Foundation

/// Batches that one background thread prepares ahead of the training step.
///
/// A plain thread, because a training step would otherwise wait for a turn in the pool that Swift's
/// concurrency shares. It ends soon after the stream is cancelled or no longer used.
public final class BatchStream: Sequence, IteratorProtocol {
  private let queue: BoundedQueue<Batch>

  init(_ batches: Batches, epochs: Range<Int>, from first: Int, ahead: Int) {
    let queue = BoundedQueue<Batch>(capacity: ahead)
    self.queue = queue
    // The thread holds the queue, not the stream, so that dropping the stream ends it.
    let thread = Thread {
      Self.produce(batches, epochs: epochs, from: first, ahead: ahead, into: queue)
      queue.finish()
    }
    thread.name = "agnesi-batches"
    thread.start()
  }

  deinit { queue.cancel() }

  /// The next batch, waiting for it where need be; nil after the last.
  public func next() -> Batch? { queue.pop() }

  /// Ends the stream; no batch comes afterwards.
  public func cancel() { queue.cancel() }

  private static func produce(
    _ batches: Batches, epochs: Range<Int>, from first: Int, ahead: Int,
    into queue: BoundedQueue<Batch>
  ) {
    if batches.count == 0 { return }
    // Those that wait, one in the step, and one being filled; inputs and targets.
    let buffers = BatchBuffers(most: 2 * (ahead + 2))
    var start = Swift.max(first, 0)
    for epoch in epochs {
      if start < batches.count {
        let order = batches.sampleOrder(ofEpoch: epoch)
        for number in start..<batches.count {
          let batch = batches.batch(number, epoch: epoch, order: order, buffers: buffers)
          if !queue.push(batch) { return }
        }
      }
      start = 0
    }
  }
}

/// Memory of batches that nobody holds any more, used again.
///
/// Only the producing thread uses it. Memory that a batch still refers to is never touched: the
/// count of references tells, as it does for Swift's own copy on write.
final class BatchBuffers {
  private let most: Int
  private var storages: [ArrayStorage] = []

  init(most: Int) { self.most = most }

  /// An array with arbitrary content whose memory is the caller's alone.
  func array(_ shape: [Int], _ dtype: DType) -> NDArray {
    let byteCount = shape.reduce(dtype.size, *)
    return NDArray(
      dtype: dtype, shape: shape, strides: NDArray.rowMajorStrides(shape), offset: 0,
      storage: storage(byteCount))
  }

  private func storage(_ byteCount: Int) -> ArrayStorage {
    for index in storages.indices
    where storages[index].byteCount >= byteCount && storages[index].byteCount < 2 * byteCount + 64 {
      if isKnownUniquelyReferenced(&storages[index]) { return storages[index] }
    }
    let new = ArrayStorage(zeroed: byteCount)
    if storages.count < most { storages.append(new) }
    return new
  }
}
