import Agnesi
import ArgumentParser

/// The size at which photos are learned from as a data set.
struct PhotoSizeOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of a folder of photos: make each so many pixels wide and high.", valueName: "pixels"))
  var size = 64

  func validate() throws {
    if !(8...1024).contains(size) {
      throw ValidationError("--size is \(size), it must be in 8...1024")
    }
  }
}

extension DataOptions {
  /// Opens a data set, or a folder of photos as one: what it holds out is the test part.
  ///
  /// - Parameter size: rows and columns that photos are resized to, which is also how a saved network
  ///   that says nothing else of pictures sees them later.
  func open(_ name: String, photoSize size: Int, console: Console) throws -> DataSplit {
    guard PictureFolder.isOne(name), DataFormat.detected(in: name) == nil else {
      return try open(name, console: console)
    }
    FileWorkers.shared.prepare()
    let folder = try PictureFolder(reading: name)
    for note in folder.notes { console.note(note) }
    let count = folder.photos.count
    func read(_ photos: [PictureFolder.Photo], from first: Int) throws -> DataSet {
      let planes = try PhotoPlanes(
        reading: photos, name: name, classNames: folder.classNames,
        preprocessing: PicturePreprocessing(resizing: .exact(width: size, height: size)),
        color: .rgb
      ) { console.showBar(first + $0, of: count, "photos") }
      console.endLine()
      for failure in planes.failures { console.note(String(describing: failure.error)) }
      let data = planes.dataSet
      return try DataSet(
        name: name, inputs: data.inputs, targets: data.targets, classNames: data.classNames)
    }
    let train = try read(folder.training, from: 0)
    let test = try folder.validation.map { try read($0, from: folder.training.count) }
    let held = test.map { ", \($0.count) held out" } ?? ""
    console.note(
      "\(train.count) photos of \(folder.classNames.joined(separator: ", "))\(held), "
        + "as \(size)×\(size) pixels")
    return DataSplit(train: train, test: test)
  }
}
