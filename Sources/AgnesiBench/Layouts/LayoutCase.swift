import Agnesi

/// A network whose layouts are compared.
struct LayoutCase {
  /// The key of its row.
  var name: String
  var job: () throws -> Job

  /// Workloads with convolutions, networks in notation, and random ones.
  static func all(random count: Int, seed: UInt64) -> [LayoutCase] {
    workloads + written + drawn(count, seed: seed)
  }

  private static var workloads: [LayoutCase] {
    let sizes: [(Workload, Int)] = [
      (.lenet, 100), (.lenetInfer, 1), (.lenet1998, 100), (.lenetPadded, 100), (.cifarBN, 128),
      (.resNet20, 128), (.denseNet, 64), (.dilated, 4), (.dcgan, 64), (.squeezeNet, 1),
      (.resNet50, 1), (.inceptionV3, 1), (.efficientNetInfer, 1), (.efficientNetInfer, 16),
      (.resNet20, 1),
    ]
    return sizes.map { workload, batch in
      LayoutCase(name: "\(workload.rawValue) \(batch)") { try workload.job(batch: batch) }
    }
  }

  /// Kinds of networks that users write.
  private static var written: [LayoutCase] {
    let networks: [(String, [Int], Int)] = [
      ("6C5 tanh MP2 16C5 tanh MP2 84FC tanh 10FC", [1, 28, 28], 10),
      ("8C3p1 8C3p1 MP2 16C3p1 16C3p1 MP2 64FC 10FC", [1, 28, 28], 50),
      ("24C3p1 24C3p1 MP2 48C3p1 48C3p1 GAP 10FC", [3, 32, 32], 64),
      ("32C3p1 BN 32C3p1 BN MP2 64C3p1 BN GAP 10FC", [3, 64, 64], 32),
      ("16C5s2p2 16C3p1 32C3s2p1 10C1 GAP", [3, 64, 64], 32),
    ]
    return networks.flatMap { network, shape, batch in
      [
        classifier(network, shape, batch, trains: true),
        classifier(network, shape, 1, trains: false),
      ]
    }
  }

  private static func classifier(
    _ network: String, _ shape: [Int], _ batch: Int, trains: Bool
  ) -> LayoutCase {
    let sizes = shape.map(String.init).joined(separator: "×")
    return LayoutCase(name: "\(trains ? "train" : "infer") \(batch)×\(sizes) \(network)") {
      let classifier = Classifier(network: network, sampleShape: shape) {
        nesterov($0, $1, rate: 0.001, momentum: 0.9)
      }
      return try trains
        ? classifier.training(batch: batch) : classifier.inference(batch: batch)
    }
  }

  /// Two to five convolutions of odd and even numbers of channels.
  private static func drawn(_ count: Int, seed: UInt64) -> [LayoutCase] {
    let stream = Philox(key: seed)
    var position: UInt64 = 0
    func pick<Value>(_ values: [Value]) -> Value {
      position += 1
      return values[Int(stream.word(position)) % values.count]
    }
    return (0..<count).map { _ in
      var size = pick([16, 24, 32, 48])
      let shape = [pick([1, 3]), size, size]
      var layers: [String] = []
      for _ in 0..<pick([2, 3, 4, 5]) {
        let filters = pick([4, 6, 8, 12, 16, 20, 24, 30, 32, 40, 48, 64, 96])
        let kernel = pick([1, 3, 3, 5])
        layers.append("\(filters)C\(kernel)p\(kernel / 2)")
        layers += pick([["BN"], [], [], ["tanh"]])
        if size >= 8, pick([true, false]) {
          layers.append(pick(["MP2", "MP2", "AP2"]))
          size /= 2
        }
      }
      layers += [pick(["GAP", "32FC"]), "10FC"]
      let trains = pick([true, true, false])
      return classifier(
        layers.joined(separator: " "), shape, pick(trains ? [16, 50, 64, 128] : [1, 1, 64]),
        trains: trains)
    }
  }
}
