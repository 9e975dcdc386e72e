import AgnesiArrays
import Dispatch

/// The transpose of a large matrix in memory of its own.
///
/// A dense layer of VGG has 100 million weights, whose transpose is most of what reading them takes:
/// blocks that stay in a core's own cache, on all cores, with four elements in a register.
package enum MatrixTranspose {
  /// Rows and columns of a block: 64 KiB are read, and as much is written.
  private static let block = 128

  /// - Parameter matrix: `[rows, columns]`.
  /// - Returns: float32 `[columns, rows]`.
  package static func rows(of matrix: NDArray) -> NDArray {
    let source = matrix.contiguous().cast(to: .float32)
    let (rows, columns) = (source.shape[0], source.shape[1])
    var result = NDArray(uninitialized: [columns, rows], .float32)
    result.withUnsafeMutableBytes { target in
      source.withUnsafeBytes { bytes in
        guard let written = target.bindMemory(to: Float.self).baseAddress,
          let read = bytes.bindMemory(to: Float.self).baseAddress
        else { return }
        // Each thread writes rows of its own.
        nonisolated(unsafe) let (from, to) = (read, written)
        DispatchQueue.concurrentPerform(iterations: (columns + block - 1) / block) { strip in
          let some = (strip * block)..<min((strip + 1) * block, columns)
          for top in stride(from: 0, to: rows, by: block) {
            let tile = Tile(
              rows: top..<min(top + block, rows), columns: some, height: rows, width: columns)
            tile.transpose(from, to)
          }
        }
      }
    }
    return result
  }

  private struct Tile {
    var rows: Range<Int>
    var columns: Range<Int>
    /// Of the whole matrix.
    var height: Int
    var width: Int

    func transpose(_ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>) {
      let wholeRows = rows.lowerBound + rows.count / 4 * 4
      let wholeColumns = columns.lowerBound + columns.count / 4 * 4
      for column in stride(from: columns.lowerBound, to: wholeColumns, by: 4) {
        for row in stride(from: rows.lowerBound, to: wholeRows, by: 4) {
          square(from + (row * width + column), to + (column * height + row))
        }
      }
      for row in rows {
        for column in (row < wholeRows ? wholeColumns : columns.lowerBound)..<columns.upperBound {
          to[column * height + row] = from[row * width + column]
        }
      }
    }

    /// Four rows of four.
    private func square(_ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>) {
      func row(_ number: Int) -> SIMD4<Float> {
        UnsafeRawPointer(from + number * width).loadUnaligned(as: SIMD4<Float>.self)
      }
      let (a, b, c, d) = (row(0), row(1), row(2), row(3))
      func store(_ number: Int, _ values: SIMD4<Float>) {
        UnsafeMutableRawPointer(to + number * height).storeBytes(of: values, as: SIMD4<Float>.self)
      }
      store(0, SIMD4(a[0], b[0], c[0], d[0]))
      store(1, SIMD4(a[1], b[1], c[1], d[1]))
      store(2, SIMD4(a[2], b[2], c[2], d[2]))
      store(3, SIMD4(a[3], b[3], c[3], d[3]))
    }
  }
}
