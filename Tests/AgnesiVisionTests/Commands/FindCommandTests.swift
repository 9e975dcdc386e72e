import Agnesi
import Foundation
import TestSupport
import Testing

/// `agnesi find` from a photo to a place in it.
@Suite struct FindCommandTests {
  private let place: PhotoWorkplace
  private let photo: String

  init() throws {
    place = try PhotoWorkplace()
    let picture = PhotoWorkplace.picture(
      [40, 90, 40], side: 32, square: [0, 0, 250], x: 18, y: 6)
    photo = try place.write(picture, "photo.png")
  }

  @Test func findsTheSquare() throws {
    let drawing = place.folder.path("found.png")
    let outcome = try place.agnesi(
      "find", place.model, photo, "--class", "blue", "--scale", "1", "--output", drawing)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors == "drawn in \(drawing)\n")
    let lines = outcome.output.split(separator: "\n")
    // Softmax of 0, 0 and 7.8125.
    #expect(lines.first == "blue: 99.9 % at rows 6..<14, columns 18..<26 of the photo")
    #expect(lines.last?.hasPrefix("13 × 13 windows at once in ") == true)
    let drawn = try DecodedPNG(try place.folder.read("found.png"))
    #expect(drawn.width == 32 && drawn.height == 32 && drawn.channels == 3)
  }

  @Test func placesAreThoseOfThePhotoWhateverItsScale() throws {
    let outcome = try place.agnesi(
      "find", place.model, photo, "--class", "2", "--short-side", "64", "--compare", "--json")
    let object = try #require(outcome.objects.first, "\(outcome.errors)")
    let rows = try #require(object["rows"] as? [Int])
    let columns = try #require(object["columns"] as? [Int])
    #expect(rows[0] >= 6 && rows[1] <= 14 && rows[1] - rows[0] == 4)
    #expect(columns[0] >= 18 && columns[1] <= 26)
    #expect(object["windows"] as? [Int] == [29, 29])
    #expect(try #require(object["largestDifference"] as? Double) < 1e-5)
    #expect(try #require(object["ratio"] as? Double) > 0)
  }

  @Test func whatCannotBeIsSaid() throws {
    let unknown = try place.agnesi("find", place.model, photo, "--class", "peacock")
    #expect(unknown.status == 1)
    #expect(unknown.errors == "no class is called \"peacock\"; the model has 3 classes\n")
    let small = try place.agnesi("find", place.model, photo, "--class", "red", "--scale", "0.2")
    #expect(small.status == 1)
    #expect(
      small.errors == """
        find: the picture is 6 × 6, the network sees 8 × 8 at least
          hint: a larger --scale or --short-side

        """)
    let twice = try place.agnesi(
      "find", place.model, photo, "--class", "red", "--scale", "1", "--short-side", "9")
    #expect(twice.errors.hasPrefix("Error: --scale and --short-side say the same twice"))
    let wide = try place.write(PhotoWorkplace.picture([9, 9, 9], side: 300), "wide.png")
    let huge = try place.agnesi("find", place.model, wide, "--class", "red", "--scale", "16")
    #expect(huge.status == 1)
    #expect(
      huge.errors == """
        find: the picture is 4800 × 4800, at most 16000000 pixels are looked through
          hint: a smaller --scale or --short-side

        """)
    let bitmap = try place.agnesi("find", place.model, photo, "--class", "red", "--output", "x.bmp")
    #expect(
      bitmap.errors == "cannot write x.bmp as a picture: its name ends neither in .png nor in .jpg"
        + " or .jpeg\n")
    let big = try place.agnesi("find", place.model, photo, "--class", "red", "--scale", "17")
    #expect(big.errors.hasPrefix("Error: --scale is 17.0, it must be above 0 and at most 16"))
  }
}
