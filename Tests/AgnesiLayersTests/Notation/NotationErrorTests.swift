import AgnesiLayers
import TestSupport
import Testing

@Suite struct NotationErrorTests {
  private static let layers =
    "20C5 (convolution), 256FC (dense), MP2 and AP2 (pooling), GAP, BN, D0.5 (dropout), "
    + "U2 (enlarging), flatten, or a nonlinearity: relu, relu6, lrelu, elu, selu, gelu, sigmoid, "
    + "tanh, stanh, softplus, softsign, hsigmoid, softmax, logsoftmax, linear"

  private static let cases: [(text: String, error: String)] = [
    ("", "there is no layer\n  allowed: \(layers)"),
    (" \n ", "there is no layer\n  allowed: \(layers)"),
    ("20C5 MQ2", "token 2, \"MQ2\": is no layer\n  hint: did you mean MP2?"),
    ("20C5 QQQ2", "token 2, \"QQQ2\": is no layer\n  allowed: \(layers)"),
    ("reul", "token 1, \"reul\": is no layer\n  hint: did you mean relu?"),
    ("sofmax", "token 1, \"sofmax\": is no layer\n  hint: did you mean softmax?"),
    ("flaten", "token 1, \"flaten\": is no layer\n  hint: did you mean flatten?"),
    ("maxpool2", "token 1, \"maxpool2\": is no layer\n  hint: did you mean MP2?"),
    ("dropout0.5", "token 1, \"dropout0.5\": is no layer\n  hint: did you mean D0.5?"),
    ("batchnorm", "token 1, \"batchnorm\": is no layer\n  hint: did you mean BN?"),
    ("64CF", "token 1, \"64CF\": is no layer\n  hint: did you mean 64FC?"),
    ("64dense", "token 1, \"64dense\": is no layer\n  hint: did you mean 64FC?"),
    ("16conv3", "token 1, \"16conv3\": is no layer\n  hint: did you mean 16C5?"),
    ("20C5 ?", "token 2, \"?\": is no layer\n  allowed: \(layers)"),
    (
      "20C5 50Q5",
      "token 2, \"50Q5\": is no layer\n  allowed: after a number, C (convolution) or FC (dense)"
    ),
    (
      "20", "token 1, \"20\": is no layer\n  allowed: after a number, C (convolution) or FC (dense)"
    ),
    ("20C", "token 1, \"20C\": needs the size of the kernels, as in 20C5"),
    ("0C5", "token 1, \"0C5\": needs at least 1 kernel"),
    ("20C0", "token 1, \"20C0\": needs numbers of at least 1, got 0"),
    ("20C5x", "token 1, \"20C5x\": needs a number of columns behind the x, as in 5x3"),
    (
      "20C5q1",
      "token 1, \"20C5q1\": \"q1\" is not understood\n"
        + "  allowed: behind the size, s (stride), p (padding), d (dilation), g (groups)"
    ),
    ("20C5s2p1s2", "token 1, \"20C5s2p1s2\": s is given twice"),
    ("20C5s", "token 1, \"20C5s\": needs a number behind s, the stride"),
    ("20C5s0", "token 1, \"20C5s0\": needs numbers of at least 1, got 0"),
    ("20C5p", "token 1, \"20C5p\": needs a number, same or full behind p, the padding"),
    ("20C5d", "token 1, \"20C5d\": needs a number behind d, the dilation"),
    ("20C5g0", "token 1, \"20C5g0\": needs a number of groups, at least 1, behind g"),
    ("MP2 0FC", "token 2, \"0FC\": needs at least 1 unit"),
    ("FC", "token 1, \"FC\": needs a number of units, as in 256FC or FC256"),
    (
      "256FCs2", "token 1, \"256FCs2\": is no layer\n  hint: did you mean 256FC?"
    ),
    ("256FC2", "token 1, \"256FC2\": \"2\" at its end is not understood"),
    ("MP", "token 1, \"MP\": needs the size of the windows, as in MP2"),
    (
      "MP2d2",
      "token 1, \"MP2d2\": \"d2\" is not understood\n"
        + "  allowed: behind the size, s (stride), p (padding)"
    ),
    (
      "MP2psame",
      "token 1, \"MP2psame\": the padding of windows must be a number, as in MP3s2p1"
    ),
    ("AP", "token 1, \"AP\": needs the size of the windows, as in AP2"),
    ("D", "token 1, \"D\": needs the rate of dropout, as in D0.5"),
    ("D1", "token 1, \"D1\": the rate of dropout must be at least 0 and below 1"),
    ("D-0.5", "token 1, \"D-0.5\": the rate of dropout must be at least 0 and below 1"),
    ("D0.5.5", "token 1, \"D0.5.5\": \"0.5.5\" is no number"),
    ("U", "token 1, \"U\": needs the factor, as in U2"),
    ("GAP2", "token 1, \"GAP2\": \"2\" at its end is not understood"),
    ("relu2", "token 1, \"relu2\": only relu6 has a bound"),
    (
      "99999999999999999999FC",
      "token 1, \"99999999999999999999FC\": the number 99999999999999999999 is too large"
    ),
    ("9999999999FC", "token 1, \"9999999999FC\": the number 9999999999 is too large"),
  ]

  @Test(arguments: cases.indices) func texts(_ index: Int) {
    let (text, error) = Self.cases[index]
    #expect(errorText { _ = try Notation.parse(text) } == "notation: \(error)")
  }

  @Test func partsAreThere() throws {
    do {
      _ = try Notation.parse("20C5 MP2 50Q5")
      Issue.record("nothing was thrown")
    } catch let error as NotationError {
      #expect(error.position == 3)
      #expect(error.token == "50Q5")
    }
  }
}
