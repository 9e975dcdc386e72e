import Agnesi
import Foundation
import TestSupport
import Testing

/// Mistakes of users: the whole text, and the status.
struct WrongUseTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  @Test func unknownDataSets() throws {
    try workplace.expect(
      "cannot open the data set fasion-mnist: there is no folder and no known data set of that "
        + "name; did you mean fashion-mnist?", from: ["train", "fasion-mnist"])
    try workplace.expect(
      "cannot open the data set nothing: there is no folder and no known data set of that "
        + "name; known are mnist, fashion-mnist and cifar10", from: ["train", "nothing"])
  }

  /// What is misspelt must not become a place of downloads.
  @Test func foldersOfDataThatAreNotThere() throws {
    let near = workplace.path("bras")
    try workplace.expect(
      "--data \(near): there is no such folder\n  hint: did you mean \(workplace.data)?",
      from: ["train", "mnist", "--data", near, "--output", workplace.path("m.safetensors")])
    try workplace.expect(
      "--data /nothing/here: there is no such folder\n"
        + "  hint: --data names a folder that holds the data set, or is to hold it",
      from: [
        "train", "mnist", "--data", "/nothing/here", "--output", workplace.path("m.safetensors"),
      ])
    #expect(workplace.folder.names == ["bars"])
  }

  @Test func numbersThatCannotBe() throws {
    for value in ["abc", "0", "-2", "1.5"] {
      let outcome = try workplace.agnesi(
        workplace.training("bars.safetensors"), environment: ["AGNESI_THREADS": value])
      #expect(outcome.status == 64)
      #expect(
        outcome.errors.contains(
          "AGNESI_THREADS is \(value), it must be a whole number of at least 1"))
    }
    for top in ["0", "-1"] {
      let outcome = try workplace.agnesi("predict", "m.safetensors", "bars", "--top", top)
      #expect(outcome.status == 64)
      #expect(outcome.errors.contains("--top is \(top), it must be at least 1"))
    }
  }

  /// A model under the name of another format would be read by nothing.
  @Test func modelsOfOtherFormats() throws {
    let base = workplace.path("bars")
    try workplace.expect(
      """
      train: models are saved as safetensors, not as \(base).onnx
        hint: --output \(base).safetensors, then agnesi export \(base).safetensors \(base).onnx
      """, from: ["train", workplace.data, "--output", base + ".onnx"], status: 64)
  }

  /// What would destroy a file that was asked for, that is read, or that is somebody's.
  @Test func outputsThatWouldDestroyFiles() throws {
    let model = workplace.path("bars.safetensors")
    try workplace.expect(
      "train: --report \(model) is the file of --output, too\n  hint: give it another name",
      from: ["train", workplace.data, "--output", model, "--report", model])
    let photo = workplace.path("photo.jpg")
    try Data("a photo".utf8).write(to: URL(fileURLWithPath: photo))
    try workplace.expect(
      "train: --report \(photo) is there already, and is no page\n  hint: give it another name",
      from: ["train", workplace.data, "--output", model, "--report", photo])
    try workplace.expect(
      "classify: --report \(photo) is what the command reads\n  hint: give it another name",
      from: ["classify", model, photo, "--report", photo])
    let again = workplace.path("./photo.jpg")
    try workplace.expect(
      "export: the file \(again) is what the command reads\n  hint: give it another name",
      from: ["export", photo, again])
    #expect(try Data(contentsOf: URL(fileURLWithPath: photo)) == Data("a photo".utf8))
  }

  @Test func misspeltNames() throws {
    let output = workplace.path("bars.safetensors")
    func train(_ option: String, _ value: String) -> [String] {
      ["train", workplace.data, option, value, "--output", output]
    }
    try workplace.expect(
      "no optimizer is called \"nestrov\"\n  hint: did you mean nesterov?",
      from: train("--optimizer", "nestrov"), status: 64)
    try workplace.expect(
      "no schedule is called \"onecycle\"\n  hint: did you mean one-cycle?",
      from: train("--schedule", "onecycle"), status: 64)
    try workplace.expect(
      "notation: token 1, \"20CF\": is no layer\n  hint: did you mean 20FC?",
      from: train("--network", "20CF"), status: 64)
    try workplace.expect(
      """
      cannot open the network restnet18: there is no such file, and the zoo has no network of \
      that name
        hint: did you mean resnet18?
      """, from: ["export", "restnet18", workplace.path("x.onnx")])
    try workplace.expect(
      """
      cannot find the network efficientnetlite0: the zoo has no network of that name
        hint: did you mean efficientnet-lite0?
      """, from: ["models", "get", "efficientnetlite0"])
    let near = workplace.path("bras")
    try workplace.expect(
      "cannot open the data set \(near): there is no folder and no known data set of that name; "
        + "did you mean \(workplace.data)?", from: ["train", near])
    for (arguments, text) in [
      (["trian"], "Error: Unexpected argument 'trian', did you mean train?"),
      (["evalute", "m"], "Error: Unexpected argument 'evalute', did you mean evaluate?"),
      (["models", "gte"], "Error: Unexpected argument 'gte', did you mean get?"),
      (
        ["train", "mnist", "--epoch", "3"],
        "Error: Unknown option '--epoch'. Did you mean '--epochs'?"
      ),
      (
        ["explain", "vgg19", "photo.jpg", "--methods", "gradcma"],
        "Error: --methods gradcma, did you mean gradcam?"
      ),
    ] {
      let outcome = try workplace.agnesi(arguments)
      #expect(outcome.errors.hasPrefix(text + "\n"), "\(arguments): \(outcome.errors)")
      #expect(outcome.status == 64, "\(arguments)")
      #expect(outcome.output == "", "\(arguments)")
    }
  }

  @Test func networksOfTheZooThatAreNoChains() throws {
    func train(_ network: String) -> [String] { ["train", workplace.data, "--network", network] }
    try workplace.expect(
      """
      train: the network resnet18 is no chain of layers, which --network has to be
        hint: photos train it: agnesi transfer resnet18 FOLDER --from-scratch
      """, from: train("resnet18"), status: 64)
    try workplace.expect(
      "train: the network unet is no chain of layers, which --network has to be",
      from: train("unet"), status: 64)
    try workplace.expect(
      """
      train: --network lenet is no network of the zoo and no notation
        hint: did you mean lenet5 or lenet-caffe?
      """, from: train("lenet"), status: 64)
  }

  @Test func wrongNotation() throws {
    try workplace.expect(
      """
      notation: token 2, "10XX": is no layer
        allowed: after a number, C (convolution) or FC (dense)
      """, from: ["train", workplace.data, "--network", "20FC 10XX"], status: 64)
    try workplace.expect(
      """
      notation: token 1, "10XX": is no layer
        allowed: after a number, C (convolution) or FC (dense)
      """, from: ["summary", "10XX"], status: 64)
  }

  @Test func wrongNumberOfClasses() throws {
    try workplace.expect(
      """
      train: the network's output is float32[batch, 9], the data have 10 classes
        hint: the last layer must have 10 units, as in 10FC
      """, from: workplace.training("bars.safetensors", network: "9FC"),
      after: workplace.dataNote)
    #expect(workplace.folder.names == ["bars"])
  }

  @Test(arguments: [
    ("--epochs", "0", "train: epochs is 0, it must be at least 1"),
    ("--epochs", "-2", "train: epochs is -2, it must be at least 1"),
    ("--batch", "0", "train: the batch size is 0, it must be at least 1"),
    ("--rate", "-1", "train: the learning rate is -1.0, it must be positive"),
    ("--rate", "nan", "train: the learning rate is nan, it must be positive"),
    ("--weight-penalty", "-1", "train: the weight penalty is -1.0, it must not be negative"),
    (
      "--optimizer", "foo",
      """
      no optimizer is called "foo"
        hint: there are sgd, momentum, nesterov, adam, adamw, amsgrad, adamax, rmsprop, adagrad, \
      adadelta
      """
    ),
  ])
  func wrongSettings(_ option: String, _ value: String, _ text: String) throws {
    // Before the data are read, so nothing is said about them.
    let output = workplace.path("bars.safetensors")
    try workplace.expect(
      text, from: ["train", workplace.data, option, value, "--output", output], status: 64)
    #expect(workplace.folder.names == ["bars"])
  }

  /// What only files or data can tell is 1, whatever the command; what the line alone tells is 64.
  @Test func theStatusTellsAWrongLineFromWhatCouldNotBeDone() throws {
    let missing = workplace.path("missing.safetensors")
    let wrong = [
      ["train", workplace.data, "--network", "10XX"], ["summary", "10XX"], ["tune", "10XX"],
      ["transfer", "resnet18", "photos", "--from-scratch", "--weights", missing],
      ["classify", "resnet18"],
    ]
    for line in wrong { #expect(try workplace.agnesi(line).status == 64, "\(line)") }
    let failing = [
      ["train", missing], ["evaluate", missing, workplace.data],
      ["predict", missing, workplace.data],
      ["classify", missing, missing], ["explain", missing, missing],
      ["find", missing, missing, "--class", "cat"], ["segment", missing, missing],
      ["summary", missing], ["export", missing, missing + ".onnx"],
      ["transfer", "resnet18", missing], ["models", "get", "missing"],
      ["data", "--get", "missing"],
      ["tune", missing],
    ]
    try workplace.expect("tune: there is no file \(missing)", from: ["tune", missing])
    try workplace.expect("summary: there is no file \(missing)", from: ["summary", missing])
    for line in failing { #expect(try workplace.agnesi(line).status == 1, "\(line)") }
  }

  @Test func wrongCommandLines() throws {
    for (arguments, text) in [
      (["train"], "name a data set, such as fashion-mnist, or --resume a checkpoint"),
      (
        ["train", "mnist", "--resume", "x.checkpoint.safetensors"],
        "the checkpoint names its data set; --data says where it is now"
      ),
      (["train", "mnist", "--threads", "0"], "--threads is 0, it must be at least 1"),
      (["train", "mnist", "--validation", "-1"], "--validation is -1, it must not be negative"),
      (["evaluate", "m"], "Missing expected argument '<data-set>'"),
      (["foo"], "Unexpected argument 'foo'"),
    ] {
      let outcome = try workplace.agnesi(arguments)
      #expect(outcome.errors.contains(text), "\(arguments)")
      #expect(outcome.status == 64, "\(arguments)")
      #expect(outcome.output == "", "\(arguments)")
    }
  }

  @Test func dataOfAnotherShape() throws {
    try workplace.train("bars.safetensors")
    let model = workplace.path("bars.safetensors")
    let other = try workplace.folder.makeFolder("other")
    for part in ["train", "test"] {
      try NPYFile.write(NDArray(zeros: [5, 1, 8, 8], .uint8), to: "\(other)/\(part)-inputs.npy")
      try NPYFile.write(NDArray(zeros: [5], .int32), to: "\(other)/\(part)-labels.npy")
    }
    try workplace.expect(
      "\(model) takes samples of shape [1, 12, 12], those of other are [1, 8, 8]",
      from: ["evaluate", model, other, "--json"],
      after: "5 training and 5 test samples in \(other), 1 class\n")
    let file = "\(other)/test-inputs.npy"
    try workplace.expect(
      "predict: \(file) is uint8[5, 1, 8, 8], \(model) takes samples of shape [1, 12, 12]",
      from: ["predict", model, file])
    try workplace.expect(
      "predict: --index 200, bars has samples 0 to 199",
      from: ["predict", model, workplace.data, "--index", "200"], after: workplace.dataNote)
  }

  @Test func brokenFiles() throws {
    try workplace.train("bars.safetensors")
    let bytes = try workplace.folder.read("bars.safetensors")
    let header = bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.1) << (8 * $1.0) }
    let cut = try workplace.folder.write(bytes.prefix(500), to: "cut.safetensors")
    let text =
      "cannot read \(cut) as safetensors: its header would be \(header) bytes long, 492 follow "
      + "its length"
    try workplace.expect(text, from: ["evaluate", cut, workplace.data])
    try workplace.expect(text, from: ["predict", cut, workplace.data])
    try workplace.expect(text, from: ["train", "--resume", cut])

    let images = "bars/train-images-idx3-ubyte"
    let pixels = try workplace.folder.read(images)
    let path = try workplace.folder.write(pixels.prefix(1000), to: images)
    try workplace.expect(
      "cannot read \(path) as IDX: the sizes [1000, 12, 12] of uint8 need 144000 bytes, 984 "
        + "follow the header", from: ["train", workplace.data])
  }

  @Test func filesThatAreSomethingElse() throws {
    try workplace.train("bars.safetensors")
    let model = workplace.path("bars.safetensors")
    let checkpoint = workplace.path("bars.checkpoint.safetensors")
    let missing = workplace.path("missing.checkpoint.safetensors")
    try workplace.expect(
      "cannot read \(missing): No such file or directory", from: ["train", "--resume", missing])
    try workplace.expect(
      """
      train: \(model) is not a checkpoint of a training run
        hint: a checkpoint's name ends in .checkpoint.safetensors
      """, from: ["train", "--resume", model])
    try workplace.expect(
      """
      model \(checkpoint): the file holds tensors, but no functions of Agnesi
        hint: only files that Agnesi saved can be evaluated
      """, from: ["evaluate", checkpoint, workplace.data])
  }
}
