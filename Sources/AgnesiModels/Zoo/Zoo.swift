import AgnesiArrays
import AgnesiExpressions
import Foundation

/// The networks that are known by name.
public enum Zoo {
  /// In the order in which they are listed.
  public static let all: [ZooNetwork] =
    [
      EfficientNetLite.lite0, SqueezeNet.version10, SqueezeNet.torchvision10, SqueezeNet.version11,
      MobileNetV2.network,
    ]
    + ResNet.all + VGG.all + GoogLeNet.all + InceptionV3.all
    + CIFARResNet.all + [NetworkInNetwork.network, UNet.network] + LeNet.all

  /// The network of a name, in upper or lower case.
  public static func network(_ name: String) -> ZooNetwork? {
    all.first { $0.name == name.lowercased() }
  }

  /// The network of a name.
  ///
  /// - Throws: ``ZooError`` that lists the names, where there is none.
  public static func known(_ name: String) throws -> ZooNetwork {
    guard let network = network(name) else {
      throw ZooError(
        "find the network \(name)", "the zoo has no network of that name",
        hint: namesHint(name))
    }
    return network
  }

  /// A network of the zoo by its name, or a model file by its path.
  ///
  /// - Parameters:
  ///   - nameOrPath: a name of ``all``, else the path of a file that a `Model` was written to, or of
  ///     an ONNX file (its name ends in `.onnx`).
  ///   - weights: a file with the weights of a named network; nil for those that
  ///     `agnesi models get` put into the user's folder of data.
  ///   - environment: the variables that tell this folder.
  /// - Throws: ``ZooError`` where there are no weights, with the command that gets them, or where
  ///   there is neither such a name nor such a file; otherwise what reading throws.
  public static func open(
    _ nameOrPath: String, weights: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Model {
    let action = "open the network \(nameOrPath)"
    guard let network = network(nameOrPath) else {
      guard FileManager.default.fileExists(atPath: nameOrPath) else {
        throw ZooError(
          action, "there is no such file, and the zoo has no network of that name",
          hint: namesHint(nameOrPath))
      }
      guard weights == nil else {
        throw ZooError(action, "a model file has its own weights, so --weights has no meaning")
      }
      if nameOrPath.lowercased().hasSuffix(".onnx") {
        return try ONNXModel(reading: nameOrPath).model()
      }
      guard isModelFile(nameOrPath) else {
        throw ZooError(
          action, "it is neither a model file nor one of ONNX",
          hint: "weights alone have no network: name one of the zoo, with --weights \(nameOrPath)")
      }
      return try Model(reading: nameOrPath)
    }
    if let weights { return try network.model(weights: weights) }
    let path = network.modelPath(in: UserData.folder(environment))
    guard FileManager.default.fileExists(atPath: path) else {
      throw ZooError(action, "its weights are not here (\(path))", hint: network.howToGet)
    }
    return try Model(reading: path)
  }

  /// The networks, and files beside `name`, that may have been meant; else all networks.
  private static func namesHint(_ name: String) -> String {
    let names = all.map(\.name)
    return NearestNames.question(NearestNames.of(name, in: names))
      ?? NearestNames.question(NearestNames.ofFiles(name))
      ?? "its networks are \(names.joined(separator: ", "))"
  }

  /// Whether a file begins as safetensors do: with a length of 8 bytes, and JSON. What cannot be read
  /// says so when it is.
  private static func isModelFile(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path), let start = try? file.read(upToCount: 9),
      start.count == 9
    else { return true }
    return start.last == UInt8(ascii: "{")
  }
}

extension ZooNetwork {
  /// Its model file in the user's folder of data; nil where there is none.
  public func installedPath(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    let path = modelPath(in: UserData.folder(environment))
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// Whose files of weights can be read, for a person: `Caffe's, Lasagne's`.
  public var readableFiles: String {
    var origins: [String] = []
    for origin in tables.map(\.origin) where !origins.contains(origin) { origins.append(origin) }
    return origins.map { "\($0)'s" }.joined(separator: ", ")
  }

  /// Where its model file lies inside of a folder of data.
  package func modelPath(in folder: String) -> String { "\(folder)/models/\(name).safetensors" }

  /// The commands that put it there, or what does instead.
  package var howToGet: String {
    if !sources.isEmpty { return "agnesi models get \(name), or name a file with --weights FILE" }
    let file = "no public place is known: name a file with --weights FILE (\(readableFiles))"
    return trainingCommand.map { "\(file), or train one: \($0)" } ?? file
  }
}
