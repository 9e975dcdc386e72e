import AgnesiTraining
import Testing

@Suite struct NumberTextTests {
  /// As a person would have written it.
  @Test func plainNumbers() {
    for (value, text) in [
      (3e-4 / 10, "3e-05"), (0.05, "0.05"), (100, "100"), (2 * 0.2.squareRoot(), "0.894427"),
      (0, "0"), (.nan, "NaN"),
    ] {
      #expect(NumberText.plain(value) == text)
    }
  }

  @Test func fixedPlaces() {
    #expect(NumberText.fixed(0.03125, 4) == "0.0312")
    #expect(NumberText.fixed(-1.5, 1) == "-1.5")
    #expect(NumberText.fixed(-0.0001, 2) == "0.00")
    #expect(NumberText.fixed(12, 0) == "12")
    #expect(NumberText.fixed(.nan, 2) == "NaN")
    #expect(NumberText.fixed(-.infinity, 2) == "-infinite")
    #expect(NumberText.fixed(1e300, 0).count == 301)
  }

  @Test func significantDigits() {
    #expect(NumberText.significant(0.031249) == "0.0312")
    #expect(NumberText.significant(57.31) == "57.3")
    #expect(NumberText.significant(0.9996) == "1.00")
    #expect(NumberText.significant(1234) == "1234")
    #expect(NumberText.significant(810_000) == "810000")
    #expect(NumberText.significant(8_100_000) == "8.10e+06")
    #expect(NumberText.significant(0.0000123) == "1.23e-05")
    #expect(NumberText.significant(0) == "0.00")
    #expect(NumberText.significant(.infinity) == "infinite")
  }

  @Test func percentages() {
    #expect(NumberText.percent(0.98974) == "98.97 %")
    #expect(NumberText.percent(1, 0) == "100 %")
  }

  @Test func counts() {
    #expect(NumberText.grouped(0) == "0")
    #expect(NumberText.grouped(999) == "999")
    #expect(NumberText.grouped(61706) == "61,706")
    #expect(NumberText.grouped(-1_234_567) == "-1,234,567")
    #expect(NumberText.short(417) == "417")
    #expect(NumberText.short(61706) == "61.7 k")
    #expect(NumberText.short(999_950) == "1.00 M")
    #expect(NumberText.short(2_095_360) == "2.10 M")
    #expect(NumberText.short(1_200_000_000) == "1.20 G")
  }

  @Test func spansOfTime() {
    #expect(TimeText.coarse(0) == "0 s")
    #expect(TimeText.coarse(0.2) == "1 s")
    #expect(TimeText.coarse(59.4) == "1 min")
    #expect(TimeText.coarse(200) == "3 min 20 s")
    #expect(TimeText.coarse(7500) == "2 h 5 min")
    #expect(TimeText.coarse(273_600) == "3 d 4 h")
    #expect(TimeText.coarse(.infinity) == "unknown")
    #expect(TimeText.coarse(-3) == "0 s")
  }

  @Test func measuredTimes() {
    #expect(TimeText.measured(0.1437) == "0.14 s")
    #expect(TimeText.measured(12.44) == "12.4 s")
    #expect(TimeText.measured(59.96) == "1 min")
    #expect(TimeText.measured(200.3) == "3 min 20 s")
  }
}
