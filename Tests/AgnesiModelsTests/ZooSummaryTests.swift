import Agnesi
import Testing

/// Summaries of the zoo's networks against the numbers that their authors and torchvision publish.
@Suite struct ZooSummaryTests {
  /// Parameters that training changes, and millions of multiply-adds for one picture.
  private static let published: [(name: String, parameters: Int, millions: ClosedRange<Double>)] = [
    ("resnet18", 11_689_512, 1_810...1_825),
    ("vgg19", 143_667_240, 19_600...19_670),
    ("mobilenet-v2", 3_504_872, 295...305),
    ("squeezenet1.0", 1_248_424, 700...900),
    ("googlenet", 6_624_904, 1_490...1_600),
    ("inception-v3", 23_834_568, 5_600...5_750),
    ("efficientnet-lite0", 4_652_008, 380...410),
  ]

  @Test(arguments: published.indices) func totals(_ index: Int) throws {
    let (name, parameters, millions) = Self.published[index]
    let summary = try Summary(try Zoo.known(name).model())
    #expect(summary.parameterCount == parameters)
    let work = try #require(summary.multiplyAdds?.known)
    #expect(millions.contains(Double(work) / 1e6), "\(work)")
  }

  /// Every network there is has rows, fields, and a table that fits.
  @Test(arguments: Zoo.all.map(\.name)) func tables(_ name: String) throws {
    let network = try Zoo.known(name)
    let summary = try Summary(try network.model())
    #expect(summary.failure == nil)
    #expect(summary.parameterCount + summary.statisticCount == network.parameterCount)
    #expect(summary.multiplyAdds?.known != nil)
    #expect(summary.memory.inference ?? 0 > 0)
    #expect(summary.memory.training ?? 0 >= summary.memory.inference ?? 0)
    #expect(summary.rows.allSatisfy { $0.sharedWith == nil })
    // The scaling of pixels before the first layer hides nothing.
    #expect(summary.rows.first?.field != nil)
    let names = summary.rows.map(\.layer)
    #expect(Set(names).count == names.count)
    for line in summary.text(depth: summary.depth(ofAtMost: 24), width: 80).split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
    }
  }
}
