import AgnesiExpressions
import AgnesiLoops

/// Strides, dilations and padding of a convolution or pooling, as its attributes state them.
struct ONNXWindows {
  var kernel: [Int]
  var strides: [Int]
  var dilations: [Int]
  var padBegin: [Int]
  var padEnd: [Int]
  /// Whether a last window that is not whole counts.
  var roundsUp = false
  /// `NOTSET`, `SAME_UPPER`, `SAME_LOWER` or `VALID`.
  private(set) var automatic: String

  init(_ call: ONNXCall, kernel: [Int]) throws {
    let count = kernel.count
    func list(_ name: String, _ fallback: Int, _ length: Int) throws -> [Int] {
      let values = try call.integers(name) ?? [Int](repeating: fallback, count: length)
      guard values.count == length else {
        throw ONNXRefusal("its \(name) are \(values) for \(count) axes")
      }
      return values
    }
    self.kernel = kernel
    strides = try list("strides", 1, count)
    dilations = try list("dilations", 1, count)
    guard (kernel + strides + dilations).allSatisfy({ $0 >= 1 }) else {
      throw ONNXRefusal("windows \(kernel) with strides \(strides) and dilations \(dilations)")
    }
    let pads = try list("pads", 0, 2 * count)
    (padBegin, padEnd) = (Array(pads.prefix(count)), Array(pads.suffix(count)))
    automatic = try call.text("auto_pad", "NOTSET")
    guard ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].contains(automatic) else {
      throw ONNXRefusal("auto_pad \"\(automatic)\" is not supported")
    }
    if automatic != "NOTSET" {
      padBegin = kernel.map { _ in 0 }
      padEnd = padBegin
    } else {
      roundsUp = try call.flag("ceil_mode")
    }
  }

  /// From the first to the last point of a window.
  func span(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

  /// Padding of so many elements in all, the odd one where the mode says.
  mutating func distribute(_ total: Int, axis: Int, moreBehind: Bool) {
    let (less, more) = (total / 2, total - total / 2)
    (padBegin[axis], padEnd[axis]) = moreBehind ? (less, more) : (more, less)
  }

  /// What `SAME_UPPER` and `SAME_LOWER` mean for these inputs: as many windows as strides fit.
  mutating func resolve(_ spatial: Shape) throws {
    guard automatic.hasPrefix("SAME") else { return }
    for axis in spatial.indices {
      var total = span(axis) - 1
      if strides[axis] > 1 {
        guard let size = spatial[axis].known else {
          throw ONNXRefusal("auto_pad \"\(automatic)\" for an axis of size \(spatial[axis])")
        }
        let outputs = (size + strides[axis] - 1) / strides[axis]
        total = max((outputs - 1) * strides[axis] + span(axis) - size, 0)
      }
      distribute(total, axis: axis, moreBehind: automatic == "SAME_UPPER")
    }
  }
}
