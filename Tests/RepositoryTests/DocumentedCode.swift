import Agnesi
import AgnesiLoops
import Foundation
import TestSupport
import Testing

// The code that stands in documents, in the order of the documents; `DocumentedCodeTests` compares.

@Suite struct DocumentedCode {
  /// The blocks of a document that show what a program prints.
  private func texts(_ document: String) throws -> [String] {
    try Document(document).blocks.filter { $0.language == "text" }
      .map { $0.lines.joined(separator: "\n") }
  }

  /// `Documentation/Architecture.md`.
  @Test func architecture() throws {
    let (images, labels) = (NDArray(zeros: [5, 784]), NDArray(zeros: [5], .int32))
    let image = Tensor.input("image", [.batch, 784])
    let label = Tensor.input("label", [.batch], .int32)
    let w = Tensor.parameter("w", [784, 10], .glorotUniform)
    let b = Tensor.parameter("b", [10])
    let cost = softmaxCrossEntropy(matmul(image, w) + b, label).mean()
    let step = try compile([image, label], to: [cost], updates: sgd(cost, [w, b], rate: 0.1))
    let value = try step(images, labels)[cost].scalar
    #expect(abs(value - Foundation.log(10)) < 1e-6)
    #expect(try texts("Documentation/Architecture.md").contains(cost.listing()))
  }

  /// `AgnesiImages.md`.
  @Test func pictures() throws {
    let path = "\(Repository.root)/Documentation/Pictures/report.png"
    let photo = try Picture(reading: path)
    let preprocessing = PicturePreprocessing(
      resizing: .shortSide(256), filter: .bicubic, cropWidth: 224, cropHeight: 224)
    let pixels = try preprocessing(photo).planes
    #expect(pixels.shape == [3, 224, 224])
  }

  /// `ReadingTheLoopForm.md`.
  @Test func loopForm() throws {
    let element = Scalar.load(.argument(0), .index(.symbol("i") * 10 + .symbol("r")), .float32)
    let fold = Statement.Reduction.Fold(local: 0, combiner: .sum, value: element)
    let body: [Statement] = [
      .define(0, .constant(0, .float32)), .reduce(.init("r", 10, folds: [fold])),
      .store(.argument(1), index: .index(.symbol("i")), value: .local(0, .float32)),
    ]
    let kernel = Kernel(
      name: "rowSums",
      arguments: [.init(.float32, isWritten: false), .init(.float32, isWritten: true)],
      body: [.loop(.init("i", .batch, isParallel: true, body: body))])
    try kernel.verify()
    let document = "Sources/AgnesiLoops/AgnesiLoops.docc/ReadingTheLoopForm.md"
    #expect(try texts(document).contains(kernel.description))
  }

  /// `AgnesiExpressions.md`.
  @Test func mistakesAreRecorded() {
    let x = Tensor.input("x", [.batch, 3])
    let y = matmul(x, Tensor.parameter("w", [4, 2]))
    print(y.failure?.description ?? "fits")
    #expect(y.failure?.message == "inner sizes differ, 3 ≠ 4")
  }

  /// `ShapesAndBroadcasting.md`.
  @Test func shapes() {
    let images = Tensor.input("images", [.batch, 1, 28, 28])
    let rows = images.reshaped([.batch, 784])
    #expect(rows.failure == nil)
    let scores = Tensor.input("scores", [.batch, 10])
    let largest = scores.max(axes: [1], keepingAxes: true)
    let isLargest = scores .== largest
    #expect(isLargest.type == TensorType(.bool, [.batch, 10]))
    // The rows of the page's table.
    func sum(_ left: Shape, _ right: Shape) -> Tensor {
      Tensor.input("left", left) + Tensor.input("right", right)
    }
    #expect(sum([.batch, 10], [10]).shape == [.batch, 10])
    #expect(sum([3, 1], [5]).shape == [3, 5])
    #expect(sum([.batch, 20, 12, 12], [20, 1, 1]).shape == [.batch, 20, 12, 12])
    #expect(sum([.batch, 10], [3]).failure != nil)
    let undecided = sum([.batch, 10], [.batch])
    #expect(undecided.shape == [.batch, 10])
    let inputs = undecided.inputs
    #expect(throws: GraphError.self) {
      try evaluate(
        undecided, [inputs[0]: NDArray(zeros: [4, 10]), inputs[1]: NDArray(zeros: [4])])
    }
  }

  /// `Gradients.md`.
  @Test func gradients() throws {
    let x = Tensor.input("x", [.batch])
    let y = (x * x * x).sum()
    let derivative = gradient(of: y, withRespectTo: [x])[0]
    let curvature = gradient(of: derivative.sum(), withRespectTo: [x])[0]
    let value = NDArray([1, 2] as [Float])
    #expect(try evaluate(derivative, [x: value]) == NDArray([3, 12] as [Float]))
    #expect(try evaluate(curvature, [x: value]) == NDArray([6, 12] as [Float]))
  }

  /// `AgnesiCompiler.md` and `Rewriting.md`.
  @Test func functions() throws {
    let x = Tensor.input("x", [.batch])
    let scale = Tensor.parameter("scale", [], .ones)
    let y = x * scale
    let double = Updates([(scale, scale * 2)])
    let step = try compile([x], to: [y], updates: double)
    print(try step(NDArray([1, 2, 3] as [Float]))[y])
    #expect(try step(NDArray([1, 2, 3] as [Float]))[y] == NDArray([2, 4, 6] as [Float]))
    let plain = try compile([x], to: [y], options: CompileOptions(rewriting: .none))
    #expect(try plain(NDArray([1] as [Float]))[y] == NDArray([4] as [Float]))
  }

  /// `Profiling.md`.
  @Test func profiles() throws {
    let image = Tensor.input("image", [.batch, 9])
    let label = Tensor.input("label", [.batch], .int32)
    let weight = Tensor.parameter("weight", [9, 3], .glorotUniform)
    let cost = softmaxCrossEntropy(matmul(image, weight), label).mean()
    let derivative = gradient(of: cost, withRespectTo: [weight])[0]
    let descent = Updates([(weight, weight - 0.1 * derivative)])
    let (images, labels) = (NDArray(zeros: [20, 9]), NDArray(zeros: [20], .int32))
    let profiler = Profiler()
    let step = try compile(
      [image, label], to: [cost], updates: descent, on: CPU(profiler: profiler))
    for _ in 0..<20 { _ = try step(images, labels) }
    print(profiler.report(against: try MachineLimits.measured()))
    #expect(profiler.steps.allSatisfy { $0.calls == 20 })
    #expect(!profiler.steps.isEmpty)
  }

  /// `Saliency.md`; compiled and not run, since it needs a network's weights.
  private func saliency(_ path: String) throws {
    let model = try PictureModel(try Zoo.open("efficientnet-lite0"))
    let explainer = Explainer(model, on: .cpu)
    let photo = try model.preprocessing(Picture(reading: path, as: model.color))
    let explanation = try explainer.explain(photo, by: .gradCAM())
    try explanation.drawn().write(to: "seen.png")
    let softer = [model.logits].replacingNonlinearities { function, x in
      function.name == "relu6" ? softplus(x) : nil
    }
    print(softer[0].listing())
  }

  /// `ClassifyingPhotos.md`; compiled and not run, since it needs a network's weights.
  private func classifying() throws {
    let model = try PictureModel(Zoo.open("efficientnet-lite0"))
    let classify = try PictureClassifier(model, on: .cpu)
    for found in try classify(Picture(reading: "fruit.jpg")) {
      print(found.name, found.probability)
    }
  }

  /// `ONNX.md`; compiled and not run, since it needs a file of another framework.
  private func exchanging() throws {
    let model = try ONNXModel(reading: "mobilenetv2-7.onnx").model()
    let run = model.functions["run"]  // the file's own inputs and outputs
    print(run?.outputs.map(\.name) ?? [])
    try model.writeONNX(to: "clothes.onnx")
  }

  /// `FindingAnObject.md`; compiled and not run, likewise.
  private func finding() throws {
    let model = try PictureModel(Zoo.open("efficientnet-lite0"))
    let photo = try Picture(reading: "P1013781.JPG").resized(shortSide: 612)
    let finder = try ObjectFinder(model, width: photo.width, height: photo.height, on: .cpu)
    let map = try finder(photo, class: model.classIndex("peacock"))
    try photo.overlaid(heat: map.heat()).write(to: "peacock.jpg")
  }

  /// `TransferLearning.md`; compiled and not run, likewise.
  private func transferring(_ split: DataSplit) throws {
    let model = try PictureModel(Zoo.open("efficientnet-lite0"))
    let photos = try PictureFolder(reading: "ants-and-bees")
    let training = try PhotoTraining(PictureBody(model), photos: photos, on: .cpu)
    try training.trainHead()
    try training.trainEverything(output: "insects.safetensors")
    print(training.phases.map { ($0.name, $0.evaluation?.accuracy) })

    let network = try TransferNetwork(
      PictureBody(model, cutAt: "block11"), head: .masks(11, ignored: 11))
    let settings = TrainingSettings(
      epochs: 20, batchSize: 16, optimizer: .adam(), rate: 1e-3, schedule: .cosine(),
      rateFactors: network.rateFactors(body: 0.1, frozenThrough: "block5"))
    let graph = try network.graph(frozenThrough: "block5", learnsAverages: false)
    let trainer = try Trainer(
      graph, on: split, settings: settings, output: "roads.safetensors", backend: .cpu
    ) { _ in try network.model() }
    _ = try trainer.run()
  }

  /// `AgnesiLayers.md`.
  @Test func layers() throws {
    let image = Tensor.input("image", [.batch, 3, 32, 32])
    let network = Chain {
      Convolution2D(filters: 32, kernel: 3, padding: .same, activation: .relu)
      BatchNormalization()
      MaxPool2D(2)
      Dense(units: 10)
    }
    let logits = network(image)
    let names = logits.parameters(.trainable).map(\.name)
    #expect(
      names == [
        "convolution1.weight", "batchNormalization1.scale", "batchNormalization1.offset",
        "dense1.weight", "dense1.bias",
      ])
    let label = Tensor.input("label", [.batch], .int32)
    let cost = softmaxCrossEntropy(logits, label).mean()
    let gradients = Gradients(of: cost, withRespectTo: cost.parameters(.trainable))
    let updates = adam(gradients.clipped(totalNorm: 5), rate: 0.001)
    #expect(updates.failure == nil)
    let lenet = try Notation.parse("20C5 MP2 50C5 MP2 256FC 10FC")
    print(Summary(lenet, input: [1, 28, 28]))
    #expect(lenet.layers.count == 6)
  }

  /// `ModelsAsFiles.md`.
  @Test func models() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("double.safetensors")
    let x = Tensor.input("x", [.batch])
    let y = x * Tensor.parameter("scale", [], .constant(2))
    let model = Model(
      functions: ["double": .init(inputs: [x], outputs: [(name: "y", tensor: y)])],
      information: ["note": "made by hand"])
    try model.write(to: path)

    let read = try Model(reading: path)
    let double = read.functions["double"]
    let function = try #require(double)
    let step = try compile(function.inputs, to: function.outputs.map(\.tensor))
    #expect(try step(NDArray([3] as [Float]))[0] == NDArray([6] as [Float]))
    #expect(read.information["note"] == "made by hand")
  }

  /// `AgnesiFormats.md` and `TheZoo.md`: files that nobody can have here, so the errors are looked at.
  @Test func filesOfOthers() {
    func weights() throws {
      let file = try WeightFile(reading: "vgg19_normalized.pkl")
      let kernels = file["param values/0"]
      let classes = file.texts["synset words"] ?? []
      print(file.format, kernels?.shape ?? [], classes.count)
    }
    func network() throws {
      let model = try Zoo.open("vgg19", weights: "vgg19.pkl")
      #expect(model.functions.isEmpty)
    }
    #expect(throws: (any Error).self) { try weights() }
    #expect(throws: (any Error).self) { try network() }
  }
}
