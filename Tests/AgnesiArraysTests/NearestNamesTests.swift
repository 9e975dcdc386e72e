import AgnesiArrays
import TestSupport
import Testing

@Suite struct NearestNamesTests {
  private static let optimizers = [
    "sgd", "momentum", "nesterov", "adam", "adamw", "amsgrad", "adamax", "rmsprop", "adagrad",
    "adadelta",
  ]
  private static let networks = [
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet20-cifar10", "vgg16", "vgg19",
    "efficientnet-lite0", "mobilenet-v2", "squeezenet1.0", "squeezenet1.1", "googlenet", "lenet5",
  ]
  private static let classes = [
    "golden retriever", "Labrador retriever", "great white shark", "tiger shark", "peacock",
    "hen", "cock", "white wolf",
  ]

  @Test(arguments: [
    ("adm", ["adam"]), ("ADAM", ["adam"]), ("sdg", ["sgd"]), ("nestrov", ["nesterov"]),
    ("rms prop", ["rmsprop"]), ("adama", ["adam", "adamw", "adamax"]), ("foo", []), ("", []),
    ("x", []), ("lion", []),
  ])
  func shortNames(_ name: String, _ expected: [String]) {
    #expect(NearestNames.of(name, in: Self.optimizers) == expected)
  }

  @Test(arguments: [
    ("restnet18", ["resnet18"]), ("resnet", ["resnet18", "resnet34", "resnet50"]),
    ("ResNet_18", ["resnet18"]), ("efficientnetlite0", ["efficientnet-lite0"]),
    ("lite0-efficientnet", ["efficientnet-lite0"]), ("mobilnet-v2", ["mobilenet-v2"]),
    ("squeeznet1_1", ["squeezenet1.1"]), ("googelnet", ["googlenet"]),
    ("vgg16-something-else", ["vgg16"]), ("transformer", []),
  ])
  func networks(_ name: String, _ expected: [String]) {
    #expect(NearestNames.of(name, in: Self.networks) == expected)
  }

  @Test(arguments: [
    ("retriever", ["golden retriever", "Labrador retriever"]),
    ("retriever golden", ["golden retriever"]), ("peackock", ["peacock"]),
    ("white shark", ["great white shark"]), ("hne", ["hen"]), ("keyboard", []),
  ])
  func classNames(_ name: String, _ expected: [String]) {
    #expect(NearestNames.of(name, in: Self.classes) == expected)
  }

  @Test func questions() {
    #expect(NearestNames.question([]) == nil)
    #expect(NearestNames.question(["a"]) == "did you mean a?")
    #expect(NearestNames.question(["a", "b"]) == "did you mean a or b?")
    #expect(NearestNames.question(["a", "b", "c"]) == "did you mean a, b or c?")
    #expect(NearestNames.question("zzz", in: ["a"], otherwise: "there is a") == "there is a")
  }

  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "acb", 1),
    ("kitten", "sitting", 3), ("ca", "abc", 3), ("fasion", "fashion", 1),
  ])
  func distances(_ left: String, _ right: String, _ expected: Int) {
    #expect(NearestNames.distance(Array(left), Array(right)) == expected)
    #expect(NearestNames.distance(Array(right), Array(left)) == expected)
  }

  @Test func files() throws {
    let folder = try TemporaryFolder()
    for name in ["holiday.jpg", "run.checkpoint.safetensors", "run.safetensors", ".hidden.jpg"] {
      try folder.write([0], to: name)
    }
    func near(_ name: String) -> [String] { NearestNames.ofFiles(folder.path(name)) }
    #expect(near("holidya.jpg") == [folder.path("holiday.jpg")])
    #expect(near("holiday.jpeg") == [folder.path("holiday.jpg")])
    #expect(near("Holiday.JPG") == [folder.path("holiday.jpg")])
    #expect(near("rum.safetensors") == [folder.path("run.safetensors")])
    // What they share is the ending only.
    #expect(near("missing.checkpoint.safetensors") == [])
    #expect(near("other/holiday.jpg") == [])
    #expect(NearestNames.ofFiles("") == [])
    let path = folder.path("holidya.jpg")
    #expect(
      errorText { _ = try IDXFile.read(path) }
        == "cannot read \(path): No such file or directory; did you mean "
        + "\(folder.path("holiday.jpg"))?")
  }
}
