// swift-tools-version: 6.1
// Targets stand in the order of processing: each may import only those above it.
import PackageDescription

let package = Package(
  name: "agnesi",
  platforms: [.macOS("26.0")],
  products: [
    .library(name: "Agnesi", targets: ["Agnesi"]),
    .executable(name: "agnesi", targets: ["AgnesiCommand"]),
    .executable(name: "agnesi-bench", targets: ["AgnesiBench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // C: the thread pool, the step runner, oneDNN and OpenBLAS behind one interface.
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "COneDNN", providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-openmp-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "COpenSSL", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
    // Pictures' formats.
    .systemLibrary(
      name: "CJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CWebP", pkgConfig: "libwebpdemux",
      providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
    .systemLibrary(
      name: "CTIFF", pkgConfig: "libtiff-4",
      providers: [.apt(["libtiff-dev"]), .brew(["libtiff"])]),
    .systemLibrary(
      name: "CGIF", providers: [.apt(["libgif-dev"]), .brew(["giflib"])]),
    // Weights of Keras.
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
    .target(
      name: "CAgnesi", dependencies: ["COneDNN", "COpenBLAS"],
      linkerSettings: [
        .linkedLibrary("dnnl"), .linkedLibrary("openblas"),
        .linkedLibrary("gomp", .when(platforms: [.linux])),
      ]),

    // Values and the two intermediate forms.
    .target(name: "AgnesiArrays", dependencies: ["CZlib"]),
    // C: files from strangers, decoded in a process of their own.
    .target(
      name: "CAgnesiFiles", dependencies: ["CJPEG", "CPNG", "CWebP", "CTIFF", "CGIF", "CHDF5"],
      linkerSettings: [
        .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("webp"),
        .linkedLibrary("webpdemux"), .linkedLibrary("tiff"), .linkedLibrary("gif"),
        .linkedLibrary("hdf5"),
      ]),
    .target(name: "AgnesiImages", dependencies: ["AgnesiArrays", "CAgnesiFiles", "CZlib"]),
    .target(
      name: "AgnesiFormats",
      dependencies: ["AgnesiImages", "AgnesiArrays", "CAgnesiFiles", "CZlib"]),
    .target(name: "AgnesiLoops", dependencies: ["AgnesiArrays"]),
    .target(name: "AgnesiExpressions", dependencies: ["AgnesiLoops", "AgnesiArrays"]),

    // From a graph to something that runs.
    .target(
      name: "AgnesiCompiler", dependencies: ["AgnesiExpressions", "AgnesiLoops", "AgnesiArrays"]),
    .target(
      name: "AgnesiReference",
      dependencies: ["AgnesiCompiler", "AgnesiExpressions", "AgnesiLoops", "AgnesiArrays"]),
    .target(
      name: "AgnesiCPU",
      dependencies: [
        "AgnesiCompiler", "AgnesiExpressions", "AgnesiLoops", "AgnesiArrays", "CAgnesi",
      ]),

    // What people build with.
    .target(name: "AgnesiLayers", dependencies: ["AgnesiExpressions", "AgnesiArrays"]),
    .target(
      name: "AgnesiModels",
      dependencies: [
        "AgnesiLayers", "AgnesiExpressions", "AgnesiLoops", "AgnesiFormats", "AgnesiImages",
        "AgnesiArrays",
      ]),
    .target(
      name: "AgnesiTraining",
      dependencies: [
        "AgnesiModels", "AgnesiLayers", "AgnesiCompiler", "AgnesiExpressions", "AgnesiLoops",
        "AgnesiImages", "AgnesiArrays", "COpenSSL",
      ]),
    .target(
      name: "AgnesiVision",
      dependencies: [
        "AgnesiTraining", "AgnesiModels", "AgnesiLayers", "AgnesiCompiler", "AgnesiExpressions",
        "AgnesiLoops", "AgnesiImages", "AgnesiArrays",
      ]),
    .target(
      name: "Agnesi",
      dependencies: [
        "AgnesiVision", "AgnesiTraining", "AgnesiModels", "AgnesiLayers", "AgnesiCPU",
        "AgnesiReference", "AgnesiCompiler", "AgnesiExpressions", "AgnesiFormats", "AgnesiImages",
        "AgnesiArrays",
      ]),
    // What executables settle before their libraries begin.
    .target(name: "CAgnesiStart"),
    .executableTarget(
      name: "AgnesiCommand",
      dependencies: [
        "Agnesi", "CAgnesiStart",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "AgnesiBench",
      dependencies: [
        "Agnesi", "CAgnesiStart",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests mirror the targets.
    .target(
      name: "TestSupport",
      dependencies: ["AgnesiExpressions", "AgnesiLoops", "AgnesiArrays", "CZlib"],
      path: "Tests/TestSupport"),
    .testTarget(name: "AgnesiArraysTests", dependencies: ["AgnesiArrays", "TestSupport"]),
    .testTarget(
      name: "AgnesiImagesTests",
      dependencies: ["AgnesiImages", "AgnesiArrays", "CAgnesiFiles", "TestSupport"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "AgnesiFormatsTests", dependencies: ["AgnesiFormats", "AgnesiArrays", "TestSupport"]),
    .testTarget(name: "AgnesiLoopsTests", dependencies: ["AgnesiLoops", "AgnesiArrays"]),
    .testTarget(
      name: "AgnesiExpressionsTests", dependencies: ["AgnesiExpressions", "TestSupport"]),
    .testTarget(
      name: "AgnesiCompilerTests", dependencies: ["Agnesi", "TestSupport"]),
    .testTarget(
      name: "AgnesiCPUTests", dependencies: ["Agnesi", "AgnesiCPU", "CAgnesi", "TestSupport"]),
    .testTarget(name: "ConformanceTests", dependencies: ["Agnesi", "TestSupport"]),
    .testTarget(name: "AgnesiLayersTests", dependencies: ["Agnesi", "TestSupport"]),
    .testTarget(
      name: "AgnesiModelsTests", dependencies: ["Agnesi", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "AgnesiTrainingTests", dependencies: ["Agnesi", "TestSupport", "CZlib"]),
    .testTarget(name: "AgnesiVisionTests", dependencies: ["Agnesi", "TestSupport"]),
    .testTarget(name: "AgnesiCommandTests", dependencies: ["Agnesi", "TestSupport"]),
    .testTarget(name: "AgnesiBenchTests", dependencies: ["TestSupport"]),
    .testTarget(name: "RepositoryTests", dependencies: ["Agnesi", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
