import AgnesiArrays
import AgnesiImages
import TestSupport
import Testing

@Suite struct PictureTests {
  @Test func bytesStayAsTheyAre() throws {
    let picture = try Picture(NDArray([3, 1, 4, 1, 5, 9] as [UInt8], shape: [2, 3]))
    #expect(picture == Picture(width: 3, height: 2, channels: 1, samples: [3, 1, 4, 1, 5, 9]))
  }

  @Test func bytesFollowAGivenRange() throws {
    let picture = try Picture(NDArray([0, 1, 2, 9] as [UInt8], shape: [2, 2]), range: 0...2)
    #expect(picture.samples == [0, 128, 255, 255])
  }

  @Test func floatsFillTheirOwnRange() throws {
    let picture = try Picture(NDArray([-1, 0, 1, 3] as [Float], shape: [1, 2, 2]))
    #expect(picture.samples == [0, 64, 128, 255])
  }

  @Test func truthIsBlackOrWhite() throws {
    #expect(try Picture(NDArray([true, true], shape: [1, 2])).samples == [255, 255])
  }

  @Test func equalValuesAreMidGrey() throws {
    #expect(try Picture(NDArray(filled: 7, shape: [1, 2])).samples == [128, 128])
  }

  @Test func valuesThatAreNotFiniteStretchNoRange() throws {
    let values: [Double] = [.nan, -.infinity, 0, 1, .infinity]
    #expect(try Picture(NDArray(values, shape: [1, 5])).samples == [0, 0, 0, 255, 255])
    #expect(try Picture(NDArray([Float.nan], shape: [1, 1])).samples == [0])
  }

  @Test func colourPlanesAreInterleaved() throws {
    let planes: [UInt8] = [1, 2, 10, 20, 100, 200]
    let picture = try Picture(NDArray(planes, shape: [3, 1, 2]))
    #expect(picture.samples == [1, 10, 100, 2, 20, 200])
    #expect(picture.pixel(x: 1, y: 0) == [2, 20, 200])
  }

  @Test func viewsAreReadInTheirOwnOrder() throws {
    let array = NDArray([1, 2, 3, 4, 5, 6] as [UInt8], shape: [2, 3]).transposed()
    #expect(try Picture(array).samples == [1, 4, 2, 5, 3, 6])
    let floats = NDArray([0, 1, 2, 3] as [Double], shape: [2, 2]).transposed()
    #expect(try Picture(floats, range: 0...3).samples == [0, 170, 85, 255])
  }

  @Test(arguments: [[2, 4, 4], [4], [], [1, 1, 2, 2], [0, 3], [3, 2, 0]])
  func otherShapesAreRefused(shape: [Int]) {
    #expect {
      try Picture(NDArray(zeros: shape))
    } throws: { error in
      "\(error)" == """
        cannot show a float32 array of shape \(shape) as a picture
          needed: [height, width], [1, height, width] or [3, height, width], no size 0
        """
    }
  }

  @Test func enlargementRepeatsPixels() {
    let picture = Picture(width: 2, height: 1, channels: 3, samples: [1, 2, 3, 4, 5, 6])
    let row: [UInt8] = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]
    #expect(
      picture.enlarged(by: 2) == Picture(width: 4, height: 2, channels: 3, samples: row + row))
    #expect(picture.enlarged(by: 1) == picture)
  }

  @Test func gridsHaveGapsBetweenButNoneAround() {
    let dots = (1...3).map { Picture(width: 1, height: 1, channels: 1, samples: [UInt8($0)]) }
    let grid = Picture.grid(dots, columns: 2, gap: 1, background: 9)
    #expect(
      grid == Picture(width: 3, height: 3, channels: 1, samples: [1, 9, 2, 9, 9, 9, 3, 9, 9]))
    #expect(Picture.grid(dots, columns: 7, gap: 0)?.samples == [1, 2, 3])
    #expect(Picture.grid(dots, gap: 0)?.width == 2)
    #expect(Picture.grid([]) == nil)
  }

  @Test func gridsCentreSmallPicturesAndKeepColour() throws {
    let grey = Picture(width: 1, height: 1, channels: 1, samples: [50])
    let colour = Picture(
      width: 3, height: 1, channels: 3, samples: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    let grid = try #require(Picture.grid([grey, colour], columns: 1, gap: 0, background: 0))
    #expect(grid.channels == 3)
    #expect(grid.samples == [0, 0, 0, 50, 50, 50, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  }

  @Test func divergingColoursRunFromBlueOverWhiteToRed() throws {
    let values: [Double] = [-2, -1, 0, 1, 2, 8, .nan]
    let picture = try Picture.diverging(NDArray(values, shape: [1, 7]), limit: 2)
    let pixels = (0..<7).map { picture.pixel(x: $0, y: 0) }
    #expect(pixels[0] == [30, 84, 160])
    #expect(pixels[1] == [146, 190, 228])
    #expect(pixels[2] == [250, 250, 250])
    #expect(pixels[3] == [243, 160, 134])
    #expect(pixels[4] == [176, 28, 44])
    #expect(pixels[5] == pixels[4])
    #expect(pixels[6] == [128, 128, 128])
  }

  @Test func divergingColoursFindTheirOwnLimit() throws {
    let picture = try Picture.diverging(NDArray([-4, 2] as [Float], shape: [1, 1, 2]))
    #expect(picture.pixel(x: 0, y: 0) == [30, 84, 160])
    #expect(picture.pixel(x: 1, y: 0) == [243, 160, 134])
    let zeros = try Picture.diverging(NDArray(zeros: [1, 1]))
    #expect(zeros.samples == [250, 250, 250])
    #expect(throws: PictureError.self) { try Picture.diverging(NDArray(zeros: [3, 2, 2])) }
  }

  @Test func theFileHoldsThePicture() throws {
    let picture = try Picture(NDArray([9, 8, 7, 6] as [UInt8], shape: [2, 2]))
    #expect(try DecodedPNG(picture.png).samples == picture.samples)
    #expect(picture.dataURI.hasPrefix("data:image/png;base64,iVBORw0KGgo"))
  }
}
