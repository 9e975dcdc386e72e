// How the frameworks call what belongs to a layer. A network's table names layers only: ours and
// theirs.

extension WeightTable {
  /// What a layer of a table is.
  enum Kind: Sendable {
    /// Kernels and a bias.
    case convolution
    /// Kernels alone.
    case kernels
    /// Matrix and bias.
    case dense
    /// Scale, offset and statistics of a batch normalisation.
    case norm
  }

  /// A layer here and there.
  struct Layer: Sendable {
    var kind: Kind
    var ours: String
    var theirs: String

    init(_ kind: Kind, _ ours: String, _ theirs: String) {
      self.kind = kind
      self.ours = ours
      self.theirs = theirs
    }
  }

  /// PyTorch's state dictionaries: matrices are `[out, in]`, norms count their batches.
  static func torch(_ origin: String, _ layers: [Layer]) -> WeightTable {
    let rows = layers.flatMap { layer -> [WeightRow] in
      let (ours, theirs) = (layer.ours, layer.theirs)
      let bias = WeightRow("\(ours).bias", "\(theirs).bias")
      switch layer.kind {
      case .convolution: return [WeightRow("\(ours).weight", "\(theirs).weight"), bias]
      case .kernels: return [WeightRow("\(ours).weight", "\(theirs).weight")]
      case .dense: return [WeightRow("\(ours).weight", "\(theirs).weight", .transposed), bias]
      case .norm:
        return [
          WeightRow("\(ours).scale", "\(theirs).weight"),
          WeightRow("\(ours).offset", "\(theirs).bias"),
          WeightRow("\(ours).runningMean", "\(theirs).running_mean"),
          WeightRow("\(ours).runningVariance", "\(theirs).running_var"),
        ]
      }
    }
    return WeightTable(origin: origin, rows: rows, ignoredEndings: [".num_batches_tracked"])
  }

  /// Lasagne's lists of values in the order of use, as `arr_N` of an npz file or `param values/N` of
  /// a pickle. Matrices are `[in, out]`; norms hold beta, gamma, mean and `1 / √(variance + ε)`.
  static func lasagne(
    _ layers: [Layer], prefix: String, epsilon: Double = 1e-4
  ) -> WeightTable {
    let fields = layers.flatMap { layer -> [(String, WeightConversion)] in
      let ours = layer.ours
      switch layer.kind {
      case .kernels: return [("\(ours).weight", .same)]
      case .convolution, .dense: return [("\(ours).weight", .same), ("\(ours).bias", .same)]
      case .norm:
        return [
          ("\(ours).offset", .same), ("\(ours).scale", .same), ("\(ours).runningMean", .same),
          ("\(ours).runningVariance", .inverseDeviation(epsilon: epsilon)),
        ]
      }
    }
    let rows = fields.enumerated().map { number, field in
      WeightRow(field.0, "\(prefix)\(number)", field.1)
    }
    return WeightTable(
      origin: "Lasagne", rows: rows, ignoredEndings: ["mean value", "mean image", "mean_image"])
  }

  /// Caffe's blobs, `layer/0` and `layer/1`. A norm there is two layers: `theirs` names both, with a
  /// space between, statistics first.
  static func caffe(_ layers: [Layer]) -> WeightTable {
    let rows = layers.flatMap { layer -> [WeightRow] in
      let (ours, theirs) = (layer.ours, layer.theirs)
      switch layer.kind {
      case .kernels: return [WeightRow("\(ours).weight", "\(theirs)/0", .reshaped)]
      case .convolution:
        return [
          WeightRow("\(ours).weight", "\(theirs)/0", .reshaped),
          WeightRow("\(ours).bias", "\(theirs)/1", .reshaped),
        ]
      case .dense:
        return [
          WeightRow("\(ours).weight", "\(theirs)/0", .transposed),
          WeightRow("\(ours).bias", "\(theirs)/1", .reshaped),
        ]
      case .norm:
        let names = theirs.split(separator: " ")
        let (statistics, affine) = (names.first ?? "", names.last ?? "")
        return [
          WeightRow("\(ours).scale", "\(affine)/0", .reshaped),
          WeightRow("\(ours).offset", "\(affine)/1", .reshaped),
          WeightRow("\(ours).runningMean", "\(statistics)/0", .divided(by: "\(statistics)/2")),
          WeightRow("\(ours).runningVariance", "\(statistics)/1", .divided(by: "\(statistics)/2")),
        ]
      }
    }
    return WeightTable(origin: "Caffe", rows: rows)
  }
}
