import AgnesiArrays
import AgnesiImages
import Foundation

/// Batches of pictures that threads read and prepare ahead of the network, in the files' order.
///
/// What comes does not depend on the number of threads. They are plain ones, because the network
/// would otherwise wait for a turn in the pool that Swift's concurrency shares. They end soon after
/// the stream is cancelled or no longer used.
public final class PictureStream: Sequence, IteratorProtocol {
  /// Pictures of one size that follow each other.
  public struct Batch: Sendable {
    /// Which files the pictures are, as positions in the stream's list.
    public internal(set) var positions: [Int] = []
    /// uint8 `[positions.count, channels, height, width]`.
    public internal(set) var pixels = NDArray(zeros: [0], .uint8)
    /// Files that could not be read, among those before the next batch's first.
    public internal(set) var failures: [(position: Int, error: any Error)] = []
  }

  private typealias Prepared = Result<NDArray, any Error>

  private let results: OrderedResults<(position: Int, planes: Prepared)>
  private let batchSize: Int
  /// The first picture of another size than those before.
  private var left: (position: Int, planes: NDArray)?

  /// Starts to read.
  ///
  /// - Parameters:
  ///   - paths: the files.
  ///   - preprocessing: what happens to each picture.
  ///   - color: what files are turned into.
  ///   - batchSize: pictures of a batch; less where sizes change, and at the end.
  ///   - threads: how many files are read at a time.
  ///   - batchesAhead: how many batches wait at most.
  public init(
    _ paths: [String], preprocessing: PicturePreprocessing, color: PictureColor = .rgb,
    batchSize: Int = 16, threads: Int = 2, batchesAhead: Int = 2
  ) {
    self.batchSize = Swift.max(batchSize, 1)
    let threads = Swift.max(Swift.min(threads, paths.count), 1)
    let results = OrderedResults<(position: Int, planes: Prepared)>(
      count: paths.count, ahead: Swift.max(self.batchSize * batchesAhead, threads))
    self.results = results
    for number in 0..<threads {
      // The thread holds the results, not the stream, so that dropping the stream ends it.
      let thread = Thread {
        while let position = results.claim() {
          let planes = Prepared {
            let path = paths[position]
            let picture = try Picture(reading: path, as: color)
            do { return try preprocessing(picture).planes } catch {
              throw ImageFileError(path: path, reason: "\(error)")
            }
          }
          results.put((position, planes), of: position)
        }
      }
      thread.name = "agnesi-pictures-\(number)"
      thread.start()
    }
  }

  deinit { results.cancel() }

  /// The next batch, waiting for it where need be; nil after the last. A batch has pictures or
  /// failures, or both.
  public func next() -> Batch? {
    var batch = Batch()
    var planes: [NDArray] = []
    func add(_ position: Int, _ picture: NDArray) {
      batch.positions.append(position)
      planes.append(picture)
    }
    if let left { add(left.position, left.planes) }
    left = nil
    while planes.count < batchSize, let (position, result) = results.take() {
      switch result {
      case .failure(let error): batch.failures.append((position, error))
      case .success(let picture):
        if let first = planes.first, first.shape != picture.shape {
          left = (position, picture)
          batch.pixels = .stacking(planes)
          return batch
        }
        add(position, picture)
      }
    }
    if planes.isEmpty, batch.failures.isEmpty { return nil }
    if !planes.isEmpty { batch.pixels = .stacking(planes) }
    return batch
  }

  /// Ends the stream; no batch comes afterwards.
  public func cancel() { results.cancel() }
}

extension NDArray {
  /// Arrays of one shape along a new first axis.
  ///
  /// - Precondition: at least one, all uint8 and of the first's shape.
  static func stacking(_ arrays: [NDArray]) -> NDArray {
    let shape = arrays.first?.shape ?? []
    let size = shape.product
    var result = NDArray(zeros: [arrays.count] + shape, .uint8)
    result.withUnsafeMutableBytes { target in
      for (index, array) in arrays.enumerated() {
        array.contiguous().withUnsafeBytes { source in
          let place = target[(index * size)..<((index + 1) * size)]
          UnsafeMutableRawBufferPointer(rebasing: place).copyMemory(from: source)
        }
      }
    }
    return result
  }
}
