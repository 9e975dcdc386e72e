import AgnesiArrays
import AgnesiImages
import TestSupport
import Testing

@Suite struct PictureGeometryTests {
  @Test(arguments: ResizeFilter.allCases, ["colour", "grey"])
  func resizingEqualsPillows(filter: ResizeFilter, kind: String) throws {
    let arrays = try Fixtures.resized.get()
    let original = try #require(arrays[kind]).picture
    let prefix = "\(kind) \(filter.rawValue) "
    let cases = arrays.filter { $0.key.hasPrefix(prefix) }
    #expect(cases.count == 7)
    for (name, array) in cases {
      let expected = array.picture
      let resized = original.resized(
        width: expected.width, height: expected.height, filter: filter)
      #expect(difference(resized, expected) == 0, "\(name)")
    }
  }

  @Test func constantPicturesStayConstant() {
    let picture = Picture(
      width: 50, height: 40, channels: 3, samples: [UInt8](repeating: 255, count: 6000))
    for filter in ResizeFilter.allCases {
      for side in [1, 13, 40, 77] {
        #expect(picture.resized(shortSide: side, filter: filter).samples.allSatisfy { $0 == 255 })
      }
    }
  }

  @Test func theLongSideIsRoundedDown() {
    let picture = Picture(
      width: 7, height: 3, channels: 1, samples: [UInt8](repeating: 0, count: 21))
    #expect(picture.resized(shortSide: 2).width == 4)
    #expect(picture.resized(shortSide: 2).height == 2)
    let column = Picture(
      width: 1, height: 90, channels: 1, samples: [UInt8](repeating: 0, count: 90))
    #expect(column.resized(shortSide: 5).height == 450)
  }

  /// Pixels that say where they came from.
  private func numbered(_ width: Int, _ height: Int) -> Picture {
    Picture(
      width: width, height: height, channels: 1,
      samples: (0..<(width * height)).map { UInt8(truncatingIfNeeded: $0 + 1) })
  }

  @Test func rectanglesAreCutOut() {
    #expect(numbered(4, 3).cropped(x: 1, y: 1, width: 2, height: 2).samples == [6, 7, 10, 11])
    #expect(
      numbered(2, 2).cropped(x: -1, y: 1, width: 4, height: 2).samples == [0, 3, 4, 0, 0, 0, 0, 0])
    #expect(numbered(2, 2).cropped(x: 5, y: 5, width: 1, height: 1).samples == [0])
    #expect(numbered(2, 2).cropped(x: -9, y: 0, width: 1, height: 1).samples == [0])
  }

  /// torchvision rounds half a pixel to the even neighbour.
  @Test func theMiddleIsPlacedAsTorchvisionDoes() {
    let starts = [1: 0, 2: 1, 3: 2, 5: 2, 7: 4, 9: 4]
    for (cut, start) in starts {
      #expect(numbered(cut + 1, 1).centerCropped(width: 1, height: 1).samples == [UInt8(start + 1)])
    }
    #expect(numbered(1, 1).centerCropped(width: 4, height: 1).samples == [0, 1, 0, 0])
  }

  @Test func mirroringExchangesLeftAndRight() {
    let picture = Picture(width: 2, height: 1, channels: 3, samples: [1, 2, 3, 4, 5, 6])
    #expect(picture.mirrored().samples == [4, 5, 6, 1, 2, 3])
    #expect(picture.mirrored().mirrored() == picture)
  }

  @Test func planesAreWhatNetworksSee() throws {
    let picture = Picture(width: 2, height: 1, channels: 3, samples: [1, 2, 3, 4, 5, 6])
    #expect(picture.planes.shape == [3, 1, 2])
    #expect(picture.planes.scalars(as: UInt8.self) == [1, 4, 2, 5, 3, 6])
    #expect(try Picture(picture.planes) == picture)
  }

  @Test func preprocessingResizesThenCuts() throws {
    let picture = numbered(12, 8)
    var preprocessing = PicturePreprocessing(
      resizing: .shortSide(4), filter: .box, cropWidth: 4, cropHeight: 4)
    let small = try preprocessing(picture)
    #expect(
      small == picture.resized(width: 6, height: 4, filter: .box).centerCropped(width: 4, height: 4)
    )
    #expect(try preprocessing.withoutCrop()(picture).width == 6)
    preprocessing.resizing = .exact(width: 5, height: 9)
    #expect(try preprocessing.withoutCrop()(picture).height == 9)
    #expect(try PicturePreprocessing()(picture) == picture)
  }

  /// Pixels that are cut off are not computed, and those that are kept do not change by it.
  @Test(arguments: ResizeFilter.allCases)
  func preprocessingKeepsThePixelsOfTheWhole(filter: ResizeFilter) throws {
    for (width, height) in [(23, 57), (57, 23), (31, 31), (4, 90), (300, 200)] {
      let picture = numbered(width, height)
      for side in [5, 31, 40] {
        let whole = picture.resized(shortSide: side, filter: filter)
        for (cropWidth, cropHeight) in [(3, 4), (side, side), (side + 9, 2), (200, 200)] {
          let preprocessing = PicturePreprocessing(
            resizing: .shortSide(side), filter: filter, cropWidth: cropWidth,
            cropHeight: cropHeight)
          let expected = whole.centerCropped(width: cropWidth, height: cropHeight)
          #expect(try preprocessing(picture) == expected, "\(width) × \(height) to \(side)")
        }
      }
    }
  }

  /// Nine million pixels in a row would become 256 × 2.3 billion before the middle is cut out.
  @Test func aLongThinPictureCostsNoMoreThanOthers() throws {
    let length = 9_000_000
    let samples = (0..<length).map { UInt8(truncatingIfNeeded: $0 / 40_000) }
    for picture in [
      Picture(width: length, height: 1, channels: 1, samples: samples),
      Picture(width: 1, height: length, channels: 1, samples: samples),
    ] {
      let cut = PicturePreprocessing(resizing: .shortSide(256), cropWidth: 224, cropHeight: 224)
      let middle = samples[length / 2]
      #expect(try cut(picture).samples.allSatisfy { $0 == middle })
      let error = #expect(throws: PictureSizeError.self) { try cut.withoutCrop()(picture) }
      let (width, height) = picture.width == 1 ? (256, 256 * length) : (256 * length, 256)
      #expect(
        error?.description
          == "a picture of \(picture.width) × \(picture.height) pixels would become one of"
          + " \(width) × \(height), more than the limit of 400000000 pixels")
    }
  }
}
