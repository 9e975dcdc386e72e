import AgnesiLayers
import Foundation
import TestSupport
import Testing

@Suite struct ScheduleTests {
  private func factors(_ schedule: Schedule, of total: Int = 4) -> [Double] {
    (0..<total).map { schedule.factor(step: $0, of: total) }
  }

  @Test func values() {
    #expect(factors(.constant) == [1, 1, 1, 1])
    #expect(isClose(factors(.linear), [0.875, 0.625, 0.375, 0.125]))
    #expect(isClose(factors(.steps(at: [0.5, 0.75], factor: 0.1)), [1, 1, 0.1, 0.01]))
    let exponential = [0.125, 0.375, 0.625, 0.875].map { pow(0.01, $0) }
    #expect(isClose(factors(.exponential(end: 0.01)), exponential))
  }

  @Test func cosineWarmsUp() {
    let values = factors(.cosine(warmUp: 0.5, end: 0.1), of: 4)
    let last = [0.25, 0.75].map { 0.1 + 0.9 * (1 + cos(Double.pi * $0)) / 2 }
    #expect(isClose(values, [0.25, 0.75] + last))
    #expect(isClose([Schedule.cosine(warmUp: 0).factor(step: 0, of: 1)], [0.5]))
  }

  @Test func oneCycleRisesAndFalls() {
    let values = factors(.oneCycle(rise: 0.25, start: 0.2), of: 100)
    let peak = values.indices.max { values[$0] < values[$1] } ?? 0
    #expect(peak == 24 || peak == 25)
    #expect(abs(values[0] - 0.2) < 0.002)
    #expect(values[99] < 0.001 && values[99] > 0)
    #expect(values[..<25] == values[..<25].sorted()[...])
    #expect(Array(values[25...].reversed()) == values[25...].sorted())
    // Halfway up, at 12.5 of 25 steps: between steps 12 and 13.
    #expect(abs((values[11] + values[13]) / 2 - 0.6) < 0.02)
  }

  @Test(arguments: Schedule.names) func allAreFactors(_ name: String) throws {
    let schedule = try Schedule.named(name)
    #expect(schedule.name == name)
    for total in [1, 2, 7, 1000] {
      for step in [-1, 0, total / 2, total - 1, total, total + 5] {
        let factor = schedule.factor(step: step, of: total)
        #expect(factor > 0 && factor <= 1, "\(name) \(step) of \(total): \(factor)")
      }
    }
    #expect((0...1).contains(schedule.factor(step: 0, of: 0)))
    let data = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(Schedule.self, from: data) == schedule)
  }

  @Test(arguments: Optimizer.names) func optimizersByName(_ name: String) throws {
    let optimizer = try Optimizer.named(name.uppercased())
    #expect(optimizer.name == name)
    #expect(optimizer.usualRate > 0)
    let data = try JSONEncoder().encode(optimizer)
    #expect(try JSONDecoder().decode(Optimizer.self, from: data) == optimizer)
  }

  @Test func sigmoidsLearnAtTwiceTheRate() throws {
    for (network, factor) in [
      ("64FC 10FC", 1.0), ("64FC tanh 10FC", 1), ("10FC sigmoid", 1), ("64FC sigmoid 10FC", 2),
      ("8C3 BN hsigmoid MP2 10FC", 2),
    ] {
      let chain = try Notation.parse(network)
      #expect(Optimizer.nesterov().usualRate(for: chain) == 0.05 * factor, "\(network)")
      #expect(Optimizer.sgd.usualRate(for: Chain([chain, Dense(units: 2)])) >= 0.2 * factor)
      #expect(Optimizer.adam().usualRate(for: chain) == 0.002)
    }
  }

  @Test func unknownNames() {
    #expect(
      errorText { _ = try Schedule.named("cosinus") } == """
        no schedule is called "cosinus"
          hint: did you mean cosine?
        """)
    #expect(
      errorText { _ = try Schedule.named("warm") } == """
        no schedule is called "warm"
          hint: there are constant, steps, exponential, cosine, one-cycle, linear
        """)
    #expect(
      errorText { _ = try Optimizer.named("adm") } == """
        no optimizer is called "adm"
          hint: did you mean adam?
        """)
    #expect(
      errorText { _ = try Optimizer.named("lion") } == """
        no optimizer is called "lion"
          hint: there are sgd, momentum, nesterov, adam, adamw, amsgrad, adamax, rmsprop, \
        adagrad, adadelta
        """)
  }
}
