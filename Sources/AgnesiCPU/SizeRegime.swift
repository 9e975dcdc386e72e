import AgnesiCompiler
import AgnesiLoops

/// What of a call's sizes decides how a program is laid out and lowered: for each name, whether
/// there are few or many. The code of a regime is right for all sizes, and good for those of its
/// own.
///
/// A batch of one photo wants other loops than a hundred samples; a hundred and sixty want the same.
/// The code of a regime is made for ``expected``, not for the sizes of the call that came first, so
/// equal sizes run equal code in every process and after any other calls.
package struct SizeRegime: Hashable, Sendable {
  /// The sizes that stand for all of the regime.
  package let expected: [String: Int]

  /// Fewer than this do not fill the lanes of a vector.
  private static let few = 8

  /// A single photo or sample is by far the most frequent of few.
  private static let expectedFew = 1
  private static let expectedMany = 64
  /// What stands for a size of which nobody knows anything.
  static let unknown = expectedMany

  /// Names that decide for themselves, the first ones of the inputs; the others decide together, so
  /// that there are at most 16 regimes.
  private static let ownNames = 3

  package init(_ sizes: [String: Int], of program: GraphProgram) {
    var names: [String] = []
    for size in program.inputs.flatMap(\.shape) {
      names += size.symbols.sorted().filter { !names.contains($0) }
    }
    names += sizes.keys.sorted().filter { !names.contains($0) }
    func isFew(_ name: String) -> Bool { sizes[name].map { $0 < Self.few } ?? false }
    let others = names.dropFirst(Self.ownNames)
    let areOthersFew = others.contains(where: isFew)
    var expected: [String: Int] = [:]
    for (position, name) in names.enumerated() where sizes[name] != nil {
      let isFew = position < Self.ownNames ? isFew(name) : areOthersFew
      expected[name] = isFew ? Self.expectedFew : Self.expectedMany
    }
    self.expected = expected
  }
}
