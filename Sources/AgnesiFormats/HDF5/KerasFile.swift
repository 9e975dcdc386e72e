import AgnesiArrays

/// Keras's files: `.h5` of weights or of a whole model, `.weights.h5` and `.keras`.
///
/// The order is that of the layers where the file tells it: by the attributes `layer_names` and `weight_names`,
/// or, in a `.keras`, by `config.json`. Names are the datasets' paths:
///
/// - `.h5`: `group/…/kernel:0`; those of a whole model too, without `model_weights/` before them.
/// - `.weights.h5` of Keras 3: `layers/conv2d_1/vars/0`, which count layers of a class.
/// - `.keras`: `conv_two/vars/0`, with the layer's own name, as `config.json` has it.
///
/// Kernels keep Keras's layout: height, width, in, out. An optimiser's arrays are not read; their paths are
/// listed under `WeightFile.otherArrays`.
enum KerasFile {
  private static let weights = "model.weights.h5"

  /// Whether an archive is a `.keras` file.
  static func isFound(in archive: ZipArchive) -> Bool { archive[weights] != nil }

  /// The weights of an `.h5` file.
  static func contents(
    of path: String, _ bytes: FileBytes, _ budget: MemoryBudget
  ) throws -> WeightContents {
    contents(of: try HDF5File(path, bytes, budget), layers: [])
  }

  /// The weights of a `.keras` file.
  static func contents(of archive: ZipArchive, _ budget: MemoryBudget) throws -> WeightContents {
    guard let member = archive[weights] else { throw FormatProblem("it has no \(weights)") }
    let file = try HDF5File(try archive.content(of: member, budget), budget)
    let config = try archive["config.json"].map { member throws(FormatProblem) in
      try archive.content(of: member, budget)
    }
    var result = contents(of: file, layers: try config.map(KerasLayers.init(config:))?.layers ?? [])
    if let config { result.texts["config"] = [config.text] }
    return result
  }

  private static func contents(
    of file: HDF5File, layers: [KerasLayers.Layer]
  ) -> WeightContents {
    let model = "model_weights/"
    let isModel = file.arrays.contains { $0.name.hasPrefix(model) }
    var result = WeightContents(texts: texts(of: file))
    let order = ranks(file, isModel ? "model_weights" : ".")
    let groups = Dictionary(
      layers.enumerated().map { ("layers/" + $1.group, (place: $0, name: $1.name)) },
      uniquingKeysWith: { first, _ in first })
    var found: [(key: SortKey, name: String, array: NDArray)] = []
    var others = file.others
    for (path, array) in file.arrays {
      let isWanted =
        isModel ? path.hasPrefix(model) : !(path.hasPrefix("optimizer") || isCounter(path))
      guard isWanted else {
        others.append(path)
        continue
      }
      let name = isModel ? String(path.dropFirst(model.count)) : path
      let parts = name.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
      if parts.count == 3, let layer = groups[parts[0] + "/" + parts[1]] {
        found.append((SortKey(layer.place, path), "\(layer.name)/\(parts[2])", array))
      } else {
        found.append((SortKey(order[name] ?? .max, path), name, array))
      }
    }
    for item in found.sorted(by: { $0.key < $1.key }) { result.set(item.name, item.array) }
    if !others.isEmpty { result.texts[WeightFile.otherArrays] = others }
    return result
  }

  /// Attributes of the root and of a model's weights, by their own names.
  private static func texts(of file: HDF5File) -> [String: [String]] {
    var result: [String: [String]] = [:]
    for prefix in [".@", "model_weights@"] {
      for (name, items) in file.texts where name.hasPrefix(prefix) {
        result[String(name.dropFirst(prefix.count))] = items
      }
    }
    return result
  }

  /// Keras counts steps of its metrics beside the weights.
  private static func isCounter(_ path: String) -> Bool {
    path.hasPrefix("metrics/") || path.hasPrefix("top_level_model_weights/metrics")
  }

  /// The place of each weight in the order that attributes tell, by its path below `root`.
  private static func ranks(_ file: HDF5File, _ root: String) -> [String: Int] {
    var result: [String: Int] = [:]
    let folder = root == "." ? "" : root + "/"
    for layer in list("layer_names", of: root, file) {
      for weight in list("weight_names", of: folder + layer, file) {
        result["\(layer)/\(weight)"] = result.count
      }
    }
    return result
  }

  /// A list of texts that is cut into several attributes where it is long: `layer_names0` and so on.
  private static func list(_ name: String, of group: String, _ file: HDF5File) -> [String] {
    if let whole = file.texts["\(group)@\(name)"] { return whole }
    var result: [String] = []
    var part = 0
    while let items = file.texts["\(group)@\(name)\(part)"] {
      result += items
      part += 1
    }
    return result
  }

  /// By the order that is known, then by path, numbers in it by their value.
  private struct SortKey: Comparable {
    let rank: Int
    let parts: [String]

    init(_ rank: Int, _ path: String) {
      self.rank = rank
      parts = path.split(separator: "/").map(String.init)
    }

    static func < (left: SortKey, right: SortKey) -> Bool {
      if left.rank != right.rank { return left.rank < right.rank }
      for (a, b) in zip(left.parts, right.parts) where a != b {
        if let a = Int(a), let b = Int(b) { return a < b }
        return a < b
      }
      return left.parts.count < right.parts.count
    }
  }
}

/// The layers that a `config.json` of Keras names.
struct KerasLayers {
  struct Layer {
    /// The name that the user or Keras gave it.
    let name: String
    /// Its group in the weights: the class in small letters, with a number from the second of a class on.
    let group: String
  }

  private(set) var layers: [Layer] = []

  /// Configurations nest some levels for each model within a model.
  private static let deepest = 64

  init(config: FileBytes) throws(FormatProblem) {
    let json: StrictJSON
    do {
      json = try StrictJSON(Array(config.buffer), depth: Self.deepest)
    } catch {
      throw FormatProblem("its config.json is not valid JSON: \(error)")
    }
    var counts: [String: Int] = [:]
    guard case .array(let items)? = json["config"]?["layers"] else { return }
    for item in items {
      guard case .string(let className)? = item["class_name"],
        case .string(let name)? = item["config"]?["name"]
      else { continue }
      let base = Self.snakeCase(className)
      let count = counts[base, default: 0]
      counts[base] = count + 1
      layers.append(Layer(name: name, group: count == 0 ? base : "\(base)_\(count)"))
    }
  }

  /// `BatchNormalization` → `batch_normalization`, `Conv2D` → `conv2d`, by Keras's rule: an underscore stands
  /// before a capital with small letters behind it, and between a small letter and a capital.
  static func snakeCase(_ name: String) -> String {
    let letters = Array(name.filter { $0.isLetter || $0.isNumber || $0 == "_" })
    var result = ""
    for (index, letter) in letters.enumerated() {
      if index > 0, letter.isUppercase {
        let startsWord = index + 1 < letters.count && letters[index + 1].isLowercase
        if startsWord || letters[index - 1].isLowercase { result += "_" }
      }
      result += letter.lowercased()
    }
    return result
  }
}

extension StrictJSON {
  /// The member of an object.
  fileprivate subscript(key: String) -> StrictJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }
}
