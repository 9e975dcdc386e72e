#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file as memory: pages come from the system's file cache when they are touched, and nothing is
/// copied before.
///
/// Arrays are views of it. They are values like any others: the mapping is private, so a page that is
/// written becomes the process's own, and the file never changes. The mapping holds on to the file
/// that was opened, so one that is renamed over it, which is how everything here writes, or its
/// removal does not matter.
///
/// What does matter is a program that makes the file shorter where it lies: a page behind the new end
/// ends the process when it is touched (SIGBUS), as in all programs that map files. Bytes that such
/// a program writes into the file may be seen as well.
public final class MappedFile: Sendable {
  /// The file, as the caller named it.
  public let path: String
  /// The file's bytes.
  public let byteCount: Int
  /// The address of the first byte, as a number: the memory is written by nobody but the arrays that
  /// own their part of it.
  private let address: UInt

  /// Maps a file.
  ///
  /// - Throws: ``FileError`` where it cannot be opened or mapped, or is not a regular file.
  public convenience init(_ path: String) throws(FileError) {
    try self.init(InputFile(path, unpacking: false))
  }

  /// Maps the file that `file` reads, whatever lies at its path by now.
  package init(_ file: InputFile) throws(FileError) {
    path = file.path
    byteCount = file.fileSize
    if byteCount == 0 {
      // The system maps no empty range, and no address is asked for one.
      address = 0
      return
    }
    let base = mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MappedFile.unreserved,
      file.descriptor, 0)
    let number = UInt(bitPattern: base)
    if number == UInt.max || number == 0 { throw FileError("map", path) }
    address = number
  }

  deinit {
    if let base = UnsafeMutableRawPointer(bitPattern: address) { munmap(base, byteCount) }
  }

  /// All bytes; valid while this object lives.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: byteCount)
  }

  /// The array whose elements lie at `offset`, row by row, the small byte first: a view, or a copy
  /// where elements would not lie at multiples of their size. Bytes of bools that are not 0 count
  /// as 1, so bools are copied.
  ///
  /// - Throws: ``FormatError`` where the file does not hold all of it.
  public func array(_ dtype: DType, _ shape: [Int], at offset: Int) throws(FormatError) -> NDArray {
    let size = ByteOrder.byteCount(shape, elementSize: dtype.size)
    guard let size, offset >= 0, offset <= byteCount, size <= byteCount - offset else {
      throw FormatError(
        path: path, format: "a mapped file",
        reason: "\(dtype)\(shape) at byte \(offset) is not within its \(byteCount) bytes")
    }
    guard let base = UnsafeMutableRawPointer(bitPattern: address), size > 0 else {
      return NDArray(zeros: shape, dtype)
    }
    let start = base + offset
    if dtype != .bool, UInt(bitPattern: start) % UInt(dtype.size) == 0 {
      return NDArray(
        dtype: dtype, shape: shape, strides: NDArray.rowMajorStrides(shape), offset: 0,
        storage: ArrayStorage(foreign: start, byteCount: size, owner: self))
    }
    let copy = NDArray(uninitialized: shape, dtype)
    memcpy(copy.storage.base, start, size)
    if dtype == .bool { ByteOrder.normaliseBools(copy.storage.bytes) }
    return copy
  }

  /// Tells the system that all of the file will be read soon, and returns at once.
  public func prefetch() {
    if let base = UnsafeMutableRawPointer(bitPattern: address) {
      madvise(base, byteCount, MADV_WILLNEED)
    }
  }

  /// Weights are hardly ever written, so memory for a second copy need not be set aside.
  #if canImport(Glibc)
    private static let unreserved = MAP_NORESERVE
  #else
    private static let unreserved: Int32 = 0
  #endif
}
