import Agnesi

/// How large a network in notation is, for who wrote it.
struct NetworkSize {
  private let network: Chain
  private let rows: [Summary.Row]
  private let batch: Int

  /// - Parameters:
  ///   - sample: the shape of one.
  ///   - batch: samples of a mini-batch.
  init(_ network: Chain, sample: [Int], batch: Int) {
    self.network = network
    self.batch = batch
    rows = Summary(network, input: sample.map { Size($0) }).rows
  }

  /// Says before the first step that it takes long; nil of usual networks.
  var note: String? {
    let values = rows.reduce(0) { $0 + Double($1.parameterCount) }
    let work = rows.reduce(0) { $0 + Double($1.multiplyAdds?.known ?? 0) }
    // Numbers to draw and to update, and what a core does in some seconds.
    guard values > 5e7 || work * Double(batch) > 5e10 else { return nil }
    func text(_ value: Double) -> String { NumberText.short(Int(min(value, 1e18))) }
    return "the network has \(text(values)) values and takes \(text(work)) multiply-adds a sample: "
      + "a step may take long, the first one longer"
  }

  /// A shortage of memory with the layer that wants most of it.
  func explained(_ shortage: MemoryError) -> CommandFailure {
    var lines = ["train: there is not enough memory for \(shortage.text)"]
    let left = Double(shortage.available ?? .max)
    let outputs = rows.map { row in
      row.outputShape.reduce(4 * Double(batch)) { $0 * Double($1.known ?? 1) }
    }
    if let most = outputs.indices.max(by: { outputs[$0] < outputs[$1] }), outputs[most] > left,
      let place = network.notationPlace(ofLayer: most)
    {
      let shape = rows[most].outputShape.map(\.description).joined(separator: "×")
      lines.append("  \(place), makes \(shape) of each of \(batch) samples")
      lines.append("  hint: a smaller network there, or smaller mini-batches (--batch)")
    } else if let most = rows.indices.max(by: { rows[$0].parameterCount < rows[$1].parameterCount }
    ),
      let place = network.notationPlace(ofLayer: most)
    {
      let count = NumberText.short(rows[most].parameterCount)
      lines.append("  \(place), has \(count) values, which training keeps several times")
    }
    return CommandFailure(message: lines.joined(separator: "\n"))
  }

  /// Runs `body`, whose shortages of memory are explained.
  func explaining<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let shortage as MemoryError {
      throw explained(shortage)
    }
  }
}
