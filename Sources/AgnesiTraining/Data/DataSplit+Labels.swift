import AgnesiArrays

/// What was seen when the labels of all parts were looked at, none of which is refused.
package struct LabelFindings: Hashable, Sendable {
  /// Sentences with counts.
  package var warnings: [String]
}

/// Whether the parts of a data set fit each other in their labels, which is looked at before anything is
/// learned.
extension DataSplit {
  /// The parts that are there, with what they are called.
  package var parts: [(name: String, data: DataSet)] {
    [("training", train), ("validation", validation), ("test", test)].compactMap { name, data in
      data.map { (name, $0) }
    }
  }

  /// Looks at the labels of all parts, once: the result holds what was found, and what takes it over need not
  /// look again.
  ///
  /// - Throws: ``DataError`` where validation or test samples have labels that the classes do not
  ///   reach: they could never be told rightly, and there is no name for them.
  @discardableResult
  public func checkingLabels() throws(DataError) -> DataSplit {
    if labelFindings != nil { return self }
    try refuseLabels()
    var result = self
    result.labelFindings = LabelFindings(warnings: labelWarnings(besides: []))
    return result
  }

  private func refuseLabels() throws(DataError) {
    guard train.count > 0 else {
      throw DataError("use the training samples of \(train.name)", "there are none")
    }
    guard train.isClassification else { return }
    let classes = train.classCount
    if train.classNames.isEmpty, classes > max(1000, 10 * train.count),
      let sample = train.labels.firstIndex(where: { Int($0) == classes - 1 })
    {
      throw DataError(
        "use the training samples of \(train.name)",
        "sample \(sample) has the label \(classes - 1), so that \(train.count) samples would be of "
          + "\(classes) classes", hint: "number the classes 0, 1, 2 and so on")
    }
    for (part, data) in parts.dropFirst() {
      guard data.isClassification else {
        throw DataError(
          "use the \(part) samples of \(train.name)",
          "their targets are \(data.targets.dtype)\(data.targets.shape), those of the training samples "
            + "are labels of classes")
      }
      let beyond = data.labels.filter { $0 >= classes }
      guard let most = beyond.max() else { continue }
      throw DataError(
        "use the \(part) samples of \(train.name)",
        "\(beyond.count) of \(data.count) have labels beyond the classes, up to \(most); those of the "
          + "training samples are 0 to \(classes - 1)",
        hint: "give the names of all classes, or leave these samples out")
    }
  }

  /// What may be a mistake in the labels, though training can go on: sentences with counts.
  public var labelWarnings: [String] { labelFindings?.warnings ?? labelWarnings(besides: []) }

  /// The same where there are other parts that are not looked at yet.
  ///
  /// - Parameter others: what such a part is called, and the labels of its samples.
  package func labelWarnings(besides others: [(name: String, labels: [Int])]) -> [String] {
    if !train.isClassification { return [] }
    let counts =
      parts.filter(\.data.isClassification).map {
        ($0.name, Self.counts($0.data.labels.map(Int.init), classes: $0.data.classCount))
      } + others.map { ($0.name, Self.counts($0.labels, classes: train.classCount)) }
    let classes = max(train.classCount, counts.map(\.1.count).max() ?? 0)
    func count(_ part: Int, _ label: Int) -> Int {
      counts[part].1.indices.contains(label) ? counts[part].1[label] : 0
    }
    if beginsAtOne {
      return [
        "warning: the labels are 1 to \(classes - 1), no sample has the label 0: labels count from 0, "
          + "and the network gets a class that is never seen"
      ]
    }
    var warnings: [String] = []
    var empty: [Int] = []
    for label in 0..<classes where count(0, label) == 0 {
      let others = counts.indices.dropFirst().filter { count($0, label) > 0 }
      if others.isEmpty {
        empty.append(label)
        continue
      }
      let texts = others.map { part in
        let number = count(part, label)
        return "\(number) \(counts[part].0) sample\(number == 1 ? "" : "s")"
      }
      let pronoun = others.reduce(0) { $0 + count($1, label) } == 1 ? "it" : "they"
      let learned = (0..<classes).filter { count(0, $0) > 0 }
      warnings.append(
        "warning: the class \(name(label)) has no training samples, but \(DataFolder.list(texts)): "
          + "\(pronoun) cannot be told rightly\(meant(label, among: learned))")
    }
    if let warning = emptyWarning(empty) { warnings.append(warning) }
    let seen = counts.first.map { $0.1.count { $0 > 0 } } ?? 0
    if classes > 0, seen == 1, let label = train.labels.first {
      warnings.append(
        "warning: all \(train.count) training samples are of the class \(name(Int(label))): "
          + "there is nothing to tell apart")
    }
    return warnings
  }

  /// Whether no names are given and the smallest label of all parts is 1.
  private var beginsAtOne: Bool {
    train.classNames.isEmpty && train.labels.min() == 1
      && parts.allSatisfy { ($0.data.labels.min() ?? 1) >= 1 }
  }

  private func emptyWarning(_ labels: [Int]) -> String? {
    if labels.isEmpty { return nil }
    let shown = labels.prefix(10).map(name)
    let rest = labels.count > shown.count ? ["\(labels.count - shown.count) more"] : []
    let names = DataFolder.list(shown + rest)
    return labels.count == 1
      ? "warning: the class \(names) has no samples in any part"
      : "warning: the classes \(names) have no samples in any part"
  }

  /// Classes that may have been meant by one that is misspelt in a part; empty where there is none.
  private func meant(_ label: Int, among others: [Int]) -> String {
    func letters(_ name: String) -> String { name.filter { !$0.isNumber } }
    let wanted = name(label)
    // Names that only numbers tell apart are near to each other, and mean nothing by it.
    let names = others.map(name).filter { letters($0) != letters(wanted) }
    return NearestNames.question(wanted, in: names).map { "; \($0)" } ?? ""
  }

  private func name(_ label: Int) -> String {
    train.classNames.indices.contains(label) ? train.classNames[label] : String(label)
  }

  /// Samples of each label, as many as there are labels.
  private static func counts(_ labels: [Int], classes: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: max(classes, (labels.max() ?? -1) + 1))
    for label in labels where label >= 0 { counts[label] += 1 }
    return counts
  }
}
