/// A dictionary of arrays in a checkpoint, which may hold several: the weights, their moving average, an
/// optimiser's state.
public struct WeightDictionary: Sendable {
  /// The keys that lead to it from the file's root, joined by `/`; empty for the root itself.
  public let path: String
  /// Its arrays by name, with their shapes. Where dictionaries are nested, names are joined by a dot.
  public let arrays: [(name: String, shape: [Int])]
}

/// Words by which checkpoints call what is in them.
package enum CheckpointNames {
  /// What holds weights.
  private static let weights: Set<String> = [
    "dict", "model", "net", "network", "weights", "params", "parameters", "variables", "ema",
    "module", "generator", "teacher", "student",
  ]
  /// What belongs to training, and may have arrays of the weights' names and shapes.
  private static let training: Set<String> = [
    "optim", "optims", "optimizer", "optimizers", "optimiser", "optimisers", "opt", "adam", "adamw",
    "sgd", "momentum", "momentums", "velocity", "scheduler", "schedulers", "sched", "scaler", "amp",
    "rng", "grad", "grads", "gradient", "gradients", "callbacks", "loops",
  ]
  /// Adam's averages.
  private static let averages = ["exp_avg", "max_exp_avg"]

  /// Whether a key is one under which weights are usually stored.
  package static func isWeights(_ key: String) -> Bool {
    !isTraining(key) && !weights.isDisjoint(with: words(key))
  }

  /// Whether a key is that of an optimiser's state or the like.
  package static func isTraining(_ key: String) -> Bool {
    averages.contains { key.lowercased().hasPrefix($0) }
      || !training.isDisjoint(with: words(key))
  }

  private static func words(_ key: String) -> Set<String> {
    Set(key.lowercased().split { !$0.isLetter }.map(String.init))
  }
}

/// Decides which dictionary of a checkpoint is read.
struct WeightDictionaryChoice {
  /// The keys that the caller names; nil where the file has to tell.
  var key: String?
  /// How many arrays of a network these would fill; nil where no network is asked for.
  var fit: (([(name: String, shape: [Int])]) -> Int)?

  /// The items of the chosen dictionary, with their names in it.
  typealias Chosen = [(name: String, item: PickleContents.Item)]

  /// - Parameter shape: that of an item; nil for what is no array.
  func chosen(
    among items: [PickleContents.Item], shape: (PickleContents.Item) -> [Int]?
  ) throws(FormatProblem) -> Chosen {
    let candidates = WeightCandidates(items, shape: shape)
    if let key {
      if let members = candidates.named(key) { return members }
      return try candidates.below(key)
    }
    if let fit, let best = try candidates.best(fit) { return best.members }
    return try candidates.best().members
  }
}

/// The dictionaries of a checkpoint that have arrays, directly or in dictionaries below.
private struct WeightCandidates {
  struct Candidate {
    let keys: [String]
    /// In the file's order; without what belongs to training, unless all of it does.
    var members: WeightDictionaryChoice.Chosen
    var shapes: [[Int]]
    /// Whether it has arrays of its own.
    var isDirect = false

    var path: String { keys.joined(separator: "/") }
    var arrays: [(name: String, shape: [Int])] { zip(members, shapes).map { ($0.name, $1) } }
    var isTraining: Bool { keys.contains(where: CheckpointNames.isTraining) }
    /// The same without the dictionaries below it.
    var ownArrays: Candidate {
      let own = zip(members, shapes).filter { $0.0.item.parent == keys }
      var result = self
      (result.members, result.shapes) = (own.map(\.0), own.map(\.1))
      return result
    }
    /// Numbers, such as the epoch's, beside the dictionaries.
    var isNumbers: Bool { shapes.allSatisfy { $0.allSatisfy { $0 == 1 } } }
  }

  /// Dictionaries of dictionaries are looked at near the root only.
  private static let deepest = 4

  private(set) var all: [Candidate] = []

  init(_ items: [PickleContents.Item], shape: (PickleContents.Item) -> [Int]?) {
    var places: [[String]: Int] = [:]
    for item in items {
      guard let sizes = shape(item) else { continue }
      var depths = Array(0..<min(item.parent.count, Self.deepest))
      depths.append(item.parent.count)
      for depth in depths {
        let keys = Array(item.parent[..<depth])
        let inner = item.parent[depth...]
        let isBelowTraining = keys.contains(where: CheckpointNames.isTraining)
        if !isBelowTraining, inner.contains(where: CheckpointNames.isTraining) { continue }
        let place = places[keys] ?? all.count
        if place == all.count {
          places[keys] = place
          all.append(Candidate(keys: keys, members: [], shapes: []))
        }
        all[place].members.append(((inner + [item.name]).joined(separator: "."), item))
        all[place].shapes.append(sizes)
        if inner.isEmpty { all[place].isDirect = true }
      }
    }
  }

  /// What the caller asks for, by all keys or the last ones.
  func named(_ key: String) -> WeightDictionaryChoice.Chosen? {
    let keys = key.split(separator: "/").map(String.init)
    if let exact = all.first(where: { $0.keys == keys }) { return exact.members }
    let similar = all.filter { $0.keys.suffix(keys.count) == keys[...] }
    return similar.count == 1 ? similar[0].members : nil
  }

  /// The arrays whose names begin with `key` and a dot.
  func below(_ key: String) throws(FormatProblem) -> WeightDictionaryChoice.Chosen {
    let members = all.filter(\.isDirect).flatMap(\.members).filter { $0.name.hasPrefix(key + ".") }
    if !members.isEmpty {
      return members.map { (String($0.name.dropFirst(key.count + 1)), $0.item) }
    }
    throw FormatProblem(
      "it has no dictionary \(FormatProblem.quoted(key)); its dictionaries are"
        + listed(all.filter(\.isDirect)))
  }

  /// The one that fills most of a network; nil where none fills anything.
  func best(
    _ fit: ([(name: String, shape: [Int])]) -> Int
  ) throws(FormatProblem) -> Candidate? {
    let scored = all.filter { !$0.isTraining }.map { ($0, fit($0.arrays)) }
    let most = scored.map(\.1).max() ?? 0
    if most == 0 { return nil }
    let fitting = scored.filter { $0.1 == most }.map(\.0)
    // A dictionary of dictionaries fits wherever one of these does.
    let inner = fitting.filter { outer in
      !fitting.contains { $0.keys.count > outer.keys.count && $0.keys.starts(with: outer.keys) }
    }
    return try only(inner)
  }

  /// The one that its key says holds weights.
  func best() throws(FormatProblem) -> Candidate {
    var direct = all.filter { $0.isDirect && !$0.isTraining }.map(\.ownArrays)
    if direct.contains(where: { !$0.isNumbers }) { direct.removeAll(where: \.isNumbers) }
    if direct.isEmpty { direct = all.filter(\.isDirect).map(\.ownArrays) }
    let named = direct.filter { $0.keys.last.map(CheckpointNames.isWeights) == true }
    return try only(named.isEmpty ? direct : named)
  }

  private func only(_ candidates: [Candidate]) throws(FormatProblem) -> Candidate {
    if candidates.count == 1 { return candidates[0] }
    if candidates.isEmpty { throw FormatProblem("it holds no tensors") }
    throw FormatProblem(
      "which of its dictionaries holds the weights is not certain: it has" + listed(candidates)
        + "\n  hint: name one behind the file's name: FILE#\(candidates[0].path)")
  }

  private func listed(_ candidates: [Candidate]) -> String {
    let shown = candidates.prefix(12).map { candidate in
      let examples = candidate.arrays.prefix(2).map { name, shape in
        "\(FormatProblem.quoted(name)) \(PickleCall.brief(shape))"
      }
      let count = candidate.arrays.count
      let path = candidate.path.isEmpty ? "the root" : FormatProblem.quoted(candidate.path)
      return "\n  \(path): \(count) \(count == 1 ? "tensor" : "tensors"), "
        + examples.joined(separator: ", ") + (count > 2 ? ", …" : "")
    }
    let more = candidates.count - shown.count
    return shown.joined() + (more > 0 ? "\n  and \(more) more" : "")
  }
}
