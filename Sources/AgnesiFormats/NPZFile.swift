import AgnesiArrays

/// NumPy's `.npz`: a zip archive with a `.npy` for each array.
public enum NPZFile {
  /// Writes arrays so that `numpy.load` reads them; uncompressed, as `numpy.savez` does it. The same
  /// arrays give the same bytes.
  ///
  /// - Throws: `FormatError` where two arrays have one name; `FileError` where the file cannot be written,
  ///   and then a file that was there before is unchanged.
  public static func write(_ arrays: [(name: String, array: NDArray)], to path: String) throws {
    var seen: Set<String> = []
    try FormatProblem.naming(path, "npz", .write) {
      for (name, _) in arrays where !seen.insert(name).inserted {
        throw FormatProblem("two arrays are called \(FormatProblem.quoted(name))")
      }
      try AtomicFile.replace(path) { file in
        var archive = ZipWriter(file)
        for (name, array) in arrays {
          try NPYFile.header(of: array).withUnsafeBytes { header in
            try array.contiguous().withUnsafeBytes { elements in
              try archive.add(name + ".npy", [header, elements])
            }
          }
        }
        try archive.finish()
      }
    }
  }

  /// The arrays of an archive, by their members' names without `.npy`.
  static func contents(of archive: ZipArchive, _ budget: MemoryBudget) throws -> WeightContents {
    var contents = WeightContents()
    for member in ordered(archive.members) {
      let name = String(member.name.dropLast(".npy".count))
      do {
        contents.set(name, try array(try archive.content(of: member, budget), budget))
      } catch let problem as FormatProblem {
        throw problem
      } catch {
        throw FormatProblem("its member \(FormatProblem.quoted(member.name)): \(error)")
      }
    }
    return contents
  }

  /// The one array of a `.npy`.
  static func lone(_ bytes: FileBytes, _ budget: MemoryBudget) throws -> WeightContents {
    var contents = WeightContents()
    do {
      contents.set(PickleContents.loneName, try array(bytes, budget))
    } catch {
      throw FormatProblem("\(error)")
    }
    return contents
  }

  private static func array(_ bytes: FileBytes, _ budget: MemoryBudget) throws -> NDArray {
    let layout = try NPYFile.layout(of: bytes.buffer)
    let elements = bytes[layout.start..<bytes.count]
    let storage = try elements.storage(
      for: layout.dtype, isBigEndian: layout.isBigEndian, budget)
    return try NDArray.stored(
      layout.dtype, layout.shape, isColumnMajor: layout.isColumnMajor, in: storage, budget)
  }

  /// `numpy.savez` calls arrays without a name `arr_0`, `arr_1`, … and stores them in any order.
  private static func ordered(_ members: [ZipArchive.Member]) -> [ZipArchive.Member] {
    let arrays = members.filter { $0.name.hasSuffix(".npy") }
    let numbered = arrays.compactMap { member in
      number(member.name).map { (number: $0, member: member) }
    }
    if numbered.count < arrays.count { return arrays }
    return numbered.sorted { $0.number < $1.number }.map(\.member)
  }

  private static func number(_ name: String) -> Int? {
    let stem = name.dropLast(".npy".count)
    return stem.hasPrefix("arr_") ? Int(stem.dropFirst("arr_".count)) : nil
  }
}
