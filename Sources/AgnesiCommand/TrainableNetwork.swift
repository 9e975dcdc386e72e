import Agnesi
import Foundation

/// The network that `agnesi train` is told: in the literature's notation, or a chain of the zoo.
enum TrainableNetwork {
  case notation(Chain)
  /// As many classes as the data have.
  case known(ZooNetwork)

  /// Those that have a name, for a person: `lenet5 or lenet-caffe`.
  static var names: String {
    known.map(\.name).joined(separator: " or ")
  }
  private static var known: [ZooNetwork] { Zoo.all.filter(\.isChain) }

  /// - Throws: `NotationError`, or ``CommandFailure`` for a network of the zoo that is no chain and for what may
  ///   have meant one.
  init(_ text: String) throws {
    if let known = Zoo.network(text) {
      guard known.isChain else { throw Self.noChain(known) }
      self = .known(known)
      return
    }
    do {
      self = .notation(try Notation.parse(text))
    } catch let error as NotationError {
      let isOneWord = !text.contains(" ")
      guard isOneWord, error.hint == nil,
        let question = NearestNames.question(text, in: Self.known.map(\.name))
      else { throw error }
      throw CommandFailure(
        message: "train: --network \(text) is no network of the zoo and no notation\n  hint: "
          + question)
    }
  }

  func chain(classes: Int) throws -> Chain {
    switch self {
    case .notation(let chain): return chain
    case .known(let network):
      guard let chain = try network.chain(classes: classes > 0 ? classes : network.classCount)
      else { throw Self.noChain(network) }
      return chain
    }
  }

  private static func noChain(_ network: ZooNetwork) -> CommandFailure {
    let hint = network.trainingCommand.map { "\n  hint: photos train it: \($0)" } ?? ""
    return CommandFailure(
      message: "train: the network \(network.name) is no chain of layers, which --network has to be"
        + hint)
  }
}
