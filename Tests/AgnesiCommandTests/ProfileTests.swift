import Agnesi
import Foundation
import TestSupport
import Testing

/// `--profile` and `--trace`: where the time of a command went.
struct ProfileTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  private func events(_ name: String) throws -> [[String: Any]] {
    let json = try JSONSerialization.jsonObject(with: Data(workplace.folder.read(name)))
    return try #require(json as? [[String: Any]])
  }

  @Test func ofTraining() throws {
    let trace = workplace.path("trace.json")
    let arguments = workplace.training("bars.safetensors") + ["--profile", "--trace", trace]
    let outcome = try workplace.agnesi(arguments)
    try #require(outcome.status == 0, "\(outcome.errors)")
    // Results stand alone on standard output.
    #expect(outcome.output.split(separator: "\n").count == 2)
    let lines = outcome.errors.components(separatedBy: "\n")
    #expect(lines.contains { $0.hasPrefix("100 % for 1 thread: ") })
    // 900 samples of which two epochs see all, then 100 and 200 that are only looked at.
    #expect(lines.contains { $0.hasPrefix("training step, batch 50: 36 calls, ") })
    #expect(lines.contains { $0.hasPrefix("evaluate, batch 200: 1 call, ") })
    #expect(lines.contains { $0.contains(" dense1.weight") })
    #expect(outcome.errors.hasSuffix("\ntrace in \(trace)\n"))
    let events = try events("trace.json")
    let names = Set(events.compactMap { $0["name"] as? String })
    #expect(names.isSuperset(of: ["training step, batch 50", "wait for a batch"]))
    #expect(names.contains("end of the epoch"))
  }

  @Test func ofAnInterruptedRun() throws {
    let arguments = workplace.training("bars.safetensors", epochs: 100_000) + ["--profile"]
    let command = try RunningCommand(arguments, in: workplace)
    try command.waitFor(" 1/100000")
    command.interrupt()
    let outcome = try command.end()
    #expect(outcome.status == 130)
    #expect(outcome.errors.contains("\ngo on with: agnesi train --resume "))
    #expect(outcome.errors.contains("\ntraining step, batch 50: "))
  }

  @Test func ofEvaluationAndPrediction() throws {
    try workplace.train("bars.safetensors")
    let model = workplace.path("bars.safetensors")
    let plain = try workplace.agnesi("evaluate", model, workplace.data, "--json")
    let evaluation = try workplace.agnesi("evaluate", model, workplace.data, "--json", "--profile")
    #expect(evaluation.output == plain.output)
    #expect(evaluation.errors.contains("\nevaluate, batch 200: 1 call, "))
    let prediction = try workplace.agnesi(
      "predict", model, workplace.data, "--index", "3", "14", "--trace", workplace.path("it.json"))
    #expect(prediction.output.split(separator: "\n").count == 2)
    #expect(prediction.errors.hasSuffix("trace in \(workplace.path("it.json"))\n"))
    let calls = try events("it.json").filter { $0["tid"] as? Int == 1 && $0["dur"] != nil }
    #expect(calls.count == 2)
  }

  @Test func aTraceThatCannotBeWrittenIsToldBefore() throws {
    let path = workplace.path("missing/trace.json")
    let arguments = workplace.training("bars.safetensors") + ["--trace", path]
    let outcome = try workplace.agnesi(arguments)
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("the folder \(workplace.path("missing")) does not exist"))
    #expect(!outcome.errors.contains("epoch"))
  }
}
