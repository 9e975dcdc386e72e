import Agnesi
import Foundation
import TestSupport
import Testing

/// Pictures of 3 channels whose pixels tell channel, row and column.
private func pictures(_ count: Int, side: Int = 8) throws -> DataSet {
  let values = (0..<(count * 3 * side * side)).map { index in
    UInt8((index * 7 + index / (side * side) * 13) % 251)
  }
  return try DataSet(
    name: "pictures", inputs: NDArray(values, shape: [count, 3, side, side]),
    targets: NDArray(zeros: [count], .int32), scaling: .identity)
}

private func batches(
  _ data: DataSet, _ augmentation: Augmentation, seed: UInt64 = 1, size: Int = 4, epoch: Int = 0
) throws -> [[Double]] {
  let batches = try Batches(of: data, size: size, augmentation: (augmentation, seed: seed))
  return batches.epoch(epoch).flatMap { batch in
    let count = batch.inputs.count / batch.count
    return (0..<batch.count).map { Array(batch.inputs.doubles[($0 * count)..<(($0 + 1) * count)]) }
  }
}

private func rows(_ data: DataSet, _ index: Int) -> [Double] {
  data.inputs[rows: index..<(index + 1)].doubles
}

private func mirrored(_ values: [Double], side: Int) -> [Double] {
  values.indices.map { values[$0 / side * side + (side - 1 - $0 % side)] }
}

@Suite struct AugmentationTests {
  @Test func nothingChangesNothing() throws {
    let data = try pictures(3)
    let changed = try batches(data, Augmentation())
    #expect(changed == (0..<3).map { rows(data, $0) })
  }

  @Test func mirrorsHalf() throws {
    let data = try pictures(64)
    let changed = try batches(data, Augmentation(mirrors: true))
    let mirroredCount = changed.enumerated().count { index, values in
      let plain = rows(data, index)
      #expect(values == plain || values == mirrored(plain, side: 8))
      return values != plain
    }
    #expect((20...44).contains(mirroredCount))
  }

  @Test func cropsArePartsOfThePicture() throws {
    let data = try pictures(40)
    let changed = try batches(data, Augmentation(cropHeight: 5, cropWidth: 6))
    var places: Set<[Int]> = []
    for (index, values) in changed.enumerated() {
      let whole = rows(data, index)
      let place = (0..<4).flatMap { top in (0..<3).map { [top, $0] } }.first { place in
        values
          == (0..<(3 * 5 * 6)).map { position in
            let (channel, y, x) = (position / 30, position / 6 % 5, position % 6)
            return whole[channel * 64 + (y + place[0]) * 8 + x + place[1]]
          }
      }
      places.insert(try #require(place, "sample \(index)"))
    }
    // All twelve places are likely to be among forty draws.
    #expect(places.count >= 9)
  }

  @Test func movedPicturesRepeatTheirEdge() throws {
    let data = try pictures(30)
    let changed = try batches(data, Augmentation(shift: 2))
    for (index, values) in changed.enumerated() {
      let whole = rows(data, index)
      func moved(_ dx: Int, _ dy: Int) -> [Double] {
        (0..<192).map { position in
          let (channel, y, x) = (position / 64, position / 8 % 8, position % 8)
          return whole[channel * 64 + min(max(y + dy, 0), 7) * 8 + min(max(x + dx, 0), 7)]
        }
      }
      let isMoved = (-2...2).contains { dy in (-2...2).contains { values == moved($0, dy) } }
      #expect(isMoved, "sample \(index)")
    }
  }

  /// A plane that rises along x stays one under turning, but for the edge: interpolation is exact on
  /// it.
  @Test func turnsAroundTheMiddle() throws {
    let side = 15
    let ramp = (0..<(side * side)).map { UInt8(100 + 5 * ($0 % side - 7)) }
    let data = try DataSet(
      name: "ramp", inputs: NDArray(ramp, shape: [1, 1, side, side]),
      targets: NDArray(zeros: [1], .int32), scaling: .identity)
    var angles: [Double] = []
    for epoch in 0..<20 {
      let values = try batches(data, Augmentation(rotation: 30), epoch: epoch)[0]
      func at(_ x: Int, _ y: Int) -> Double { values[(y + 7) * side + x + 7] }
      #expect(abs(at(0, 0) - 100) < 1e-3)
      let (cosine, sine) = ((at(3, 0) - 100) / 15, (at(0, 3) - 100) / 15)
      #expect(abs(cosine * cosine + sine * sine - 1) < 1e-3)
      angles.append(atan2(sine, cosine) * 180 / .pi)
    }
    #expect(angles.allSatisfy { abs($0) <= 30.01 })
    #expect((angles.max() ?? 0) > 10 && (angles.min() ?? 0) < -10)
  }

  @Test func zoomsIntoTheMiddle() throws {
    let side = 15
    let ramp = (0..<(side * side)).map { UInt8(100 + 5 * ($0 % side - 7)) }
    let data = try DataSet(
      name: "ramp", inputs: NDArray(ramp, shape: [1, 1, side, side]),
      targets: NDArray(zeros: [1], .int32), scaling: .identity)
    let factors = try (0..<20).map { epoch in
      let values = try batches(data, Augmentation(zoom: 0.5), epoch: epoch)[0]
      return 15 / (values[7 * side + 10] - 100)
    }
    #expect(factors.allSatisfy { (1 / 1.51)...1.51 ~= $0 })
    #expect((factors.max() ?? 0) > 1.2 && (factors.min() ?? 2) < 0.85)
  }

  @Test func coloursMoveAsAWhole() throws {
    // Grey pictures: the only axis is grey, so all channels move by the same.
    let ramp: [UInt8] = (0..<64).map { UInt8(60 + 2 * $0) }
    let values: [UInt8] = (0..<60).flatMap { (_: Int) in ramp }
    let data = try DataSet(
      name: "grey", inputs: NDArray(values, shape: [20, 3, 8, 8]),
      targets: NDArray(zeros: [20], .int32), scaling: .identity)
    let deviation = 2 * sqrt((64.0 * 64 - 1) / 12)
    let shifts = try batches(data, Augmentation(colorDeviation: 0.1)).enumerated().map {
      index, changed in
      let differences = zip(changed, rows(data, index)).map { $0 - $1 }
      for difference in differences { #expect(abs(difference - differences[0]) < 1e-3) }
      return differences[0] / deviation
    }
    let size = sqrt(shifts.reduce(0) { $0 + $1 * $1 } / 20)
    // Three times 0.1 along grey only: the axis is as long as all three channels together.
    #expect((0.05...0.16).contains(size))
  }

  @Test func drawsAreOfSeedSampleAndEpoch() throws {
    let data = try pictures(10)
    let all = Augmentation(
      cropHeight: 6, cropWidth: 6, mirrors: true, rotation: 10, zoom: 0.2, colorDeviation: 0.1)
    let first = try batches(data, all)
    #expect(try batches(data, all) == first)
    #expect(try batches(data, all, size: 3) == first)
    #expect(try batches(data, all, seed: 2) != first)
    #expect(try batches(data, all, epoch: 1) != first)
  }

  @Test func mistakes() throws {
    let data = try pictures(2)
    func text(_ augmentation: Augmentation, _ data: DataSet) -> String {
      errorText { _ = try Batches(of: data, size: 2, augmentation: (augmentation, seed: 0)) }
    }
    #expect(
      text(Augmentation(cropHeight: 9, cropWidth: 4), data)
        == "cannot augment the data set pictures: 4×9 pixels cannot be cut out of 8×8")
    let flat = try DataSet(
      name: "flat", inputs: NDArray(zeros: [2, 5], .float32),
      targets: NDArray(zeros: [2], .int32))
    #expect(
      text(Augmentation(mirrors: true), flat)
        == "cannot augment the data set flat: its samples of shape [5] are no pictures "
        + "[channels, height, width]")
    #expect(
      text(Augmentation(rotation: 200), data)
        == "cannot augment the data set pictures: the rotation is 200.0, it must be in 0...180")
  }
}
