import Agnesi
import Foundation

/// How long the steps of a workload took in one framework, in one process. Times are in seconds.
struct Reading: Codable {
  var framework: String
  var workload: String
  var batch: Int
  var threads: Int
  /// `cold` where code was compiled, `warm` where all of it came from the cache.
  var cache: String?
  /// Until the network has its first values.
  var build: Double?
  /// From there to the end of the first step, gradients and compilation included.
  var first: Double
  /// The part of `first` before the step.
  var preparation: Double?
  var median: Double
  var shortest: Double
  var samplesPerSecond: Double
  /// Peak memory of the process.
  var megabytes: Double
  /// The first number that the first step gave back: the loss, where it trains.
  var firstResult: Double?
  /// That of the last step.
  var lastResult: Double?

  private enum CodingKeys: String, CodingKey {
    case framework, workload, batch, threads, cache
    case build = "build_s"
    case first = "first_s"
    case preparation = "prepare_s"
    case median = "median_s"
    case shortest = "min_s"
    case samplesPerSecond = "samples_per_s"
    case megabytes = "rss_mb"
    case firstResult = "first_result"
    case lastResult = "last_result"
  }
}

extension Reading {
  /// The reading as one line of JSON.
  func line() throws -> String {
    try JSONText.encoded(self, nonFinite: .null)
  }

  /// The reading in the last line of what a program printed.
  init(lastLineOf text: String) throws {
    let line = text.split(whereSeparator: \.isNewline).last ?? ""
    self = try JSONText.decoded(from: String(line))
  }
}
