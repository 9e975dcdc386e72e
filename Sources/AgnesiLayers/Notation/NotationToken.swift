import AgnesiArrays
import AgnesiExpressions

/// One word of the notation, understood.
enum NotationToken {
  /// A layer whose nonlinearity stands elsewhere, or nowhere.
  case weights(any Normalizable)
  case normalization(BatchNormalization)
  case activation(Activation)
  case other(any Layer)

  var isWeights: Bool {
    if case .weights = self { return true }
    return false
  }

  var layer: any Layer {
    switch self {
    case .weights(let layer): layer
    case .normalization(let layer): layer
    case .activation(let activation): ActivationLayer(activation)
    case .other(let layer): layer
    }
  }

  static let allowed =
    "20C5 (convolution), 256FC (dense), MP2 and AP2 (pooling), GAP, BN, D0.5 (dropout), "
    + "U2 (enlarging), flatten, or a nonlinearity: "
    + NotationWords.all.map(\.word).joined(separator: ", ")

  /// - Parameter position: of the word, from 1.
  init(_ word: String, position: Int) throws {
    var scanner = NotationScanner(word, position: position)
    if let number = try scanner.integer() {
      self = try Self.counted(number, &scanner)
    } else {
      self = try Self.named(&scanner)
    }
    try scanner.expectEnd()
  }

  /// What begins with a number: `20C5`, `256FC`.
  private static func counted(_ count: Int, _ scanner: inout NotationScanner) throws -> Self {
    let letters = scanner.letters()
    switch letters {
    case "fc": return .weights(try dense(count, scanner))
    case "c":
      guard count >= 1 else { throw scanner.error("needs at least 1 kernel") }
      let kernel = try scanner.extent("the size of the kernels, as in 20C5")
      let suffixes = try scanner.suffixes(["s", "p", "d", "g"])
      return .weights(
        Convolution2D(
          filters: count, kernel: kernel, stride: suffixes.stride ?? 1,
          padding: suffixes.padding ?? .valid, dilation: suffixes.dilation ?? 1,
          groups: suffixes.groups ?? 1))
    default:
      throw scanner.error(
        "is no layer", near: nearest(letters, counted: count),
        allowed: "after a number, C (convolution) or FC (dense)")
    }
  }

  /// What a word that is no layer may have meant.
  ///
  /// - Parameter counted: the number before it; nil where there is none.
  private static func nearest(_ letters: String, counted: Int?) -> [String] {
    let forms = NotationWords.forms.filter { counted == nil || $0.isCounted }
    let words = forms.map(\.word)
    let known = counted == nil ? words + NotationWords.all.map(\.word) : words
    return NearestNames.of(letters, in: known).map { word in
      let form = forms.first { $0.word == word }?.form ?? word
      return counted.map { form.replacing("256", with: "\($0)").replacing("20C", with: "\($0)C") }
        ?? form
    }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  private static func dense(_ units: Int, _ scanner: NotationScanner) throws -> Dense {
    guard units >= 1 else { throw scanner.error("needs at least 1 unit") }
    return Dense(units: units)
  }

  /// What begins with a word: `MP2`, `BN`, `relu`.
  private static func named(_ scanner: inout NotationScanner) throws -> Self {
    let letters = scanner.letters()
    switch letters {
    case "fc":
      guard let units = try scanner.integer() else {
        throw scanner.error("needs a number of units, as in 256FC or FC256")
      }
      return .weights(try dense(units, scanner))
    case "mp":
      let window = try scanner.extent("the size of the windows, as in MP2")
      let suffixes = try scanner.suffixes(["s", "p"])
      return .other(
        MaxPool2D(window, stride: suffixes.stride, padding: try suffixes.poolPadding(scanner)))
    case "ap":
      let window = try scanner.extent("the size of the windows, as in AP2")
      let suffixes = try scanner.suffixes(["s", "p"])
      return .other(
        AveragePool2D(window, stride: suffixes.stride, padding: try suffixes.poolPadding(scanner)))
    case "gap": return .other(GlobalAveragePool2D())
    case "bn": return .normalization(BatchNormalization())
    case "d": return .other(Dropout(try rate(&scanner)))
    case "u": return .other(Upsample2D(by: try scanner.extent("the factor, as in U2")))
    case "flatten": return .other(Flatten())
    default: return .activation(try activation(letters, &scanner))
    }
  }

  private static func rate(_ scanner: inout NotationScanner) throws -> Double {
    guard let rate = try scanner.number() else {
      throw scanner.error("needs the rate of dropout, as in D0.5")
    }
    guard rate >= 0, rate < 1 else {
      throw scanner.error("the rate of dropout must be at least 0 and below 1")
    }
    return rate
  }

  private static func activation(
    _ word: String, _ scanner: inout NotationScanner
  ) throws -> Activation {
    guard let found = NotationWords.all.first(where: { $0.word == word })?.activation else {
      throw scanner.error("is no layer", near: nearest(word, counted: nil), allowed: allowed)
    }
    if found == .relu, let bound = try scanner.integer() {
      guard bound == 6 else { throw scanner.error("only relu6 has a bound") }
      return .relu6
    }
    guard found.parts.parameters.count == 1, let value = try scanner.number() else {
      return found
    }
    return found.with([value])
  }
}

/// The nonlinearities in the notation's words; `lrelu` and `elu` may have a number behind them.
enum NotationWords {
  static let all: [(word: String, activation: Activation)] = [
    ("relu", .relu), ("relu6", .relu6), ("lrelu", .leakyReLU()), ("elu", .elu()), ("selu", .selu),
    ("gelu", .gelu), ("sigmoid", .sigmoid), ("tanh", .tanh), ("stanh", .scaledTanh()),
    ("softplus", .softplus),
    ("softsign", .softsign), ("hsigmoid", .hardSigmoid), ("softmax", .softmax),
    ("logsoftmax", .logSoftmax), ("linear", .identity),
  ]

  /// The tokens by the words that stand for them, in the notation and elsewhere: what is meant by
  /// other systems' words or by misspelt ones. `isCounted` are those that begin with a number.
  static let forms: [(word: String, form: String, isCounted: Bool)] = [
    ("c", "20C5", true), ("conv", "20C5", true), ("convolution", "20C5", true),
    ("fc", "256FC", true), ("dense", "256FC", true), ("units", "256FC", true),
    ("mp", "MP2", false), ("maxpool", "MP2", false), ("ap", "AP2", false),
    ("avgpool", "AP2", false), ("averagepool", "AP2", false), ("gap", "GAP", false),
    ("globalaveragepool", "GAP", false), ("bn", "BN", false), ("batchnorm", "BN", false),
    ("batchnormalization", "BN", false), ("dropout", "D0.5", false), ("upsample", "U2", false),
    ("flatten", "flatten", false), ("leakyrelu", "lrelu", false), ("identity", "linear", false),
  ]

  /// The word for `activation`; nil where there is none.
  static func text(_ activation: Activation) -> String? {
    if let usual = all.first(where: { $0.activation == activation }) { return usual.word }
    let parts = activation.parts
    guard parts.parameters.count == 1,
      let word = all.first(where: { $0.activation.parts.name == parts.name })?.word
    else { return nil }
    return word + number(parts.parameters[0].value)
  }

  /// `2` rather than `2.0`.
  static func number(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
