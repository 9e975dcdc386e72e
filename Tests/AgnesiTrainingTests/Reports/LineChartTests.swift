import AgnesiTraining
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct LineChartTests {
  private func chart(
    _ training: [Double?], _ validation: [Double?] = [], title: String = "Loss", best: Int? = nil
  ) -> LineChart {
    LineChart(
      title: title, epochs: Array(1...max(training.count, 1)),
      series: [.init(.training, training), .init(.validation, validation)],
      scale: ChartScale(.linear, values: (training + validation).compactMap(\.self)), best: best
    ) { NumberText.fixed($0, 2) }
  }

  private func isWellFormed(_ text: String) -> Bool {
    XMLParser(data: Data(text.utf8)).parse()
  }

  @Test func linesGoThroughTheirValues() {
    let text = chart([3, 1, 2]).svg().text
    // 12 % of the height are room at the ends, so the values 3, 1 and 2 stand at 250 - 208 · h.
    #expect(text.contains("<path d=\"M68.0 53.1L265.0 238.9L462.0 146.0\"/>"))
    #expect(text.contains("<title>epoch 2: training 1.00</title>"))
  }

  @Test func missingAndInfiniteValuesInterruptTheLine() {
    let text = chart([1, nil, 2, .infinity, 3, 4]).svg().text
    let paths = text.components(separatedBy: "<path d=\"").dropFirst().map {
      $0.prefix { $0 != "\"" }
    }
    let line = paths.first { $0.hasPrefix("M68.0") }
    #expect(line?.count { $0 == "M" } == 3)
    #expect(line?.count { $0 == "L" } == 1)
  }

  @Test func seriesWithoutValuesAreLeftOut() {
    let text = chart([1, 2], [nil, .nan]).svg().text
    #expect(!text.contains(">validation<"))
    #expect(text.contains(">training<"))
  }

  @Test func theSummaryTellsTheCurveInWords() {
    let text = chart([3, 1, 2], [4, nil, 3]).svg().text
    #expect(
      text.contains(
        """
        aria-label="Loss by epoch: training from 3.00 in epoch 1 to 2.00 in epoch 3; \
        validation from 4.00 in epoch 1 to 3.00 in epoch 3"
        """))
  }

  @Test func aChartByItselfIsAWellFormedFile() {
    let text = chart([3, 1], [2, 1], title: "a < b & \"c\" \u{1}", best: 2).svg(standalone: true)
      .text
    #expect(isWellFormed(text))
    #expect(text.contains("a &lt; b &amp; &quot;c&quot; \u{FFFD}"))
    #expect(text.contains("xmlns=\"http://www.w3.org/2000/svg\""))
    #expect(text.contains("prefers-color-scheme:dark"))
    #expect(text.contains("kept: epoch 2"))
  }

  @Test(arguments: [[], [1], [.nan], [0, 0]] as [[Double?]])
  func oddHistoriesStillMakeACharts(values: [Double?]) {
    let text = chart(values).svg(standalone: true).text
    #expect(isWellFormed(text))
    #expect(!text.contains("\"nan") && !text.contains("NaN") && !text.contains("inf"))
  }

  @Test func dotsGiveWayToLinesForManyEpochs() {
    let few = chart((1...40).map { Double($0) }).svg().text
    let many = chart((1...41).map { Double($0) }).svg().text
    #expect(few.contains("r=\"2.6\""))
    #expect(!many.contains("r=\"2.6\""))
    #expect(many.components(separatedBy: "<title>").count == 42)
  }
}

@Suite struct ConfusionTableTests {
  @Test func cellsHaveCountsShadesAndWords() throws {
    let matrix = try ConfusionMatrix(counts: [[84, 16], [0, 0]])
    let text = ConfusionTable(matrix: matrix, classNames: ["cat & dog"]).html.text
    #expect(
      text.contains(
        """
        <td class="hit strong" style="--shade:0.917" \
        title="84 of 100 “cat &amp; dog” found (84.0 %)">84</td>\
        <td class="miss" style="--shade:0.400" \
        title="16 of 100 “cat &amp; dog” taken for “1” (16.0 %)">16</td>\
        <td class="rate">84.0 %</td>
        """))
    #expect(text.contains("<tr><th scope=\"row\">1</th><td class=\"none\">·</td>"))
    #expect(text.contains("<td class=\"rate\">–</td>"))
    #expect(MarkupCheck.problem(in: text) == nil)
  }

  @Test func turnedHeadsAndNumbersDependOnRoom() {
    func kind(_ classes: Int, _ names: [String]) -> String {
      let table = ConfusionTable(matrix: ConfusionMatrix(classCount: classes), classNames: names)
      let text = table.html.text
      return String(text.components(separatedBy: "<table class=\"")[1].prefix { $0 != "\"" })
    }
    #expect(kind(2, ["cat", "horse"]) == "confusion")
    #expect(kind(10, []) == "confusion short")
    #expect(kind(100, []) == "confusion compact short")
  }
}
