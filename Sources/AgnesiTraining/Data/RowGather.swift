import AgnesiArrays
import Foundation

/// Copies rows of a data set into a batch: bytes become floats, scaled and standardised.
struct RowGather: Sendable {
  private let inputs: NDArray
  private let targets: NDArray
  private let rowCount: Int
  private let targetRowBytes: Int
  private let map: Map

  /// `x · scale + shift`, for all features alike or for each its own.
  private enum Map: Sendable {
    case copy
    case uniform(scale: Float, shift: Float)
    case each(scale: [Float], shift: [Float])
  }

  init(_ dataSet: DataSet, _ standardization: Standardization?) throws(DataError) {
    inputs = dataSet.inputs
    targets = dataSet.targets
    rowCount = dataSet.sampleShape.product
    targetRowBytes = dataSet.targets.shape.dropFirst().product * dataSet.targets.dtype.size
    if let standardization {
      try standardization.check(dataSet.inputs.shape, of: "the data set \(dataSet.name)")
      let (scale, shift) = standardization.affine(after: dataSet.scaling)
      map =
        standardization.grain == .global && rowCount > 0
        ? .uniform(scale: scale[0], shift: shift[0]) : .each(scale: scale, shift: shift)
    } else if dataSet.inputs.dtype == .float32, dataSet.scaling == .identity {
      map = .copy
    } else {
      map = .uniform(scale: Float(dataSet.scaling.factor), shift: Float(dataSet.scaling.offset))
    }
  }

  /// Writes the inputs of the samples `indices`, row after row.
  func fillInputs(_ target: UnsafeMutableRawPointer, _ indices: [Int]) {
    let floats = target.bindMemory(to: Float.self, capacity: indices.count * rowCount)
    inputs.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      if inputs.dtype == .uint8 {
        let source = base.bindMemory(to: UInt8.self, capacity: bytes.count)
        for (row, index) in indices.enumerated() {
          convert(source + index * rowCount, floats + row * rowCount)
        }
      } else {
        let source = base.bindMemory(to: Float.self, capacity: bytes.count / 4)
        for (row, index) in indices.enumerated() {
          convert(source + index * rowCount, floats + row * rowCount)
        }
      }
    }
  }

  /// Writes the targets of the samples `indices`, row after row.
  func fillTargets(_ target: UnsafeMutableRawPointer, _ indices: [Int]) {
    targets.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for (row, index) in indices.enumerated() {
        memcpy(target + row * targetRowBytes, base + index * targetRowBytes, targetRowBytes)
      }
    }
  }

  // The loops are plain, and read nothing but what they are given, so that the compiler makes
  // vector code of them.

  private func convert(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<Float>) {
    let count = rowCount
    switch map {
    case .copy: for i in 0..<count { target[i] = Float(source[i]) }
    case .uniform(let scale, let shift):
      for i in 0..<count { target[i] = Float(source[i]) * scale + shift }
    case .each(let scales, let shifts):
      withPointers(scales, shifts) { scale, shift in
        for i in 0..<count { target[i] = Float(source[i]) * scale[i] + shift[i] }
      }
    }
  }

  private func convert(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
    let count = rowCount
    switch map {
    case .copy: memcpy(target, source, count * MemoryLayout<Float>.size)
    case .uniform(let scale, let shift):
      for i in 0..<count { target[i] = source[i] * scale + shift }
    case .each(let scales, let shifts):
      withPointers(scales, shifts) { scale, shift in
        for i in 0..<count { target[i] = source[i] * scale[i] + shift[i] }
      }
    }
  }

  private func withPointers(
    _ scales: [Float], _ shifts: [Float],
    _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Void
  ) {
    scales.withUnsafeBufferPointer { scale in
      shifts.withUnsafeBufferPointer { shift in
        if let scale = scale.baseAddress, let shift = shift.baseAddress { body(scale, shift) }
      }
    }
  }
}
