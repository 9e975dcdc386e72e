import AgnesiArrays
import AgnesiExpressions

private let ln2 = 0.693_147_180_559_945_3

let lossExtremes: [ExtremeCase] = [
  ExtremeCase("log of softmax", [1000, 0, -1000], [0, -1000, -2000]) { log(softmax($0)) },
  ExtremeCase("log of softmax written out", [1000, 0, -1000], [0, -1000, -2000]) {
    log(exp($0) / exp($0).sum(axes: [-1], keepingAxes: true))
  },
  ExtremeCase("softmax written out", [1000, 1000, -1000], [0.5, 0.5, 0]) {
    exp($0) / exp($0).sum(axes: [-1], keepingAxes: true)
  },
  ExtremeCase("log-sum-exp", [1000, 1000], [1000 + ln2]) {
    log(exp($0).sum()).expanded(axis: 0)
  },
  ExtremeCase("log-sum-exp, kept axes", [-1000, -1000], [-1000 + ln2]) {
    log(exp($0).sum(axes: [0], keepingAxes: true))
  },
  ExtremeCase("cross-entropy of softmax", [1000, 0, -1000], [1000]) { x in
    crossEntropy(softmax(x.reshaped([1, 3])), .constant(NDArray([Int32(1)])))
  },
  ExtremeCase("cross-entropy of softmax, distributions", [1000, 0, -1000], [500]) { x in
    let half = Tensor.constant(NDArray([Float(0.5), 0.5, 0], shape: [1, 3]))
    return crossEntropy(softmax(x.reshaped([1, 3])), half)
  },
  ExtremeCase("binary cross-entropy of sigmoid", [1000, -1000], [1000, 0]) {
    binaryCrossEntropy(sigmoid($0), .zeros(like: $0))
  },
  ExtremeCase("binary cross-entropy of sigmoid, a column", [1000, -1000], [1000, 0]) {
    let column = sigmoid($0.reshaped([2, 1]))
    return binaryCrossEntropy(column, .constant(NDArray([Float(0), 0])))
  },
  ExtremeCase("log softmax picked by labels", [1000, 0, -1000], [2000]) { x in
    let isChosen = Tensor.range(3) .== 2
    return -select(isChosen, log(softmax(x)), .constant(0)).sum(axes: [0], keepingAxes: true)
  },
]
