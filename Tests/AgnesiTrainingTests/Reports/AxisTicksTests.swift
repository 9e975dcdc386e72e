import AgnesiTraining
import Testing

@Suite struct AxisTicksTests {
  @Test func linearTicksAreMultiplesOfOneTwoOrFive() {
    #expect(AxisTicks.linear(0...1, about: 5).labels == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(AxisTicks.linear(0.13...0.31, about: 4).labels == ["0.15", "0.20", "0.25", "0.30"])
    #expect(AxisTicks.linear(-30...45, about: 5).labels == ["-20", "0", "20", "40"])
    #expect(AxisTicks.linear(0...1, about: 5).values == [0, 0.2, 0.4, 0.6, 0.8, 1])
  }

  @Test func anEmptyRangeStillHasAnAxis() {
    #expect(AxisTicks.linear(2...2, about: 5).labels == ["2"])
  }

  @Test func wholeTicksNeverBreakUpEpochs() {
    #expect(AxisTicks.whole(1...3, about: 8).labels == ["1", "2", "3"])
    #expect(AxisTicks.whole(1...25, about: 8).labels == ["5", "10", "15", "20", "25"])
    #expect(AxisTicks.whole(1...300, about: 8).labels == ["50", "100", "150", "200", "250", "300"])
  }

  @Test func percentTicksHaveTheDecimalsTheyNeed() {
    #expect(AxisTicks.percent(0.79...0.96, about: 5).labels == ["80 %", "85 %", "90 %", "95 %"])
    #expect(
      AxisTicks.percent(0.9...0.907, about: 4).labels
        == ["90.0 %", "90.2 %", "90.4 %", "90.6 %"])
  }

  @Test func logarithmicTicksThinOutOverManyDecades() {
    #expect(
      AxisTicks.logarithmic(0.002...0.3).labels
        == ["0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2"])
    #expect(
      AxisTicks.logarithmic(1e-6...1e6).labels == [
        "1e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1", "1", "10", "100", "1000", "10000",
        "100000", "1e+06",
      ])
    // Too narrow for 1, 2 and 5 alone.
    #expect(AxisTicks.logarithmic(0.21...0.39).labels == ["0.25", "0.30", "0.35"])
  }

  @Test func accuracyTicksFollowTheError() {
    let ticks = AxisTicks.accuracy(errors: 0.002...0.11)
    #expect(ticks.labels == ["99.8 %", "99.5 %", "99 %", "98 %", "95 %", "90 %"])
    #expect(abs(ticks.values[0] - 0.998) < 1e-12)
    #expect(
      AxisTicks.accuracy(errors: 0.021...0.029).labels
        == ["97.8 %", "97.6 %", "97.4 %", "97.2 %"])
  }
}

@Suite struct ChartScaleTests {
  @Test func linearScalesLeaveRoomAtBothEnds() {
    let scale = ChartScale(.linear, values: [0, 10, .nan, .infinity])
    #expect(abs(scale.domain.lowerBound + 0.6) < 1e-12)
    #expect(abs(scale.domain.upperBound - 10.6) < 1e-12)
    #expect(abs(scale.height(of: 5) - 0.5) < 1e-12)
    #expect(scale.height(of: 99) == 1)
  }

  @Test func logarithmicScalesMakeFactorsEqual() {
    let scale = ChartScale(.logarithmic, values: [0.01, 1, 0])
    #expect(abs(scale.height(of: 0.1) - 0.5) < 1e-12)
    #expect(scale.height(of: 0) == 0)
  }

  @Test func accuracyScalesMakeHalvedErrorsEqual() {
    let scale = ChartScale(.accuracy, values: [0.9, 0.999, 1])
    #expect(abs(scale.height(of: 0.99) - 0.5) < 1e-9)
    #expect(scale.height(of: 1) == 1)
  }

  @Test func equalValuesAndNoValuesHaveADomain() {
    for kind in [ChartScale.Kind.linear, .logarithmic, .percent, .accuracy] {
      for values in [[], [0.5], [0.5, 0.5], [.nan]] as [[Double]] {
        let scale = ChartScale(kind, values: values)
        #expect(scale.domain.lowerBound < scale.domain.upperBound, "\(kind) of \(values)")
        #expect((0...1).contains(scale.height(of: 0.5)))
      }
    }
  }

  @Test func theScaleFollowsTheValues() {
    #expect(ChartScale.loss([2.3, 0.4]).kind == .linear)
    #expect(ChartScale.loss([2.3, 0.04]).kind == .logarithmic)
    #expect(ChartScale.loss([2.3, -4]).kind == .linear)
    #expect(ChartScale.accuracy([0.1, 0.9]).kind == .percent)
    #expect(ChartScale.accuracy([0.1, 0.97]).kind == .accuracy)
  }
}
