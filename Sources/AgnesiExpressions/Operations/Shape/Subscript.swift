import AgnesiLoops

/// What may stand in the brackets of a tensor: a position, a range, or an ``AxisSelection``.
public protocol AxisSelector: Sendable {
  var selection: AxisSelection { get }
}

/// What is taken of one axis.
public enum AxisSelection: AxisSelector {
  /// One position; the axis disappears.
  case position(Int)
  /// Positions from the first bound before the second one; nil: as far as the axis goes. Negative
  /// bounds count from the end, a negative step walks towards the start.
  case positions(from: Int?, to: Int?, by: Int)
  /// A new axis of size 1.
  case insertion
  /// All axes that the other selectors leave.
  case others

  public var selection: AxisSelection { self }
}

extension AxisSelector where Self == AxisSelection {
  /// The whole axis.
  public static var all: AxisSelection { .positions(from: nil, to: nil, by: 1) }
  /// A new axis of size 1.
  public static var newAxis: AxisSelection { .insertion }
  /// All axes that the other selectors leave; at most once.
  public static var rest: AxisSelection { .others }
  /// Every `step`th position from `start` before `end`; negative numbers count from the end.
  public static func slice(
    from start: Int? = nil, to end: Int? = nil, by step: Int = 1
  ) -> AxisSelection {
    .positions(from: start, to: end, by: step)
  }
}

extension Int: AxisSelector {
  public var selection: AxisSelection { .position(self) }
}
extension Range<Int>: AxisSelector {
  /// `-3 ..< 0` are the last three.
  public var selection: AxisSelection {
    let isToTheEnd = lowerBound < 0 && upperBound == 0
    return .positions(from: lowerBound, to: isToTheEnd ? nil : upperBound, by: 1)
  }
}
extension ClosedRange<Int>: AxisSelector {
  public var selection: AxisSelection {
    .positions(from: lowerBound, to: upperBound == -1 ? nil : upperBound + 1, by: 1)
  }
}
extension PartialRangeFrom<Int>: AxisSelector {
  public var selection: AxisSelection { .positions(from: lowerBound, to: nil, by: 1) }
}
extension PartialRangeUpTo<Int>: AxisSelector {
  public var selection: AxisSelection { .positions(from: nil, to: upperBound, by: 1) }
}
extension PartialRangeThrough<Int>: AxisSelector {
  public var selection: AxisSelection {
    .positions(from: nil, to: upperBound == -1 ? nil : upperBound + 1, by: 1)
  }
}

extension Tensor {
  /// Part of the leading axes: `x[2]`, `x[1..<3, .all, -1]`, `x[.rest, .newAxis]`,
  /// `x[.slice(by: -1)]`. Axes without a selector stay whole.
  public subscript<each Selector: AxisSelector>(_ selectors: repeat each Selector) -> Tensor {
    var list: [AxisSelection] = []
    for selector in repeat each selectors { list.append(selector.selection) }
    return selecting(list)
  }

  /// The part that `selections` name.
  package func selecting(_ selections: [AxisSelection]) -> Tensor {
    guard type.isKnown else { return self }
    guard let plan = SlicePlan(selections, shape) else {
      return rejected(by: "subscript", "\(selections.count) selectors for \(rank) axes")
    }
    return sliced(plan.starts, plan.ends, plan.steps).restoring(plan.kept)
  }

  /// The axes in the shape of a plan: dropped, kept, or new.
  private func restoring(_ kept: [SlicePlan.Axis]) -> Tensor {
    guard type.isKnown else { return self }
    let target = kept.map { axis -> Size in
      switch axis {
      case .new: 1
      case .old(let position): shape[position]
      }
    }
    return reshaped(target)
  }
}

/// Selectors as one slice of each axis.
struct SlicePlan {
  enum Axis { case new, old(Int) }

  private(set) var starts: [Size] = []
  private(set) var ends: [Size?] = []
  private(set) var steps: [Int] = []
  /// The axes of the result, in order.
  private(set) var kept: [Axis] = []

  /// Nil where there are more selectors than axes, two `rest`, or a step of 0.
  init?(_ selections: [AxisSelection], _ shape: Shape) {
    var (used, rests) = (0, 0)
    for selection in selections {
      switch selection {
      case .insertion: break
      case .others: rests += 1
      case .position, .positions: used += 1
      }
    }
    guard used <= shape.count, rests <= 1 else { return nil }
    let left = shape.count - used
    for selection in rests == 0 ? selections + [.others] : selections {
      switch selection {
      case .insertion: kept.append(.new)
      case .others: for _ in 0..<left { add(from: 0, to: nil, by: 1) }
      case .position(let position):
        add(from: Size(position), to: position == -1 ? nil : Size(position + 1), by: 1)
        kept.removeLast()
      case .positions(let start, let end, let step):
        guard step != 0 else { return nil }
        let first = start.map { Size($0) } ?? (step > 0 ? 0 : shape[starts.count] - 1)
        add(from: first, to: end.map { Size($0) }, by: step)
      }
    }
  }

  private mutating func add(from start: Size, to end: Size?, by step: Int) {
    kept.append(.old(starts.count))
    starts.append(start)
    ends.append(end)
    steps.append(step)
  }
}
