import AgnesiArrays
import AgnesiCompiler
import AgnesiExpressions
import AgnesiLayers
import Foundation

/// Everything that a stopped run needs to go on to the same bits: parameters and the state of the
/// update rule, the best parameters so far, the position, and what is drawn from.
package struct Checkpoint: Sendable {
  package var state: State
  /// By parameter name.
  package var parameters: [String: NDArray]
  /// The parameters of the best epoch; empty before the first.
  package var best: [String: NDArray]

  /// What is not tensors.
  package struct State: Codable, Sendable {
    package var settings: TrainingSettings
    /// Nil where the network is no chain: then who resumes builds it again.
    package var network: Chain?
    package var standardization: Standardization?
    /// What the data were, for a person and for `--resume`.
    package var data: [String: String]
    /// Epochs that are complete.
    package var epoch = 0
    /// Batches of the next epoch that are done.
    package var batch = 0
    /// Calls of the step function, which its random draws count.
    package var calls = 0
    /// Sums over the epoch that was begun.
    package var lossSum = 0.0
    package var mistakes = 0.0
    package var samples = 0
    package var secondsInEpoch = 0.0
    /// Of the whole run up to here, in all its parts; nil in files of before it was kept.
    package var seconds: Double?
    package var history: [EpochRecord] = []
    package var bestEpoch: Int?
    /// What the network did before the first epoch, where an epoch has to be better than that.
    package var baseline: Score?
    /// What the run was asked for besides, such as a report: kept by the command for when it goes on. Nil
    /// in files of before it was kept.
    package var requests: [String: String]?
    /// What the backend chose; nil in files of before there was a choice.
    package var choices: BackendChoices?
  }

  private static let stateKey = "agnesi.training"
  private static let bestPrefix = "best/"

  package func write(to path: String) throws {
    var tensors = parameters.map { (name: $0.key, array: $0.value) }
    tensors += best.map { (name: Self.bestPrefix + $0.key, array: $0.value) }
    tensors.sort { $0.name < $1.name }
    let text = try JSONText.encoded(state)
    try SafetensorsFile(tensors: tensors, metadata: [Self.stateKey: text]).write(to: path)
  }

  package init(state: State, parameters: [String: NDArray], best: [String: NDArray]) {
    self.state = state
    self.parameters = parameters
    self.best = best
  }

  /// What the run took up to here, in all its parts.
  package var seconds: Double {
    state.seconds ?? state.history.reduce(state.secondsInEpoch) { $0 + $1.seconds }
  }

  /// The backend that chooses as the checkpoint's did.
  func backend(from backend: any Backend) -> any Backend {
    state.choices.map { backend.repeating($0) } ?? backend
  }

  /// - Throws: ``TrainingError`` where the file is no checkpoint.
  package init(reading path: String) throws {
    let file = try SafetensorsFile(reading: path)
    guard let text = file.metadata[Self.stateKey] else {
      throw TrainingError(
        "\(path) is not a checkpoint of a training run",
        hint: "a checkpoint's name ends in .checkpoint.safetensors")
    }
    do {
      state = try JSONText.decoded(from: text)
    } catch {
      throw TrainingError("the state in checkpoint \(path) cannot be read")
    }
    parameters = [:]
    best = [:]
    for (name, array) in file.tensors {
      if name.hasPrefix(Self.bestPrefix) {
        best[String(name.dropFirst(Self.bestPrefix.count))] = array
      } else {
        parameters[name] = array
      }
    }
  }

  /// Makes the run one of so many epochs. The schedule goes on from the same step as in a run that had
  /// them from the beginning: the rate may rise again where it had fallen to its end.
  ///
  /// - Throws: ``TrainingError`` where the run is beyond that.
  package mutating func setEpochs(_ epochs: Int) throws(TrainingError) {
    let begun = state.epoch + (state.batch > 0 ? 1 : 0)
    guard epochs >= max(begun, 1) else {
      throw TrainingError(
        "--epochs is \(epochs), the run that goes on is in epoch \(begun) of "
          + "\(state.settings.epochs)",
        hint: "--epochs is the number of all epochs, those that are done included")
    }
    state.settings.epochs = epochs
  }

  /// The checkpoint that belongs to a model file.
  package static func path(for output: String) -> String {
    let base = output.hasSuffix(".safetensors") ? String(output.dropLast(12)) : output
    return base + ".checkpoint.safetensors"
  }
}
