import AgnesiLoops

/// Finds what several values have in common and gives it a name, so that it is computed once.
///
/// Only what is computed in any case: the branches of a select are left alone, since a read in
/// there may be out of bounds when the branch is not taken.
struct Sharing {
  private(set) var statements: [Statement] = []
  private(set) var values: [Scalar] = []

  /// - Parameter firstLocal: the number of the first new local variable.
  init(_ scalars: [Scalar], firstLocal: Int) {
    var uses: [Scalar: Int] = [:]
    var order: [Scalar] = []
    for scalar in scalars { Self.count(scalar, &uses, &order) }
    var names: [Scalar: Scalar] = [:]
    for scalar in order where (uses[scalar] ?? 0) > 1 && scalar.isWorthNaming {
      let local = Scalar.local(firstLocal + statements.count, scalar.dtype)
      let value = scalar.replacingTopDown { $0 === scalar ? nil : names[$0] }
      statements.append(.define(firstLocal + statements.count, value))
      names[scalar] = local
    }
    let found = names
    values = scalars.map { $0.replacingTopDown { found[$0] } }
  }

  private static func count(
    _ scalar: Scalar, _ uses: inout [Scalar: Int], _ order: inout [Scalar]
  ) {
    // Depth is bounded by the size of one fused formula.
    uses[scalar, default: 0] += 1
    if uses[scalar] ?? 0 > 1 { return }
    if case .select(let condition, _, _) = scalar.kind {
      count(condition, &uses, &order)
    } else {
      for operand in scalar.operands { count(operand, &uses, &order) }
    }
    order.append(scalar)
  }
}

extension Scalar {
  fileprivate var isWorthNaming: Bool {
    switch kind {
    case .constant, .index, .local: false
    default: true
    }
  }
}
