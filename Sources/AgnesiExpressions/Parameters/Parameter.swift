import AgnesiArrays
import AgnesiLoops
import Synchronization

/// A value that lives between calls: weights, running averages, the state of an update rule.
///
/// The initial value is drawn from seed and name when it is first asked for, so it does not depend
/// on the order in which a network was written.
public final class Parameter: Sendable {
  public let name: String
  public let shape: [Int]
  public let dtype: DType
  public let tags: ParameterTags
  public let initializer: Initializer
  public let seed: UInt64

  private struct State {
    var value: NDArray?
    var version = 0
    var failure: ParameterError?

    mutating func set(_ array: NDArray) {
      value = array.contiguous()
      version += 1
    }
  }

  /// How many values were not taken so far, in the whole process: as long as there are none, calls of
  /// functions need not look.
  private static let refusals = Atomic<Int>(0)

  private let state: Mutex<State>

  package init(
    name: String, shape: [Int], dtype: DType, tags: ParameterTags, initializer: Initializer,
    seed: UInt64
  ) {
    self.name = name
    self.shape = shape
    self.dtype = dtype
    self.tags = tags
    self.initializer = initializer
    self.seed = seed
    state = Mutex(State())
  }

  /// The current value; a copy that later steps do not change.
  ///
  /// A new value of another dtype or shape is not taken: the parameter keeps the old one, and the next call
  /// of a compiled function that uses it throws ``ParameterError``. ``assign(_:)`` throws at once.
  public var value: NDArray {
    get { state.withLock { materialized(&$0) } }
    set {
      let failure = mismatch(newValue)
      state.withLock {
        if failure == nil { $0.set(newValue) }
        $0.failure = failure
      }
      if failure != nil { Self.refusals.add(1, ordering: .relaxed) }
    }
  }

  private func mismatch(_ array: NDArray) -> ParameterError? {
    if array.shape == shape, array.dtype == dtype { return nil }
    return ParameterError(
      name: name, expected: "\(dtype)\(shape)", got: "\(array.dtype)\(array.shape)")
  }

  /// Throws what was wrong with the last value that the ``value`` of one of these was set to.
  package static func checkValues(of parameters: [Parameter]) throws {
    guard refusals.load(ordering: .relaxed) > 0 else { return }
    for parameter in parameters {
      if let failure = parameter.state.withLock({ $0.failure }) { throw failure }
    }
  }

  /// Sets the value from outside.
  ///
  /// - Throws: ``ParameterError`` where dtype or shape differ.
  public func assign(_ array: NDArray) throws {
    if let failure = mismatch(array) { throw failure }
    value = array
  }

  /// Draws the initial value again.
  public func reset() {
    state.withLock {
      $0.value = nil
      $0.failure = nil
      $0.version += 1
    }
  }

  private func materialized(_ state: inout State) -> NDArray {
    if let value = state.value { return value }
    let stream = Philox(seed: seed, name: name)
    let value = initializer.array(shape: shape, dtype: dtype, stream: stream)
    state.value = value
    return value
  }

  /// The memory of the value, for a compiled function that holds the lock on all parameters. Keep
  /// the storage only as long as that: while it is kept, the next writer copies.
  package func storage(forWriting: Bool) -> ArrayStorage {
    state.withLock { state in
      if state.value == nil { _ = materialized(&state) }
      if forWriting { state.version += 1 }
      guard let storage = Self.storage(&state, forWriting: forWriting) else {
        internalError("parameter \(name) has no value")
      }
      return storage
    }
  }

  /// Works on the array inside the state: a copy in a local variable would make it look shared.
  private static func storage(_ state: inout State, forWriting: Bool) -> ArrayStorage? {
    if !forWriting, state.value?.startsItsStorage ?? false { return state.value?.storage }
    return state.value?.uniqueStorage()
  }

  /// Whether the value takes memory already: the initial one is drawn when it is first asked for.
  package var hasValue: Bool { state.withLock { $0.value != nil } }

  /// Grows with each change.
  package var version: Int { state.withLock { $0.version } }
}

extension Parameter: Hashable {
  public static func == (a: Parameter, b: Parameter) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// A value that does not fit its parameter.
public struct ParameterError: Error, Sendable, Hashable, CustomStringConvertible {
  public let name: String
  public let expected: String
  public let got: String

  public var description: String { "parameter \"\(name)\" is \(expected), got a value of \(got)" }
}

/// What a parameter is for.
public struct ParameterTags: OptionSet, Hashable, Sendable, Codable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Changed by update rules.
  public static let trainable = ParameterTags(rawValue: 1)
  /// Subject to weight penalties: weights, not biases.
  public static let regularizable = ParameterTags(rawValue: 2)
  /// Statistics of data, such as running averages.
  public static let statistic = ParameterTags(rawValue: 4)
  /// The state of an update rule: not part of a model.
  public static let updateState = ParameterTags(rawValue: 8)

  /// Trainable and regularizable.
  public static let weight: ParameterTags = [.trainable, .regularizable]
}

extension Tensor {
  /// A value that lives between calls.
  ///
  /// - Parameters:
  ///   - name: unique within a function; prefixed by the enclosing ``Scope``; the key in files.
  ///   - shape: known sizes.
  ///   - initializer: what the first value is drawn from.
  public static func parameter(
    _ name: String, _ shape: Shape, _ initializer: Initializer = .zeros,
    _ tags: ParameterTags = .weight, dtype: DType = .float32
  ) -> Tensor {
    let fullName = Scope.qualified(name)
    guard let known = TensorType(dtype, shape).knownShape, known.allSatisfy({ $0 >= 0 }) else {
      return .failed(
        GraphError(
          "parameter \"\(fullName)\"", "needs known sizes, got \(TensorType(dtype, shape))"))
    }
    let parameter = Parameter(
      name: fullName, shape: known, dtype: dtype, tags: tags, initializer: initializer,
      seed: Scope.seed)
    return Tensor(ParameterLeaf(parameter))
  }

  /// The tensor of an existing parameter: sharing.
  public static func parameter(_ parameter: Parameter) -> Tensor {
    Tensor(ParameterLeaf(parameter))
  }
}
