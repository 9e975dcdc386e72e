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
  /// Opens a data set, or a folder of photos as one, with the folder's parts.
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
    console.note("\(folder.summary); as \(size)×\(size) pixels")
    if folder.training.isEmpty {
      throw CommandFailure(message: "train: \(name) has no photos to learn from, as in train")
    }
    let count = folder.photos.count
    var done = 0
    func read(_ photos: [PictureFolder.Photo], _ part: String) throws -> DataSet {
      let planes = try PhotoPlanes(
        reading: photos, name: name, classNames: folder.classNames,
        preprocessing: PicturePreprocessing(resizing: .exact(width: size, height: size)),
        color: .rgb
      ) { console.showBar(done + $0, of: count, "photos") }
      done += photos.count
      console.endLine()
      for failure in planes.failures { console.note(String(describing: failure.error)) }
      for warning in folder.unreadableClasses(of: photos, read: planes.photos, part) {
        console.note(warning)
      }
      let data = planes.dataSet
      return try DataSet(
        name: name, inputs: data.inputs, targets: data.targets, classNames: data.classNames,
        sampleNames: planes.photos.map { folder.relativePath($0) })
    }
    return DataSplit(
      train: try read(folder.training, "training"),
      validation: try folder.validation.map { try read($0, "validation") },
      test: try folder.test.map { try read($0, "test") })
  }
}
